package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/kafka/queues"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metric"
	"ottla/internal/share"
)

// Stats counts the messages of a queue.
func (s *Service) Stats(ctx context.Context, ref Ref) (Stats, error) {
	q, err := s.open(ctx, ref)
	if err != nil {
		return Stats{}, err
	}
	out, err := s.count(ctx, q)
	if err != nil || q.DeadLetter == nil {
		return out, err
	}
	dead, err := s.open(ctx, q.DeadLetter.Queue)
	if errors.Is(err, ErrNotFound) {
		return out, nil // it was deleted: then nothing waits there
	}
	if err != nil {
		return Stats{}, err
	}
	d, err := s.count(ctx, dead)
	out.Dead = d.Waiting + d.InFlight + d.Delayed
	return out, err
}

// count counts those of one queue, without its dead letters.
func (s *Service) count(ctx context.Context, q *opened) (Stats, error) {
	out := Stats{OldestMs: -1}
	for _, p := range q.parts() {
		v, err := s.survey(ctx, p)
		if err != nil {
			return Stats{}, fmt.Errorf("count the messages of %s: %w: %w", q.Full(), ErrUnavailable, err)
		}
		out.Waiting += v.Waiting
		out.InFlight += v.InFlight
		out.Delayed += v.Delayed
		if v.OldestMs >= 0 {
			out.OldestMs = max(out.OldestMs, max(0, s.nowMs()-v.OldestMs))
		}
	}
	if s.o.Timers != nil { // those that are not in the topic yet
		n, err := s.o.Timers.Count(ctx, q.Topic)
		if err != nil {
			return Stats{}, fmt.Errorf("count the delayed messages of %s: %w: %w", q.Full(), ErrUnavailable, err)
		}
		out.Delayed += n
	}
	return out, nil
}

// mostCounted is how many queues have rows of their own in /metrics.
const mostCounted = 200

// counters are what doors did, by queue.
type counters struct{ sent, taken, acknowledged, returned, rejected, moved *metric.Counters }

func countersOf(r *metric.Registry) counters {
	by := func(what string) *metric.Counters {
		return r.Counters("ottla_queue_messages_"+what+"_total", mostCounted)
	}
	return counters{by("sent"), by("taken"), by("acknowledged"), by("returned"), by("rejected"), by("moved")}
}

// of is the counter of what a receipt says; nil of what is not counted.
func (c *counters) of(t share.AckType) *metric.Counters {
	switch t {
	case share.Accept:
		return c.acknowledged
	case share.Release:
		return c.returned
	case share.Reject:
		return c.rejected
	}
	return nil
}

// Near goes through the queues whose partitions this node leads, by name, with what
// those partitions have, and how many queues have that one for their dead letters.
// It ends when each gives false, or with the first that cannot be counted.
func (s *Service) Near(ctx context.Context, each func(q Queue, here lead.Survey, sources int) bool) error {
	all, _, err := s.o.Objects.List(ctx, name.Ref{Kind: name.Queue}, "", 1<<30)
	if err != nil {
		return objectError(err)
	}
	var queues []Queue
	sources := map[Ref]int{}
	for i := range all {
		q, err := queueOf(&all[i])
		if err != nil || !q.there() {
			continue // else of a later release
		}
		queues = append(queues, q)
		if q.DeadLetter != nil {
			sources[RefOf(q.DeadLetter.Queue.Full())]++
		}
	}
	for _, q := range queues {
		total, near := lead.Survey{OldestMs: -1}, false
		t := s.o.Image().TopicByName(q.Topic)
		for i := 0; t != nil && i < len(t.Partitions); i++ {
			p := (&opened{Queue: q, topic: t}).part(i)
			if !s.o.Leases.Near(p) {
				continue
			}
			v, err := s.o.Leases.Survey(ctx, p)
			if err != nil {
				return fmt.Errorf("count the messages of %s: %w: %w", q.Full(), ErrUnavailable, err)
			}
			near = true
			total.Waiting, total.InFlight, total.Delayed, total.Dying = total.Waiting+v.Waiting, total.InFlight+v.InFlight, total.Delayed+v.Delayed, total.Dying+v.Dying
			if v.OldestMs >= 0 {
				total.OldestMs = max(total.OldestMs, s.nowMs()-v.OldestMs)
			}
		}
		if near && !each(q, total, sources[q.Ref]) {
			return nil
		}
	}
	return nil
}

