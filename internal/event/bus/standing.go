package bus

import (
	"context"

	"ottla/internal/event/plan"
	"ottla/internal/event/run"
	"ottla/internal/event/run/course"
)

// Runners are who carries out what is defined here (event/run).
type Runners interface {
	// Applied returns when the runners of all partitions have taken a rule up, at
	// its version or a later one.
	Applied(ctx context.Context, src *plan.Source, rule *plan.Rule) error
	// Cursors tells, at any node, how far a source's partitions are.
	Cursors(ctx context.Context, src *plan.Source) ([]run.Cursor, error)
	// Counts tells what became of a target's events at this node.
	Counts(source, target string) run.Counts
}

// Words for where a target stands.
const (
	StandsLive     = "live"     // it gets events as they come
	StandsBehind   = "behind"   // it catches up by itself
	StandsFailing  = "failing"  // its place does not take them: it is tried again
	StandsPaused   = "paused"   // its rule is: they wait
	StandsDisabled = "disabled" // its rule is, or its address said that it is gone
	StandsUnknown  = "unknown"  // nobody has run its bus yet
)

// Standing is where a target of a rule stands.
type Standing struct {
	Target string // its id
	State  string
	// Behind counts the records that it has not been shown; LagMs is for how long the
	// oldest of them has waited at most, 0 when there is none.
	Behind, LagMs int64
	// Sent, Failed, Dead and Dropped are counted at this node, since it runs.
	Sent, Failed, Dead, Dropped int64
	LastError                   string
	LastErrorMs                 int64
}

// Standing tells where the targets of a rule stand, in their order; none where nobody
// runs rules.
func (s *Service) Standing(ctx context.Context, r Rule) ([]Standing, error) {
	src, there := s.Source(r.Of().Full())
	if s.o.Runners == nil || !there {
		return nil, nil
	}
	cursors, err := s.o.Runners.Cursors(ctx, src)
	if err != nil {
		return nil, unavailable("how far "+r.Full().String()+" is", err)
	}
	ends, err := s.offsets(ctx, src.Topic, -1)
	if err != nil {
		return nil, unavailable("find the end of "+src.Topic, err)
	}
	var out []Standing
	for i := range r.Targets {
		t := &r.Targets[i]
		key := targetKey(&r, t)
		n := s.o.Runners.Counts(src.ID, key)
		st := Standing{Target: t.ID, State: StandsLive, Sent: n.Sent, Failed: n.Failed, Dead: n.Dead, Dropped: n.Dropped,
			LastError: n.LastError, LastErrorMs: n.LastErrorMs}
		for _, c := range cursors {
			if int(c.Partition) < len(ends) {
				st.at(&c, key, from(t.From, c.Partition), ends[c.Partition], s.o.Now().UnixMilli())
			}
		}
		switch {
		case r.Disabled || t.Disabled != "":
			st.State, st.Behind, st.LagMs = StandsDisabled, 0, 0
		case r.Paused:
			st.State = StandsPaused
		}
		if t.Disabled != "" {
			st.LastError = t.Disabled
		}
		out = append(out, st)
	}
	return out, nil
}

// at takes in where the target is in one partition.
func (st *Standing) at(c *run.Cursor, key string, begin, end, nowMs int64) {
	at, sinceMs := c.At, c.TimeMs
	b, apart := c.Branches[course.Name{Target: key}]
	switch {
	case apart && b.Attempts > 0:
		at, sinceMs, st.State, st.LastError = b.At, b.SinceMs, StandsFailing, b.Why
	case apart:
		at, sinceMs = b.At, 0
		if st.State == StandsLive {
			st.State = StandsBehind
		}
	case !c.Known:
		if at = begin; end > begin && st.State == StandsLive {
			st.State = StandsUnknown
		}
	}
	if behind := end - max(at, begin); behind > 0 {
		st.Behind += behind
		if sinceMs > 0 {
			st.LagMs = max(st.LagMs, nowMs-sinceMs)
		}
	}
}

func from(offsets []int64, partition int32) int64 {
	if int(partition) < len(offsets) {
		return offsets[partition]
	}
	return 0
}

// progress is how far a replay has come at all partitions.
func (s *Service) progress(ctx context.Context, r *Replay) (Progress, error) {
	p := Progress{Done: true, Events: r.Events, Read: r.Read}
	for i := range r.End {
		p.Of += max(0, r.End[i]-r.Begin[i])
	}
	src, there := s.Source(r.Bus.Full())
	if r.over() || s.o.Runners == nil || !there {
		p.Done = r.over()
		return p, nil
	}
	cursors, err := s.o.Runners.Cursors(ctx, src)
	if err != nil {
		return p, unavailable("how far "+r.Full().String()+" is", err)
	}
	for _, c := range cursors {
		at, known := c.Replays[r.ID]
		if known {
			p.Events += at.Events
			p.Read += max(0, at.At-from(r.Begin, c.Partition))
		}
		p.Done = p.Done && known && at.Done
		for n := range c.Branches {
			p.Done = p.Done && n.Replay != r.ID
		}
	}
	return p, nil
}
