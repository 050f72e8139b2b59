package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/schedule"
	"ottla/internal/uuid"
)

// Entry is an event for a bus. What the event lacks of an id and a time it gets.
type Entry struct {
	Bus   Ref
	Event *envelope.Event
}

// Result is what became of an Entry.
type Result struct {
	ID        string
	Topic     string
	Partition int32
	Offset    int64
	Err       error
}

// Put puts events into buses. A Result without an error is durable on all replicas
// that are in sync.
func (s *Service) Put(ctx context.Context, entries []Entry) []Result {
	out := make([]Result, len(entries))
	var records []*kgo.Record
	var of []int // their entries
	buses := map[Ref]opened{}
	for i, e := range entries {
		r, err := s.record(ctx, buses, e)
		if err != nil {
			out[i].Err = err
			continue
		}
		out[i].ID, out[i].Topic = e.Event.ID, r.Topic
		records, of = append(records, r), append(of, i)
	}
	for n, err := range s.client.All(ctx, records) {
		r, i := records[n], of[n]
		out[i].Partition, out[i].Offset, out[i].Err = r.Partition, r.Offset, putError(r.Topic, err)
	}
	return out
}

// Record makes the record by which an event is put into a bus, for who writes it in a
// transaction of his own. Its partition is below 0: its key says which. The default bus is
// made where it is not there. An error that is final is schedule.ErrRefused, too.
func (s *Service) Record(ctx context.Context, ref name.Ref, e *envelope.Event) (*kgo.Record, error) {
	r, err := s.record(ctx, map[Ref]opened{}, Entry{Bus: RefOf(ref), Event: e})
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrInvalid):
		return nil, fmt.Errorf("%w: %w", schedule.ErrRefused, err)
	case err != nil:
		return nil, err
	}
	r.Partition = -1
	return r, nil
}

// opened is a bus that was looked for.
type opened struct {
	Bus
	err error
}

// record makes the record of an event; buses are those that were looked for.
func (s *Service) record(ctx context.Context, buses map[Ref]opened, e Entry) (*kgo.Record, error) {
	ref := e.Bus.Filled()
	b, known := buses[ref]
	if !known {
		b.Bus, b.err = s.used(ctx, ref)
		buses[ref] = b
	}
	if b.err != nil {
		return nil, b.err
	}
	now := s.o.Now()
	ev := e.Event
	if ev.ID == "" {
		id, err := uuid.New(rand.Reader)
		if err != nil {
			return nil, unavailable("draw an id", err)
		}
		ev.ID = id.Standard()
	}
	if ev.Time == "" && !ev.Foreign {
		ev.TimeMs = now.UnixMilli()
		ev.Time = string(envelope.AppendTime(nil, ev.TimeMs))
	}
	if !ev.Foreign && (ev.Source == "" || ev.Type == "") {
		return nil, invalid("event", "it has no source or no type")
	}
	key, value, headers := ev.Record()
	switch k := ev.Extension(envelope.PartitionKey); {
	case k != "":
		key = []byte(k)
	case key == nil && b.Partitions > 1:
		key = []byte(ev.Source)
	}
	r := &kgo.Record{Topic: b.Topic, Key: key, Value: value, Timestamp: now}
	size := len(key) + len(value)
	for _, h := range headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
		size += len(h.Name) + len(h.Value)
	}
	if len(value) > MaxEventBytes || size > MaxEventBytes+overhead/2 {
		return nil, fmt.Errorf("%w: it has %d bytes, %d of them data; %d are possible", ErrTooLarge, size, len(value), MaxEventBytes)
	}
	return r, nil
}

// putError says what an error of the log means.
func putError(topic string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kerr.MessageTooLarge):
		return fmt.Errorf("%w: the topic %s takes less (max.message.bytes)", ErrTooLarge, topic)
	case errors.Is(err, kerr.InvalidRecord):
		return because("event", fmt.Errorf("the topic %s does not take it: %w", topic, err))
	}
	return unavailable("write to "+topic, err)
}
