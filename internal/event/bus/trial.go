package bus

import (
	"context"
	"time"

	"ottla/internal/event/envelope"
	"ottla/internal/event/follow"
	"ottla/internal/event/pattern"
)

// TrialOptions say which events a pattern is tried on.
type TrialOptions struct {
	Pattern string
	Last    int // events, the newest of each partition
	Samples int // events that fit which are told in full
}

// Trial is what a pattern would have taken.
type Trial struct {
	Read, Matched   int
	FirstMs, LastMs int64 // when the first and the last event that was read was put
	Samples         []TrialSample
}

// TrialSample is an event that fits.
type TrialSample struct {
	Partition int32
	Offset    int64
	Event     *envelope.Event
}

// mostTried bounds the events of a trial.
const mostTried = 1_000_000

// trialWait bounds one wait for records of a trial.
const trialWait = time.Second

// Try tells which of the last events of a bus a pattern fits. Nothing is delivered.
func (s *Service) Try(ctx context.Context, ref Ref, o TrialOptions) (Trial, error) {
	var out Trial
	if o.Last < 1 || o.Last > mostTried {
		return out, invalid("last", "%d is outside 1 to %d", o.Last, mostTried)
	}
	p, err := ParsePattern(o.Pattern)
	if err != nil {
		return out, err
	}
	b, err := s.used(ctx, ref)
	if err != nil {
		return out, err
	}
	ends, err := s.ends(ctx, b)
	if err != nil {
		return out, err
	}
	starts, err := s.offsets(ctx, b.Topic, -2)
	if err != nil {
		return out, unavailable("find the beginning of "+b.Topic, err)
	}
	for i := range ends {
		from := max(starts[i], ends[i]-int64(o.Last))
		if err := s.tryPartition(ctx, b.Topic, int32(i), from, ends[i], p, &o, &out); err != nil {
			return out, unavailable("read "+b.Topic, err)
		}
	}
	return out, nil
}

// tryPartition reads a partition between two offsets.
func (s *Service) tryPartition(ctx context.Context, topic string, partition int32, from, end int64, p *pattern.Pattern, o *TrialOptions, out *Trial) error {
	if from >= end {
		return nil
	}
	log, err := follow.Open(follow.Options{Client: s.o.Client, Topic: topic, Partition: partition, Wait: trialWait, From: from})
	if err != nil {
		return err
	}
	defer log.Close()
	var doc []byte
	for log.At() < end {
		got, err := log.Next(ctx)
		if err != nil {
			return err
		}
		for _, r := range got {
			if r.Offset >= end {
				return nil
			}
			headers := make([]envelope.Header, len(r.Headers))
			for i, h := range r.Headers {
				headers[i] = envelope.Header{Name: h.Key, Value: h.Value}
			}
			at := r.Timestamp.UnixMilli()
			e := envelope.Read(topic, partition, r.Offset, at, r.Key, r.Value, headers)
			doc = e.AppendDocument(doc[:0])
			fits, err := p.Matches(doc)
			if out.Read++; out.FirstMs == 0 || at < out.FirstMs {
				out.FirstMs = at
			}
			out.LastMs = max(out.LastMs, at)
			if err != nil || !fits { // what is beyond the limits fits nothing
				continue
			}
			if out.Matched++; len(out.Samples) < o.Samples {
				out.Samples = append(out.Samples, TrialSample{partition, r.Offset, e})
			}
		}
	}
	return nil
}
