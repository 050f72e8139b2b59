package lookback

import "encoding/json"

// Where a target is with an event.
const (
	Sent      = "sent"      // it has it
	Delivered = "delivered" // its address took it
	Failing   = "failing"   // it was tried, and is tried again
	Queued    = "queued"    // it is to be called, and no call is noted
	Waiting   = "waiting"   // its turn has not come
	Paused    = "paused"    // its rule is
	Disabled  = "disabled"  // its rule is, or its address said that it is gone
	Dead      = "dead"      // it was given up, and lies with the dead letters
	GivenUp   = "given up"  // it was given up, and is in no queue for dead letters
	Late      = "late"      // the target, or its rule, came after the event
	Unknown   = "unknown"   // nobody has run the bus yet
)

// Trace is where an event went. Fields are JSON's, which doors give as they are.
type Trace struct {
	ID    string  `json:"id"`
	Found []Found `json:"found"` // by the buses it was forwarded over, then by time
	// Caused are events that name it as their cause, or events that those caused,
	// behind their causes.
	Caused []Caused `json:"caused"`
	// Former are calls of targets that are no more.
	Former []Attempt `json:"former,omitempty"`
	// Read is how many events were looked at; Cut that there was more than is told.
	Read int  `json:"read"`
	Cut  bool `json:"cut,omitempty"`
	// Unread is what could not be read, with the reason: the rest is told.
	Unread []string `json:"unread,omitempty"`
}

// Found is the event in one place: on a bus, or what a rule published of it by SNS.
type Found struct {
	Bus string `json:"bus,omitempty"`
	// SNS is the SNS topic, and Message the message's id there. Rules are then the
	// subscriptions that take it, by their ids, each with one target.
	SNS       string `json:"sns,omitempty"`
	Message   string `json:"message_id,omitempty"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	PutMs     int64  `json:"put_ms"`
	// Hops is over how many buses it came; From the bus it came from, where that is
	// among those found, with SNS the one whose rule published it.
	Hops        int             `json:"hops,omitempty"`
	From        string          `json:"from,omitempty"`
	Causation   string          `json:"causation_id,omitempty"`
	Correlation string          `json:"correlation_id,omitempty"`
	Event       json.RawMessage `json:"event,omitempty"` // in CloudEvents' JSON format; of buses
	Rules       []Rule          `json:"rules"`
	Others      []Other         `json:"others,omitempty"` // rules that do not take it
}

// Rule is a rule that takes the event, as it is now.
type Rule struct {
	Name       string `json:"name"`
	ModifiedMs int64  `json:"modified_ms"`
	// Changed tells that the rule, or a target of it, was changed after the event
	// came: what it did then may have been otherwise.
	Changed bool     `json:"changed,omitempty"`
	Targets []Target `json:"targets"`
}

// Other is a rule that does not take the event.
type Other struct {
	Name    string `json:"name"`
	Changed bool   `json:"changed,omitempty"`
	Why     string `json:"why"`
}

// Target is where a target is with the event.
type Target struct {
	ID       string    `json:"id"`
	To       string    `json:"to"`
	State    string    `json:"state"`
	Why      string    `json:"why,omitempty"`
	Attempts []Attempt `json:"attempts,omitempty"`
	Letters  []Letter  `json:"letters,omitempty"`
}

// Attempt is a call that was made.
type Attempt struct {
	AtMs     int64  `json:"at_ms"`
	TookMs   int64  `json:"took_ms"`
	Target   string `json:"target,omitempty"` // of a target that is no more
	Number   int    `json:"attempt"`
	Delivery string `json:"delivery"`
	Replay   bool   `json:"replay,omitempty"` // it is of a replay
	OK       bool   `json:"ok"`
	Status   int    `json:"status,omitempty"`
	Code     string `json:"code,omitempty"`
	Why      string `json:"why,omitempty"`
}

// Letter is a dead letter of the event.
type Letter struct {
	Queue  string `json:"queue"`
	Letter string `json:"letter"` // TOPIC-PARTITION@OFFSET
	AtMs   int64  `json:"at_ms"`
	Code   string `json:"code,omitempty"`
	Why    string `json:"why,omitempty"`
}

// Caused is an event that another one caused.
type Caused struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Source    string `json:"source"`
	Bus       string `json:"bus"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	PutMs     int64  `json:"put_ms"`
	// By is the extension that says so; Cause the id it has. Depth is 1 of what the
	// event itself caused.
	By    string `json:"by"`
	Cause string `json:"cause"`
	Depth int    `json:"depth"`
}
