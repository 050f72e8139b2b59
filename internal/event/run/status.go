package run

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

// stands are what a runner tells of its targets, counted since it began. mu of the
// runner guards them.
type stands struct {
	targets map[string]*Counts
	err     string // why it was loaded again last
}

// Counts are what became of the events of a target at one node, since its runner
// began there.
type Counts struct {
	Sent, Dead, Dropped int64
	Failed              int64 // attempts
	LastError           string
	LastErrorMs         int64
}

// Cursor is where one partition's events are.
type Cursor struct {
	Partition int32
	// At is the offset below which all events are with the targets; TimeMs is the
	// time of the last of them, 0 where that is not known.
	At, TimeMs int64
	// Known is false where nobody has run the partition yet.
	Known bool
	// Rules are the versions that were taken up, by key.
	Rules map[string]course.Rule
	// Branches are targets with cursors of their own, by the replay's id and target.
	Branches map[course.Name]course.Branch
	Replays  map[string]course.Replay // by id
}

// Cursors tells, at any node, how far a source's partitions are.
func (s *Service) Cursors(ctx context.Context, src *plan.Source) ([]Cursor, error) {
	topic, ok := s.o.Topic(src.Topic)
	state, made := s.o.Topic(StateTopic)
	if !ok {
		return nil, nil
	}
	var out []Cursor
	for p := range int32(topic.Partitions) {
		c := Cursor{Partition: p}
		if made {
			seat := course.Seat{Source: src.ID, Partition: p}.Key()
			at := seatPartition(seat, state.Partitions)
			if err := s.mirror.end(ctx, at); err != nil {
				return nil, err
			}
			records, _, err := s.mirror.seat(at, seat)
			if err != nil {
				return nil, err
			}
			read, err := course.Read(records)
			if err != nil {
				return nil, err
			}
			maps.DeleteFunc(read.Branches, func(_ course.Name, b course.Branch) bool { return b.Over() })
			if c.Rules, c.Branches, c.Replays = read.Rules, read.Branches, read.Replays; read.Main != nil {
				c.At, c.TimeMs, c.Known = read.Main.At, read.Main.TimeMs, true
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// Counts tells what became of a target's events at this node.
func (s *Service) Counts(source, target string) Counts {
	s.mu.Lock()
	var mine []*runner
	for seat, r := range s.runners {
		if seat.Source == source {
			mine = append(mine, r)
		}
	}
	s.mu.Unlock()
	var sum Counts
	for _, r := range mine {
		r.mu.Lock()
		if c := r.stands.targets[target]; c != nil {
			sum.Sent, sum.Dead, sum.Dropped, sum.Failed = sum.Sent+c.Sent, sum.Dead+c.Dead, sum.Dropped+c.Dropped, sum.Failed+c.Failed
			if c.LastErrorMs >= sum.LastErrorMs && c.LastError != "" {
				sum.LastError, sum.LastErrorMs = c.LastError, c.LastErrorMs
			}
		}
		r.mu.Unlock()
	}
	return sum
}

// Applied returns when the runners of all partitions of a source have taken a rule up,
// at its version or a later one, or when the source has it no more. Whoever answers a
// call that changed a rule waits for that: what is put afterwards goes by the change.
func (s *Service) Applied(ctx context.Context, src *plan.Source, rule *plan.Rule) error {
	s.Look()
	for p := int32(0); ; p++ {
		if more, err := s.appliedAt(ctx, p, src.Ref, rule.Ref, rule.Version); !more || err != nil {
			return err
		}
	}
}

// appliedAt is Applied for one partition; more is false when there is none.
func (s *Service) appliedAt(ctx context.Context, p int32, source, rule name.Ref, version int64) (more bool, err error) {
	for {
		src := s.named(source)
		if src == nil {
			return false, nil
		}
		topic, ok := s.o.Topic(src.Topic)
		if !ok || int(p) >= topic.Partitions {
			return false, nil
		}
		at := len(src.Rules) - 1 // a new rule is among the last
		for at >= 0 && src.Rules[at].Ref != rule {
			at--
		}
		state, made := s.o.Topic(StateTopic)
		if !made && at < 0 {
			return false, nil
		}
		var moved <-chan struct{}
		if made {
			seat := course.Seat{Source: src.ID, Partition: p}
			_, rest := course.SeatOf(seat.RuleKey(rule.Key()))
			record, next, err := s.mirror.record(seatPartition(seat.Key(), state.Partitions), seat.Key(), rest)
			if err != nil {
				return false, err
			}
			var r course.Rule
			known := record != nil
			if known {
				if err := json.Unmarshal(record, &r); err != nil {
					return false, fmt.Errorf("read what is known of %s: %w", rule, err)
				}
			}
			if at >= 0 && known && r.ID == src.Rules[at].ID && r.Version >= version || at < 0 && (!known || len(src.Rules)+len(src.Replays) == 0) {
				return true, nil
			}
			moved = next
		}
		if err := s.await(ctx, moved); err != nil {
			return false, err
		}
	}
}

// counted counts what a turn came to.
func (r *runner) counted(t *turn) {
	if len(t.outputs)+len(t.drops)+len(t.sends) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var c *Counts
	last := (*plan.Target)(nil)
	for i := range t.outputs {
		o := &t.outputs[i]
		if o.target != last {
			last, c = o.target, r.of(o.target.Key)
		}
		if o.why == "" {
			c.Sent++
			continue
		}
		c.Dead++
		c.LastError, c.LastErrorMs = o.why, r.s.nowMs()
	}
	for i := range t.sends {
		r.of(t.sends[i].target.Key).Sent++
	}
	for _, d := range t.drops {
		c := r.of(d.target)
		c.Dropped++
		c.LastError, c.LastErrorMs = d.why, r.s.nowMs()
	}
}

// of are the counts of a target. mu held.
func (r *runner) of(target string) *Counts {
	if r.stands.targets == nil {
		r.stands.targets = map[string]*Counts{}
	}
	c := r.stands.targets[target]
	if c == nil {
		c = &Counts{}
		r.stands.targets[target] = c
	}
	return c
}

// failing notes an attempt that failed.
func (r *runner) failing(n course.Name, b *course.Branch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.of(n.Target)
	c.Failed++
	c.LastError, c.LastErrorMs = b.Why, r.s.nowMs()
}

// told notes why the runner is loaded again.
func (r *runner) told(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stands.err = cut(err.Error(), mostReason)
}

// forget drops the counts of targets that are gone.
func (r *runner) forget(src *plan.Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := map[string]bool{} // as long as none was seen that has it
	for key := range r.stands.targets {
		gone[key] = true
	}
	for key := range r.left {
		gone[key] = true
	}
	for _, rule := range src.Rules {
		if len(gone) == 0 {
			return
		}
		for _, g := range rule.Targets {
			delete(gone, g.Key)
		}
	}
	maps.DeleteFunc(r.stands.targets, func(key string, _ *Counts) bool { return gone[key] })
	maps.DeleteFunc(r.left, func(key string, _ leaving) bool { return gone[key] })
}

// Running are the seats that this node runs, in order.
func (s *Service) Running() []course.Seat {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.runners), func(a, b course.Seat) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Partition, b.Partition))
	})
}
