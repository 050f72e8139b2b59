package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ottla/internal/kafka/queues"
	"ottla/internal/timer"
)

// sendTimeout bounds how long a message may be on its way.
const sendTimeout = 30 * time.Second

// Send sends messages and answers when they are durable, with an error for each
// that could not be sent.
func (s *Service) Send(ctx context.Context, ref Ref, messages []Message) ([]Sent, error) {
	if len(messages) > MostSent {
		return nil, invalidf("%d messages at once; %d are possible", len(messages), MostSent)
	}
	q, err := s.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	out := make([]Sent, len(messages))
	var late []timer.Timer
	var lateOf []int
	way := sending{s: s, q: q, now: s.o.Now(), out: out}
	for i := range messages {
		m := messages[i]
		delay, err := q.prepare(&m)
		if err != nil {
			out[i].Err = err
			continue
		}
		if delay > 0 {
			t := q.delayed(&m, way.now, delay)
			out[i].ID = t.id
			late, lateOf = append(late, t.Timer), append(lateOf, i)
			continue
		}
		way.add(ctx, i, &m)
	}
	s.setTimers(ctx, late, lateOf, out)
	way.finish(ctx)
	s.nameRepeats(ctx, q, &way.there, out)
	good := 0
	for i := range out {
		if out[i].Err == nil {
			good++
		}
	}
	s.counts.sent.Of(q.Name).Add(good)
	return out, nil
}

// prepare checks a message and fills what the queue says; it tells for how long
// nobody may take it.
func (q *opened) prepare(m *Message) (delayMs int64, err error) {
	switch n := m.size(); {
	case n > int(q.MaxMessageBytes):
		return 0, fmt.Errorf("%w: body and attributes have %d bytes, and the queue takes %d", ErrTooLarge, n, q.MaxMessageBytes)
	case q.FIFO && m.Group == "":
		return 0, invalidf("a message of a FIFO queue needs a message group")
	case q.FIFO && m.DelayMs > 0:
		return 0, invalidf("messages of a FIFO queue have no delay of their own")
	case !q.FIFO && m.DedupID != "":
		return 0, invalidf("deduplication ids are of FIFO queues")
	case m.DelayMs > MaxDelayMs:
		return 0, invalidf("the delay is %d ms; %d are possible", m.DelayMs, MaxDelayMs)
	}
	for name := range m.Attributes {
		if name == "" || strings.HasPrefix(name, queues.HeaderPrefix) || strings.HasPrefix(name, deadPrefix) {
			return 0, invalidf("the attribute %q: names that are empty or begin with %q or %q are taken", name, queues.HeaderPrefix, deadPrefix)
		}
	}
	if q.FIFO && m.DedupID == "" {
		if !q.ContentDedup {
			return 0, invalidf("a message of the queue needs a deduplication id: it has no deduplication by content")
		}
		sum := sha256.Sum256(m.Body)
		m.DedupID = hex.EncodeToString(sum[:])
	}
	if q.FIFO || m.DelayMs < 0 {
		return q.DelayMs, nil
	}
	return m.DelayMs, nil
}

// lateMessage is a message that waits for its time.
type lateMessage struct {
	timer.Timer
	id string
}

// timerKind begins the keys of timers of delayed messages, by queue.
func (q *opened) timerKind() string { return "queue." + q.topic.ID.String() + "/" }

// delayed makes the timer of a message.
func (q *opened) delayed(m *Message, now time.Time, delayMs int64) lateMessage {
	once := m.Once
	if once == "" {
		once = newID()
	}
	id := queues.IDOf([]byte("delayed" + once))
	t := timer.Timer{
		Key: q.timerKind() + id, DueMs: now.UnixMilli() + delayMs, Topic: q.Topic, Partition: -1, RecordKey: m.key(), Value: m.Body,
	}
	for _, h := range m.headers() {
		t.Headers = append(t.Headers, timer.Header{Key: h.Key, Value: h.Value})
	}
	t.Headers = append(t.Headers, timer.Header{Key: queues.HeaderID, Value: []byte(id)},
		timer.Header{Key: queues.HeaderSent, Value: strconv.AppendInt(nil, now.UnixMilli(), 10)})
	return lateMessage{t, id}
}

// setTimers stores delayed messages; of says where the results go.
func (s *Service) setTimers(ctx context.Context, late []timer.Timer, of []int, out []Sent) {
	if len(late) == 0 {
		return
	}
	if s.o.Timers == nil {
		for _, i := range of {
			out[i] = Sent{Err: invalidf("delays need timers, which this node does not have")}
		}
		return
	}
	for k, err := range s.o.Timers.Set(ctx, late) {
		if err != nil {
			out[of[k]] = Sent{Err: fmt.Errorf("%w: the message may have been sent or not: %w", ErrUnavailable, err)}
		}
	}
}
