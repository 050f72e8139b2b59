package run

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/place"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
)

// mostHops is how many buses may forward an event.
const mostHops = 16

// Hops is the extension that counts them.
const Hops = "ottlahops"

// Errors of places.
var (
	errNoTopic = errors.New("there is no such topic")
	// errRefused is final.
	errRefused = errors.New("it cannot be delivered")
)

// output makes the record that a target gets of an event; or, of a queue that delays
// its messages, the message.
func (w *walk) output(t *turn, e *plan.Event, g *plan.Target, p plan.Payload) (*kgo.Record, *queue.Message, error) {
	rec, m, err := w.build(e, g, p)
	if err != nil || rec == nil {
		return nil, m, err
	}
	switch at := w.place(t, rec.Topic); {
	case !at.there:
		return nil, nil, fmt.Errorf("topic %s: %w", rec.Topic, errNoTopic)
	case at.Ill != nil:
		return nil, nil, fmt.Errorf("topic %s: %w", rec.Topic, at.Ill)
	}
	if p, most := w.place(t, rec.Topic), sizeOf(rec); p.MaxBytes > 0 && most > int(p.MaxBytes) {
		return nil, nil, fmt.Errorf("topic %s: %w: it has %d bytes, and the topic takes %d", rec.Topic, kerr.MessageTooLarge, most, p.MaxBytes)
	}
	if rec.Timestamp.IsZero() {
		rec.Timestamp = w.r.s.o.Now()
	}
	return rec, nil, nil
}

// batchOverhead is what a batch has beside its records.
const batchOverhead = 70

// sizeOf is how large a batch with the record alone is, about.
func sizeOf(r *kgo.Record) int {
	n := batchOverhead + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += 2 + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}

func (w *walk) build(e *plan.Event, g *plan.Target, p plan.Payload) (*kgo.Record, *queue.Message, error) {
	o := &w.r.s.o
	switch g.To.Kind {
	case plan.Topic:
		if p.Event != nil {
			return stored(p.Event, g.To.Topic, p.Event.Key), nil, nil
		}
		return &kgo.Record{Topic: g.To.Topic, Partition: place.Anywhere, Key: p.Key, Value: p.Body, Headers: headersOf(p)}, nil, nil
	case plan.Queue:
		m := message(e, g, p)
		got, err := o.Queues.Records(w.r.ctx, refOf(g.To.Ref), []queue.Message{m})
		if errors.Is(err, queue.ErrDelays) {
			m.Once = e.DeliveryID(g) + "/" + w.id
			return nil, &m, nil
		}
		if err != nil {
			return nil, nil, err
		}
		return got[0], nil, nil
	case plan.Bus:
		return w.forward(e, g, p)
	case plan.SNS:
		if o.Publish == nil {
			return nil, nil, fmt.Errorf("%s: %w: this node has no SNS topics", g.To.Ref, errRefused)
		}
		topic, ok := o.TopicOf(g.To.Ref)
		if !ok {
			return nil, nil, fmt.Errorf("%s: %w", g.To.Ref, errNoTopic)
		}
		rec, err := o.Publish(g, e, p)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w: %w", g.To.Ref, errRefused, err)
		}
		rec.Topic = topic
		return rec, nil, nil
	case plan.Call:
		if o.Deliver == nil {
			return nil, nil, fmt.Errorf("%w: this node calls no addresses", errRefused)
		}
		rec, err := o.Deliver(g, e, p)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errRefused, err)
		}
		return rec, nil, nil
	}
	return nil, nil, fmt.Errorf("%w: a target of kind %d is unknown", errRefused, g.To.Kind)
}

// forward makes the record of an event for another bus. Its hops are counted, so that
// events that go round end.
func (w *walk) forward(e *plan.Event, g *plan.Target, p plan.Payload) (*kgo.Record, *queue.Message, error) {
	topic, ok := w.r.s.o.TopicOf(g.To.Ref)
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w", g.To.Ref, errNoTopic)
	}
	if p.Event == nil {
		return nil, nil, fmt.Errorf("%s: %w: what is to be forwarded is no event", g.To.Ref, errRefused)
	}
	n, _ := strconv.Atoi(p.Event.Extension(Hops))
	if n = max(n, 0) + 1; n > mostHops {
		return nil, nil, fmt.Errorf("%s: %w: the event was forwarded %d times, from bus to bus; rules send it round", g.To.Ref, errRefused, mostHops)
	}
	out := p.Event.Clone()
	out.Foreign = false
	out.Set(Hops, strconv.Itoa(n))
	key := out.Extension(envelope.PartitionKey)
	if key == "" {
		key = out.Source
	}
	return stored(out, topic, []byte(key)), nil, nil
}

