package sns

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/sns/notice"
	"ottla/internal/kafka/queues"
)

// Publish publishes messages and answers when they are durable, with an error for
// each that could not be.
func (s *Service) Publish(ctx context.Context, topic name.Ref, messages []Message) ([]Published, error) {
	if len(messages) > MostPublished {
		return nil, invalidf("PublishBatchRequestEntries", "%d messages at once; %d are possible", len(messages), MostPublished)
	}
	t, err := s.Get(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make([]Published, len(messages))
	var records []*kgo.Record
	var of []int // their messages
	for i := range messages {
		m, err := t.message(&messages[i])
		if err != nil {
			out[i].Err = err
			continue
		}
		m.ID = newMessageID()
		out[i].ID = m.ID
		rec := t.record(m)
		rec.Timestamp = s.o.Now()
		records, of = append(records, rec), append(of, i)
	}
	for n, err := range s.client.All(ctx, records) {
		switch i := of[n]; {
		case err != nil:
			out[i] = Published{Err: publishError(err)}
		case t.FIFO():
			out[i].Sequence = sequence(records[n].Offset)
		}
	}
	for i := range out {
		if out[i].Err != nil {
			s.refused.Of(t.Ref.Name).Inc()
		} else {
			s.published.Of(t.Ref.Name).Inc()
		}
	}
	return out, nil
}

// newMessageID draws a message's id.
func newMessageID() string {
	var b [32]byte
	rand.Read(b[:]) // it does not fail
	return queues.IDOf(b[:])
}

func publishError(err error) error {
	if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: the message may have been published or not: %w", ErrUnavailable, err)
}

// sequence is a sequence number: twenty digits that grow with the offset.
func sequence(offset int64) string {
	s := strconv.FormatInt(max(offset, 0), 10)
	return "1" + strings.Repeat("0", 19-len(s)) + s
}

// message checks what is published, and makes the topic's message of it, without its
// id.
func (t *Topic) message(in *Message) (*notice.Message, error) {
	m := &notice.Message{Subject: in.Subject, Body: []byte(in.Body), Attributes: in.Attributes, Group: in.Group, DedupID: in.DedupID}
	if len(in.Body) == 0 {
		return nil, invalidf("Message", "it is empty")
	}
	if !utf8.ValidString(in.Body) {
		return nil, invalidf("Message", "it is no UTF-8")
	}
	size := m.Size()
	if in.JSON {
		if err := m.Structured([]byte(in.Body)); err != nil {
			return nil, invalidf("Message Structure", "%v", err)
		}
	}
	if most := t.MostBytes(); size > most {
		return nil, fmt.Errorf("%w: it has %d bytes with its attributes, and the topic takes %d", ErrTooLarge, size, most)
	}
	if err := checkSubject(in.Subject); err != nil {
		return nil, err
	}
	for i := range m.Attributes {
		if err := notice.CheckAttribute(&m.Attributes[i]); err != nil {
			return nil, invalidf("MessageAttributes", "%v", err)
		}
	}
	return m, t.checkOrder(m)
}

// checkOrder checks a message's group and deduplication id, and fills the latter.
func (t *Topic) checkOrder(m *notice.Message) error {
	for parameter, id := range map[string]string{"MessageGroupId": m.Group, "MessageDeduplicationId": m.DedupID} {
		if err := name.CheckGroup(id); id != "" && err != nil {
			return invalidf(parameter, "%v", err)
		}
	}
	switch {
	case !t.FIFO() && m.DedupID != "":
		return invalidf("MessageDeduplicationId", "it is of FIFO topics")
	case !t.FIFO():
		return nil
	case m.Group == "":
		return invalidf("MessageGroupId", "a message of a FIFO topic needs one")
	case m.DedupID == "" && !t.ContentDedup():
		return invalidf("MessageDeduplicationId", "a message of the topic needs one: it has no ContentBasedDeduplication")
	case m.DedupID == "":
		sum := sha256.Sum256(m.Body)
		m.DedupID = hex.EncodeToString(sum[:])
	}
	return nil
}

// checkSubject checks a subject: less than 100 characters, none of which controls.
func checkSubject(subject string) error {
	if utf8.RuneCountInString(subject) >= 100 || !utf8.ValidString(subject) {
		return invalidf("Subject", "it has fewer than 100 characters, of UTF-8")
	}
	for _, r := range subject {
		if r < ' ' || r == 0x7F {
			return invalidf("Subject", "it has line breaks or other control characters")
		}
	}
	return nil
}

// record is the record of a message.
func (t *Topic) record(m *notice.Message) *kgo.Record {
	rec := &kgo.Record{Topic: t.Topic, Partition: -1, Value: m.Body}
	if m.Group != "" {
		rec.Key = []byte(m.Group)
	}
	for _, h := range m.Headers() {
		rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
	}
	return rec
}

// TopicOf is the topic of Kafka's that a topic has; false where there is none that is
// made. It answers from memory.
func (s *Service) TopicOf(ref name.Ref) (string, bool) {
	o, ok := s.o.Objects.Peek(ref)
	if !ok {
		return "", false
	}
	t, err := readTopic(&o)
	return t.Topic, err == nil && !t.making
}

// Record makes the record by which what a rule's target sends is published, for who
// writes it in a transaction of his own. Its partition is below 0: its key says which.
// The message's id follows from the delivery's. An error is final.
func (s *Service) Record(to *plan.Target, e *plan.Event, p plan.Payload) (*kgo.Record, error) {
	in := Message{Body: string(p.Body), Attributes: p.Attributes, Group: string(p.Key), DedupID: p.DedupID}
	return s.RecordOf(to.To.Ref, in, e.DeliveryID(to), e.Source.Ref.Name)
}

// RecordOf is Record of a message; its id follows from delivery. Where the topic is FIFO
// and the message does not say it, group is its group and delivery its deduplication id.
// An error is final but for ErrNotFound, which says that there is no such topic as far
// as this node knows. It answers from memory.
func (s *Service) RecordOf(topic name.Ref, in Message, delivery, group string) (*kgo.Record, error) {
	o, ok := s.o.Objects.Peek(topic)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, topic)
	}
	t, err := readTopic(&o)
	if err != nil {
		return nil, err
	}
	if t.making {
		return nil, fmt.Errorf("%w: %s is being made", ErrNotFound, topic)
	}
	if t.FIFO() {
		if in.Group == "" {
			in.Group = group
		}
		if in.DedupID == "" && !t.ContentDedup() {
			in.DedupID = delivery
		}
	} else {
		in.DedupID = ""
	}
	m, err := t.message(&in)
	if err != nil {
		return nil, err
	}
	m.ID = queues.IDOf([]byte(delivery))
	return t.record(m), nil
}

// MessageID is the id of the message that a rule's target publishes of an event.
func MessageID(to *plan.Target, e *plan.Event) string { return queues.IDOf([]byte(e.DeliveryID(to))) }
