package plan

import (
	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
)

// Source is one object whose topic runners read: a bus, or an SNS topic. A runner
// has one partition of it, at the node that leads that.
type Source struct {
	Ref name.Ref
	// ID is the object's: another for each that ever had the name.
	ID string
	// Version counts what was published of the source.
	Version int64
	Topic   string
	// DeadLetters is the queue for events that no target's own takes; zero for
	// none.
	DeadLetters name.Ref
	Rules       []*Rule
	// Replays are those that are neither over nor cancelled, and those that were
	// cancelled a moment ago.
	Replays []*Replay
	// Match gives the indexes in Rules of those whose patterns an event fits, in
	// ascending order, appended to into. doc is the event as patterns see it
	// (envelope.Event.AppendDocument). Many goroutines may call it at once.
	Match func(into []int, doc []byte) ([]int, error)
	// Document appends to into what Match gets of a record, and what Event.Doc is,
	// where that is not EventBridge's envelope; nil makes that. SNS topics have one:
	// their records are messages, not CloudEvents, whatever their headers are called.
	Document func(into []byte, r *Raw) []byte
}

// Raw is a record as it lies in its topic.
type Raw struct {
	Key, Value []byte
	Headers    []envelope.Header
	TimeMs     int64 // the record's timestamp
}

// Rule is a rule of a bus, or a subscription of an SNS topic.
type Rule struct {
	Ref name.Ref
	ID  string // of the object
	// Version is the object's.
	Version int64
	Paused  bool
	// From are the offsets, by partition, from which the rule holds: the ends of
	// the partitions when it was put, enabled or given another pattern. Events
	// before them are not the rule's. A partition that it does not have (the topic
	// grew) holds from 0 on.
	From    []int64
	Targets []*Target
}

// Target is one target of a rule.
type Target struct {
	// Key is RULE-KEY#RULE-ID/TARGET-ID: cursors, deliveries and counters go by it.
	Key string
	ID  string // the target's within the rule
	To  Place
	// From is as the rule's, of the target: a target that was added later begins
	// later. A runner that first hears of a target when its cursor is beyond From
	// owes it the events in between, so that what was put after the call that
	// made the target had been answered reaches it, whoever leads.
	From []int64
	// Render makes what is sent of an event. It is pure. An error is final: the
	// event becomes a dead letter of the target.
	Render func(e *Event) (Payload, error)
	// Letter makes the body and the attributes of a dead letter, beside those that say
	// why; nil is Event.Doc. SNS puts there what the endpoint did not get.
	Letter func(e *Event) Payload
	// DeadLetters is the target's queue for what is given up; zero for none.
	DeadLetters name.Ref
	// Retry bounds attempts. Places in the log are tried until MaxAgeMs is over.
	Retry Retry
}

// Replay reads events of a source again, for some of its rules or for a place of
// its own. Each partition's runner carries out its part.
type Replay struct {
	Ref name.Ref
	ID  string // of the object
	// Version is the object's.
	Version int64
	// Topic is what is read: the source's own, or an archive's, which has as many
	// partitions.
	Topic string
	// From and To are the offsets, by partition, of the first event and behind the
	// last one; events whose record's time is not in FromMs to ToMs (exclusive)
	// are left out. They are what was there when the replay was started.
	From, To     []int64
	FromMs, ToMs int64
	// Wants tells whether a target of one of the source's rules gets the events
	// that its rule takes.
	Wants func(r *Rule, t *Target) bool
	// Only gets every event in place of the source's rules; nil: those get them.
	Only *Rule
	// Rate bounds the events a second of all partitions; 0 is no bound.
	Rate float64
	// Paused replays stay where they are; Cancelled ones are over.
	Paused, Cancelled bool
}

// Retry bounds the attempts of one event at one target.
type Retry struct {
	Most     int   // attempts after the first; -1 is no bound
	MaxAgeMs int64 // since the first attempt; 0 is no bound
	// WaitsMs are the times between attempts; the last is repeated. nil is
	// EventBridge's exponential back-off.
	WaitsMs []int64
	Jitter  float64 // part of a wait that is drawn, 0 to 1
}

// Waits where nothing is said: twice as long each time, so that 185 fit into a day.
const (
	firstWaitMs = 1_000
	mostWaitMs  = 480_000
)

// WaitMs is the time between attempts after so many, 1 at least, of which no part is
// drawn.
func (r Retry) WaitMs(attempts int) int64 {
	switch {
	case len(r.WaitsMs) > 0:
		return r.WaitsMs[min(attempts, len(r.WaitsMs))-1]
	case attempts <= 9: // 2^8 s are less than the most, 2^9 more
		return firstWaitMs << (attempts - 1)
	}
	return mostWaitMs
}

// SpanMs is how long all attempts take, but for what they take themselves.
func (r Retry) SpanMs() (sum int64) {
	for n := range r.Most {
		sum += r.WaitMs(n + 1)
	}
	return sum
}

// Kind is what a Place is.
type Kind uint8

// The kinds of places. SNS is an SNS topic, Call an HTTP address or function.
const (
	Topic Kind = iota + 1
	Queue
	Bus
	SNS
	Call
)

// Place is where a target's events go.
type Place struct {
	Kind Kind
	// Topic is Topic's name; of Bus and SNS it is looked up when it is written to.
	Topic string
	Ref   name.Ref // of Queue, Bus and SNS
}

// Event is an event on its way, with where it lies.
type Event struct {
	*envelope.Event
	// Doc is the event as patterns and paths see it: EventBridge's envelope, or what
	// Source.Document made.
	Doc []byte
	// Raw is the record, where the Source has a Document.
	Raw       *Raw
	Source    *Source
	Rule      *Rule
	Topic     string
	Partition int32
	Offset    int64
	// Replay is the name of the replay that reads the event again; "" live.
	Replay string
	// ReplayID is the id of its object: another for each that ever had the name.
	ReplayID string

	envelope []byte // see Envelope; nil before
}

// Envelope is the event as EventBridge gives it to targets (envelope.Event.EnvelopeOf).
// It is made once: who gets it keeps it as it is.
func (e *Event) Envelope() []byte {
	if e.envelope == nil {
		e.envelope = e.EnvelopeOf(e.Doc)
	}
	return e.envelope
}

// DeliveryID names what one target gets of the event: the same at every attempt and
// after any crash, and another in each replay.
func (e *Event) DeliveryID(t *Target) string { return deliveryID(e, t) }

// Header is a header of a record or a call, or an attribute of a message.
type Header struct{ Name, Value string }

// Attribute is an attribute of a queue's message: Type is String, Number or Binary,
// perhaps with a dot and a label behind it.
type Attribute struct {
	Name, Type string
	Value      []byte
}

// Payload is what is sent of an event.
type Payload struct {
	Body []byte
	// ContentType of the body; "" is application/json.
	ContentType string
	// Key is the record's key, a FIFO queue's message group, and what a call is
	// ordered by; nil for none.
	Key []byte
	// DedupID of a FIFO queue's message.
	DedupID string
	Headers []Header
	// Attributes are of a queue's message; Headers are more of them, of type String.
	Attributes []Attribute
	// Method, Path (values of * in the endpoint's URL) and Query are of calls.
	Method string
	Path   []string
	Query  []Header
	// Event is what a bus or a topic gets, as its Record is; Body is nil then. A
	// record's Key is the Event's.
	Event *envelope.Event
}