// stored is the record that an event is, with a key.
func stored(e *envelope.Event, topic string, key []byte) *kgo.Record {
	rec := place.Record(topic, e)
	rec.Key = key
	return rec
}

// message is an event for a queue. FIFO queues want a group, and an id by which they
// drop what comes twice.
func message(e *plan.Event, g *plan.Target, p plan.Payload) queue.Message {
	m := queue.Message{Body: p.Body, Group: string(p.Key), DedupID: p.DedupID, DelayMs: -1}
	if queueIsFIFO(g.To.Ref) {
		if m.Group == "" {
			m.Group = e.Source.Ref.Name
		}
		if m.DedupID == "" {
			m.DedupID = e.DeliveryID(g)
		}
	} else {
		m.DedupID = ""
	}
	if len(p.Headers)+len(p.Attributes) > 0 {
		m.Attributes = make(map[string]queue.Attribute, len(p.Headers)+len(p.Attributes))
	}
	for _, h := range p.Headers {
		m.Attributes[h.Name] = queue.Attribute{Type: "String", Value: []byte(h.Value)}
	}
	for _, a := range p.Attributes {
		m.Attributes[a.Name] = queue.Attribute{Type: a.Type, Value: a.Value}
	}
	return m
}

// headersOf are those of a record for a topic.
func headersOf(p plan.Payload) []kgo.RecordHeader {
	var out []kgo.RecordHeader
	if p.ContentType != "" {
		out = append(out, kgo.RecordHeader{Key: "content-type", Value: []byte(p.ContentType)})
	}
	for _, h := range p.Headers {
		out = append(out, kgo.RecordHeader{Key: h.Name, Value: []byte(h.Value)})
	}
	return out
}

// refOf names a queue as queues do.
func refOf(ref name.Ref) queue.Ref {
	return queue.Ref{Account: ref.Account, Region: ref.Region, Name: ref.Name}
}

// sendAll sends messages to queues that delay them. The transaction is committed only
// then: a crash in between sends them again, and who comes first waits no more, as they
// have names (queue.Message.Once). It is there twice only where it waited for less than
// that took, and under one id.
func (w *walk) sendAll(ctx context.Context, t *turn) {
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	for _, s := range t.sends {
		if _, failed := t.failed[s.target.Key]; failed {
			continue
		}
		sent, err := w.r.s.o.Queues.Send(ctx, refOf(s.target.To.Ref), []queue.Message{s.message})
		if err == nil && len(sent) == 1 {
			err = sent[0].Err
		}
		if err != nil {
			t.fail(s.target, s.offset, err)
		}
	}
}

// missing tells of errors that say that something is not there.
func missing(err error) bool {
	return errors.Is(err, errNoTopic) || errors.Is(err, queue.ErrNotFound)
}

// goneWithin is how long it is asked whether a place is gone.
const goneWithin = time.Second

// gone tells whether what a target names is no more, so that its events are given up at
// once, as EventBridge does. What cannot be found out is tried again. Topics of Kafka's
// are never gone: who makes one anew wants what waits for it.
func (s *Service) gone(ctx context.Context, g *plan.Target, err error) bool {
	if s.o.Gone == nil || !missing(err) {
		return false
	}
	ref := g.To.Ref
	switch g.To.Kind {
	case plan.Queue:
		ref = refOf(ref).Full()
	case plan.Bus, plan.SNS:
	default:
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, goneWithin)
	defer cancel()
	gone, failed := s.o.Gone(ctx, ref)
	return failed == nil && gone
}

// final tells of errors that come again whenever it is tried.
func final(err error) bool {
	for _, of := range []error{
		errRefused, kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTopicException, queue.ErrInvalid, queue.ErrTooLarge,
	} {
		if errors.Is(err, of) {
			return true
		}
	}
	return false
}
