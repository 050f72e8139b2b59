package bus

import (
	"context"
	"time"

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
	// Trial decides what a source's rules make of events, and writes nothing.
	Trial(ctx context.Context, src *plan.Source, replay string) *run.Trial
}

// Words for where a target stands.
const (
	StandsLive     = "live"     // it gets events as they come
	StandsBehind   = "behind"   // it catches up by itself
	StandsFailing  = "failing"  // its place does not take them: it is tried again
	StandsPaused   = "paused"   // its rule is: they wait
	StandsDisabled = "disabled" // its rule is, or its address said that it is gone
	StandsUnknown  = "unknown"  // nobody has run its bus yet, or it cannot be asked for now: LastError says why then
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

// standingTimeout bounds how long it is asked where targets stand: who looks at a rule
// while something is ill wants to see what can be seen.
const standingTimeout = 10 * time.Second

// Standing tells where the targets of a rule stand, in their order; none where nobody
// runs rules. It is unknown, with the reason, where it cannot be asked for.
func (s *Service) Standing(ctx context.Context, r Rule) []Standing {
	src, there := s.Source(r.Of().Full())
	if s.o.Runners == nil || !there {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, standingTimeout)
	defer cancel()
	var ends []int64
	cursors, unknown := s.o.Runners.Cursors(ctx, src)
	if unknown == nil {
		ends, unknown = s.offsets(ctx, src.Topic, -1)
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
		if unknown != nil {
			st.State, st.LastError = StandsUnknown, "where it stands cannot be asked for at the moment: "+unknown.Error()
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
	return out
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
