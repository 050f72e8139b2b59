package mapping

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/queue"
)

// Bounds, Lambda's where it has them.
const (
	MostBatch       = 10_000
	MostWindowMs    = 300_000
	MostConcurrency = 1_000
	MostDeadlineMs  = 900_000
	MostRetries     = 10_000
	leastAgeMs      = 60_000
	MostAgeMs       = 7 * 24 * 3600_000

	// What a mapping has of which nothing is said.
	DefaultQueueBatch  = 10
	DefaultTopicBatch  = 100
	DefaultDeadlineMs  = 60_000
	DefaultConcurrency = 5 // of queues
)

// Where reading a topic begins.
const (
	Earliest = "earliest"
	Latest   = "latest"
)

// Spec is what a mapping is told to be. Its JSON is what objects keep and doors take.
type Spec struct {
	// Source is queue:NAME or topic:NAME; it stays.
	Source   string `json:"source"`
	Function string `json:"function"`
	Paused   bool   `json:"paused,omitempty"`
	// Batch is how many messages or records one call has at most; WindowMs how long
	// the first waits for others.
	Batch    int   `json:"batch"`
	WindowMs int64 `json:"window_ms,omitempty"`
	// ReportFailures takes {"batchItemFailures":[…]} as what failed of a batch.
	ReportFailures bool   `json:"report_failures,omitempty"`
	DeadlineMs     int64  `json:"deadline_ms"` // of a call
	Description    string `json:"description,omitempty"`
	// Filters are patterns, as rules of buses have, one of which a message or record must
	// fit: the others are deleted, or passed over. None: all fit.
	Filters []string `json:"filters,omitempty"`

	// Concurrency is how many calls are under way at most, of a queue. A topic has one
	// for each partition.
	Concurrency int `json:"concurrency,omitempty"`

	// What follows is of topics.

	// Group is the consumer group whose offsets tell how far the function is, From where
	// it begins when it has none: earliest, latest, or a time of RFC 3339. Both stay.
	Group string `json:"group,omitempty"`
	From  string `json:"from,omitempty"`
	// Bisect halves a batch that failed, to find what is to blame.
	Bisect bool `json:"bisect,omitempty"`
	// Retries are attempts behind the first; nil is no bound. MaxAgeMs is how old a record
	// becomes; 0 is no bound.
	Retries  *int  `json:"retries,omitempty"`
	MaxAgeMs int64 `json:"max_age_ms,omitempty"`
	// DeadLetters is the queue of what was given up, queue:NAME; "" for none.
	DeadLetters string `json:"dead_letters,omitempty"`
}

// Mapping is a mapping as it is.
type Mapping struct {
	Ref name.Ref
	Spec
	ID                string // another for each mapping that ever had the name
	Version           int64
	Created, Modified time.Time
}

