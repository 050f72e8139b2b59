package history

// Pipeline says that clients of the history consume, transform and produce in
// transactions, and that values tell what they are the effect of: those of
// Input's are inputs, those of Effect's the effect of one input at one stage.
// All other values are neither.
type Pipeline struct {
	// Source is the topic of the inputs, whose partitions are Source-0, …
	Source string
	// Stages is how many effects each input must have, at stages 1 to Stages.
	Stages int
}

// How a value of a pipeline is put together: 3 bits stage (0: an input, 7: not
// of the pipeline), 28 bits input, 32 bits that tell tries apart. The first bit
// is the sign.
const (
	stageShift = 60
	inputShift = 32

	// MaxInput bounds inputs.
	MaxInput = 1 << 28
	apart    = 7
)

// Effect is the value of a try to have a stage's effect of an input. salt is
// another for every try.
func Effect(stage int, input int64, salt uint32) int64 {
	return int64(stage)<<stageShift | input<<inputShift | int64(salt)
}

// Apart is a value that is not of the pipeline; no two n of a process are equal.
func Apart(process int32, n uint32) int64 {
	return int64(apart)<<stageShift | int64(process)%MaxInput<<inputShift | int64(n)
}

// Lineage tells the stage of a value and the input that it comes from. Inputs
// are of stage 0; values that are no pipeline's have stage -1.
func Lineage(value int64) (stage int, input int64) {
	stage = int(value >> stageShift)
	switch {
	case value < 0, stage == apart, stage == 0 && value >= MaxInput:
		return -1, 0
	case stage == 0:
		return 0, value
	}
	return stage, value >> inputShift % MaxInput
}

// effects holds a pipeline to exactly once, as seen at read_committed: no input
// has two effects at one stage, none has an effect that itself surely failed or
// was never sent, and after the final polls each that is there has all of them.
func effects(v *view, r *Report) {
	p := v.opts.Pipeline
	if p == nil {
		return
	}
	type effect struct {
		stage int
		input int64
	}
	seen := make(map[effect]int64)
	for i := range v.writes {
		w := &v.writes[i]
		stage, input := Lineage(w.value)
		if !w.seenCommitted || stage < 1 {
			continue
		}
		r.Effects++
		e := effect{stage, input}
		if first, doubled := seen[e]; doubled && first != w.value {
			r.add("doubled-effect", "input %d has at stage %d the effects %d and %d (%s)", input, stage, first, w.value, w.partition.name)
			continue
		}
		seen[e] = w.value
		if cause := v.written(input); cause == nil || cause.outcome == Fail {
			r.add("effect-of-nothing", "%d in %s is the effect of input %d, which was never sent or aborted", w.value, w.partition.name, input)
		}
	}
	if !v.final {
		return
	}
	for i := range v.writes {
		w := &v.writes[i]
		if stage, _ := Lineage(w.value); stage != 0 || !w.seenCommitted && w.outcome != OK || topicOf(w.partition.name) != p.Source {
			continue
		}
		for stage := 1; stage <= p.Stages; stage++ {
			if _, there := seen[effect{stage, w.value}]; !there {
				r.add("missing-effect", "input %d, at %s offset %d, has no effect at stage %d", w.value, w.partition.name, w.offset, stage)
			}
		}
	}
}

// topicOf cuts the number off a partition's name.
func topicOf(partition string) string {
	for i := len(partition) - 1; i >= 0; i-- {
		if partition[i] == '-' {
			return partition[:i]
		}
	}
	return partition
}
