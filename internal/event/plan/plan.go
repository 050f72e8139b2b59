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
	// Match gives the indexes in Rules of those whose patterns an event fits, in
	// ascending order, appended to into. doc is the event as patterns see it
	// (envelope.Event.AppendDocument). Many goroutines may call it at once.
	Match func(into []int, doc []byte) ([]int, error)
}

// Rule is a rule of a bus, or a subscription of an SNS topic.
type Rule struct {
	Ref name.Ref
	ID  string // of the object
	// Version is the object's.
	Version int64
	Paused  bool
	// From are the offsets, by partition, from which the rule holds; where there is
	// none it has not been decided (the runner decides, and tells it by
	// Holds), and events before it are not the rule's.
	From    []int64
	Targets []*Target
}

// Target is one target of a rule.
type Target struct {
	// Key is RULE-KEY#RULE-ID/TARGET-ID: cursors, deliveries and counters go by it.
	Key string
	ID  string // the target's within the rule
	To  Place
	// Render makes what is sent of an event. It is pure. An error is final: the
	// event becomes a dead letter of the target.
	Render func(e *Event) (Payload, error)
	// DeadLetters is the target's queue for what is given up; zero for none.
	DeadLetters name.Ref
	// Retry bounds attempts. Places in the log are tried until MaxAgeMs is over.
	Retry Retry
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
	// Doc is the event as patterns and paths see it: EventBridge's envelope.
	Doc       []byte
	Source    *Source
	Rule      *Rule
	Topic     string
	Partition int32
	Offset    int64
	// Replay is the name of the replay that reads the event again; "" live.
	Replay string
}

// DeliveryID names what one target gets of the event: the same at every attempt and
// after any crash.
func (e *Event) DeliveryID(t *Target) string { return deliveryID(e, t) }

// Header is a header of a record or a call, or an attribute of a message.
type Header struct{ Name, Value string }

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
	// Method, Path (values of * in the endpoint's URL) and Query are of calls.
	Method string
	Path   []string
	Query  []Header
	// Event is what a bus gets; Body is nil then.
	Event *envelope.Event
}