func mappingOf(o *object.Object) (Mapping, error) {
	m := Mapping{Ref: o.Ref, ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	if err := json.Unmarshal(o.Spec, &m.Spec); err != nil {
		return m, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	return m, nil
}

// Queue is the queue that the mapping takes from; false where it is a topic.
func (m *Mapping) Queue() (queue.Ref, bool) {
	called, ok := strings.CutPrefix(m.Source, "queue:")
	return queue.Ref{Account: m.Ref.Account, Region: m.Ref.Region, Name: called}, ok
}

// Topic is the topic that the mapping reads; false where it takes from a queue.
func (m *Mapping) Topic() (string, bool) { return strings.CutPrefix(m.Source, "topic:") }

// letters is the queue of what was given up.
func (m *Mapping) letters() (queue.Ref, bool) {
	called, ok := strings.CutPrefix(m.DeadLetters, "queue:")
	return queue.Ref{Account: m.Ref.Account, Region: m.Ref.Region, Name: called}, ok
}

// fill puts in what nothing was said of.
func (s *Spec) fill(ref name.Ref) {
	topic := strings.HasPrefix(s.Source, "topic:")
	if s.Batch == 0 {
		if s.Batch = DefaultQueueBatch; topic {
			s.Batch = DefaultTopicBatch
		}
	}
	if s.DeadlineMs == 0 {
		s.DeadlineMs = DefaultDeadlineMs
	}
	switch {
	case !topic:
		if s.Concurrency == 0 {
			s.Concurrency = DefaultConcurrency
		}
	default:
		if s.Group == "" {
			s.Group = ownGroup(ref)
		}
		if s.From == "" {
			s.From = Latest
		}
	}
}

// check tells what is wrong with a spec that was filled.
func (s *Spec) check() error {
	kind, called, _ := strings.Cut(s.Source, ":")
	var of name.Kind
	switch kind {
	case "queue":
		of = name.Queue
	case "topic":
		of = name.Topic
	default:
		return invalid("source", "%q is neither queue:NAME nor topic:NAME", s.Source)
	}
	if err := name.Check(of, called); err != nil {
		return invalid("source", "%v", err)
	}
	if err := name.Check(name.Function, s.Function); err != nil {
		return invalid("function", "%v", err)
	}
	for _, b := range []struct {
		field           string
		n, least, most  int64
		onlyOf, otherIs string
	}{
		{"batch", int64(s.Batch), 1, MostBatch, "", ""},
		{"window_ms", s.WindowMs, 0, MostWindowMs, "", ""},
		{"deadline_ms", s.DeadlineMs, 1, MostDeadlineMs, "", ""},
		{"concurrency", int64(s.Concurrency), 1, MostConcurrency, "queue", "a topic has one call for each partition"},
		{"max_age_ms", s.MaxAgeMs, 0, MostAgeMs, "topic", "messages of a queue are kept as long as it says"},
	} {
		switch {
		case b.onlyOf != "" && b.onlyOf != kind:
			if b.n != 0 {
				return invalid(b.field, "%s", b.otherIs)
			}
		case b.n < b.least || b.n > b.most:
			return invalid(b.field, "it is %d; %d to %d are possible", b.n, b.least, b.most)
		}
	}
	if len(s.Description) > 512 {
		return invalid("description", "it has %d bytes; 512 are possible", len(s.Description))
	}
	if _, err := s.filters(); err != nil {
		return err
	}
	if kind == "queue" {
		return s.checkQueue()
	}
	return s.checkTopic(called)
}

func (s *Spec) checkQueue() error {
	switch {
	case s.Retries != nil:
		return invalid("retries", "messages of a queue come back as often as its dead-letter settings say")
	case s.Bisect:
		return invalid("bisect", "messages of a queue come back one by one")
	case s.Group != "" || s.From != "":
		return invalid("from", "a queue is taken from as it is")
	case s.DeadLetters != "":
		return invalid("dead_letters", "those of a queue are what it says itself: ottla queue update --dead-letters")
	}
	return nil
}

func (s *Spec) checkTopic(called string) error {
	if strings.HasPrefix(called, "__") {
		return invalid("source", "the topic %s is internal", called)
	}
	if n := s.Retries; n != nil && (*n < 0 || *n > MostRetries) {
		return invalid("retries", "it is %d; 0 to %d are possible, and without it there is no bound", *n, MostRetries)
	}
	if s.MaxAgeMs != 0 && s.MaxAgeMs < leastAgeMs {
		return invalid("max_age_ms", "it is %d; 0 or %d to %d are possible", s.MaxAgeMs, leastAgeMs, MostAgeMs)
	}
	if len(s.Group) > 249 || strings.ContainsAny(s.Group, "\x00\n") {
		return invalid("group", "it has %d bytes; 249 are possible", len(s.Group))
	}
	if s.From != Earliest && s.From != Latest {
		// What is before 1970 has another meaning in Kafka.
		if at, err := time.Parse(time.RFC3339Nano, s.From); err != nil || at.UnixMilli() < 0 {
			return invalid("from", "%q is neither earliest, nor latest, nor a time since 1970 as 2026-11-26T12:00:00Z", s.From)
		}
	}
	if s.DeadLetters == "" {
		return nil
	}
	dead, ok := strings.CutPrefix(s.DeadLetters, "queue:")
	if !ok {
		return invalid("dead_letters", "%q is not queue:NAME", s.DeadLetters)
	}
	if err := name.Check(name.Queue, dead); err != nil {
		return invalid("dead_letters", "%v", err)
	}
	return nil
}

// Check tells what is wrong with a Spec by itself: whether what it names is there is not
// asked.
func Check(ref name.Ref, s Spec) error {
	s.fill(ref)
	return s.check()
}