// survey counts one partition, once it has a leader.
func (s *Service) survey(ctx context.Context, p queues.Part) (lead.Survey, error) {
	return patient(ctx, func() (lead.Survey, error) { return s.o.Leases.Survey(ctx, p) })
}

// Standing is where a queue stands, and what holds its messages.
type Standing struct {
	Stats
	// MostTaken is how often a message was taken that is not done, at most.
	MostTaken int32
	Parts     []PartStanding
}

// PartStanding is where a partition of a queue stands.
type PartStanding struct {
	Partition int32
	Leader    int32 // -1 without one
	// Open counts offsets that nobody sees before a transaction ends.
	Open int64
	// Locked messages are in flight, of Most that may be.
	Locked, Most int64
	NowMs        int64 // the time that holds are of
	// Holds are what holds messages, in order, and at most MostHolds; with More
	// there are others.
	Holds []Hold
	More  bool
}

// MostHolds bounds what one PartStanding tells.
const MostHolds = 100

// Hold is what holds neighbouring messages.
type Hold struct {
	First, Last int64
	Condition   Condition // not Free
	Taken       int32
	UntilMs     int64  // 0: it does not end by itself
	Member      string // a share consumer that has them; "" where receipts do
	Behind      int64  // the offset of the message that holds them up; -1 without
	Group       string // the message group of a single message, and of those behind another
}

// Explain tells what holds a queue's messages.
func (s *Service) Explain(ctx context.Context, ref Ref) (Standing, error) {
	q, err := s.open(ctx, ref)
	if err != nil {
		return Standing{}, err
	}
	var out Standing
	if out.Stats, err = s.Stats(ctx, ref); err != nil {
		return out, err
	}
	for i, p := range q.parts() {
		c, err := s.contents(ctx, q, p, 0, 10*mostRuns)
		if err != nil {
			return out, err
		}
		at := PartStanding{
			Partition: p.Index, Leader: q.topic.Partitions[i].Leader, Open: c.High - c.Bound, Locked: c.Locked, Most: c.Most, NowMs: c.NowMs,
			More: len(c.Undone) == 10*mostRuns,
		}
		for k := range c.Undone {
			u := &c.Undone[k]
			out.MostTaken = max(out.MostTaken, int32(u.Count))
			what, until := conditionOf(u)
			switch {
			case what == Free:
			case len(at.Holds) == MostHolds:
				at.More = true
			default:
				at.Holds = append(at.Holds, Hold{u.First, u.Last, what, int32(u.Count), until, u.Member, u.Behind, ""})
			}
		}
		if err := s.nameGroups(ctx, q, p, at.Holds); err != nil {
			return out, err
		}
		out.Parts = append(out.Parts, at)
	}
	return out, nil
}

// nameGroups tells the message groups that holds are of.
func (s *Service) nameGroups(ctx context.Context, q *opened, p queues.Part, holds []Hold) error {
	of := map[int64][]*Hold{}
	first := int64(-1)
	for i := range holds {
		at := holds[i].First
		if holds[i].Behind >= 0 {
			at = holds[i].Behind
		} else if holds[i].Last > at {
			continue
		}
		if first < 0 || at < first {
			first = at
		}
		of[at] = append(of[at], &holds[i])
	}
	if len(of) == 0 {
		return nil
	}
	looked := 0
	return s.walk(ctx, q, p, first, func(r *kgo.Record, _ *share.Undone) (bool, error) {
		for _, h := range of[r.Offset] {
			h.Group = string(r.Key)
		}
		delete(of, r.Offset)
		looked++
		return len(of) > 0 && looked < mostLooked, nil
	})
}
