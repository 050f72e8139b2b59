package bus

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/follow"
	stored "ottla/internal/event/place"
)

// TrialOptions say which events a pattern or a rule is tried on.
type TrialOptions struct {
	Pattern string // of Try
	Last    int    // events, the newest of each partition
	Samples int    // events that fit which are told in full
	// Replay is the name that a replay of the events would have, which targets see;
	// "" for what they get of events as they come. It is of TryRule.
	Replay string
}

// Trial is what a pattern or a rule would have taken.
type Trial struct {
	Read, Matched   int
	FirstMs, LastMs int64 // when the first and the last event that was read was put
	Samples         []TrialSample
	Targets         []TrialTarget // of TryRule
}

// TrialSample is an event that fits.
type TrialSample struct {
	Partition int32
	Offset    int64
	Event     *envelope.Event
	Sendings  []Sending // of TryRule, in the order of the targets
}

// mostTried bounds the events of a trial.
const mostTried = 1_000_000

// trialWait bounds one wait for records of a trial.
const trialWait = time.Second

// Try tells which of the last events of a bus a pattern fits. Nothing is delivered.
func (s *Service) Try(ctx context.Context, ref Ref, o TrialOptions) (Trial, error) {
	var out Trial
	p, err := ParsePattern(o.Pattern)
	if err != nil {
		return out, err
	}
	if err := o.check(); err != nil {
		return out, err
	}
	b, err := s.used(ctx, ref)
	if err != nil {
		return out, err
	}
	var doc []byte
	return out, s.tryOn(ctx, b, &o, &out, func(rec *kgo.Record) {
		e := stored.Event(rec)
		doc = e.AppendDocument(doc[:0])
		if fits, err := p.Matches(doc); err != nil || !fits { // what is beyond the limits fits nothing
			return
		}
		if out.Matched++; len(out.Samples) < o.Samples {
			out.Samples = append(out.Samples, TrialSample{Partition: rec.Partition, Offset: rec.Offset, Event: e})
		}
	})
}

func (o *TrialOptions) check() error {
	if o.Last < 1 || o.Last > mostTried {
		return invalid("last", "%d is outside 1 to %d", o.Last, mostTried)
	}
	return nil
}

// tryOn gives the last records of a bus to each, partition by partition, and counts them.
func (s *Service) tryOn(ctx context.Context, b Bus, o *TrialOptions, out *Trial, each func(*kgo.Record)) error {
	ends, err := s.ends(ctx, b)
	if err != nil {
		return err
	}
	starts, err := s.offsets(ctx, b.Topic, -2)
	if err != nil {
		return unavailable("find the beginning of "+b.Topic, err)
	}
	for i := range ends {
		from := max(starts[i], ends[i]-int64(o.Last))
		err := s.readBetween(ctx, b.Topic, int32(i), from, ends[i], func(rec *kgo.Record) {
			at := rec.Timestamp.UnixMilli()
			if out.Read++; out.FirstMs == 0 || at < out.FirstMs {
				out.FirstMs = at
			}
			out.LastMs = max(out.LastMs, at)
			each(rec)
		})
		if err != nil {
			return unavailable("read "+b.Topic, err)
		}
	}
	return nil
}

// readBetween reads a partition between two offsets.
func (s *Service) readBetween(ctx context.Context, topic string, partition int32, from, end int64, each func(*kgo.Record)) error {
	if from >= end {
		return nil
	}
	log, err := follow.Open(follow.Options{Client: s.o.Client, Topic: topic, Partition: partition, Wait: trialWait, From: from})
	if err != nil {
		return err
	}
	defer log.Close()
	for log.At() < end {
		got, err := log.Next(ctx)
		if err != nil {
			return err
		}
		for _, rec := range got {
			if rec.Offset >= end {
				return nil
			}
			each(rec)
		}
	}
	return nil
}
