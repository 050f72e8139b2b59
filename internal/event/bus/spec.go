package bus

import (
	"encoding/json"
	"fmt"
	"time"

	"ottla/internal/event/object"
	"ottla/internal/event/plan"
	"ottla/internal/event/transform"
	"ottla/internal/uuid"
)

// Spec is what a bus is told to be. It is stored as JSON, and doors take it so:
// names of fields stay.
type Spec struct {
	// Topic holds the events. "" takes the topic of the bus's name, and makes it
	// when it is not there. A topic that was there before the bus is adopted: it
	// outlives the bus.
	Topic string `json:"topic,omitempty"`
	// Partitions of the topic, when it is made; 0 is 1. One that somebody made for this
	// bus and was cut off may have more. With more than one, order
	// is by the extension partitionkey, else by the source.
	Partitions int32 `json:"partitions,omitempty"`
	Adopted    bool  `json:"adopted,omitempty"` // set by the Service
	// RetentionMs is how long events stay; -1 is for ever, 0 is a week, and of an
	// adopted topic what the topic says. Archives may keep them longer.
	RetentionMs int64  `json:"retention_ms,omitempty"`
	Description string `json:"description,omitempty"`
	// DeadLetters is the queue for events that no target's own takes, by name or
	// ARN; "" for none.
	DeadLetters string            `json:"dead_letters,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Policy      string            `json:"policy,omitempty"` // told back only
	// Extra are attributes of a door that mean nothing here, told back only.
	Extra map[string]string `json:"extra,omitempty"`
}

// Bus is a bus as it is. The default bus has Version 0 until it is used.
type Bus struct {
	Ref
	Spec
	ID                string // another for each that ever had the name
	Version           int64
	Created, Modified time.Time
	making, ending    bool      // it is no bus yet, or none any more
	clearing          bool      // what belongs to it goes: it cannot be one again
	topicID           uuid.UUID // of a topic that was made for it; zero: none was, or it is not noted
}

// RuleSpec is what a rule is told to be, without its targets.
type RuleSpec struct {
	// Pattern is an event pattern (docs/events/patterns.md). "" takes no event:
	// the rule has a Schedule.
	Pattern string `json:"pattern,omitempty"`
	// Schedule is rate(…) or cron(…) in UTC: the rule's targets get an event at
	// each of its runs.
	Schedule    string `json:"schedule,omitempty"`
	Description string `json:"description,omitempty"`
	// Disabled rules let events pass by.
	Disabled bool `json:"disabled,omitempty"`
	// Paused rules keep their place: they go on with what came meanwhile.
	Paused bool              `json:"paused,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	// Extra are attributes of a door that mean nothing here, told back only.
	Extra map[string]string `json:"extra,omitempty"`
	// ManagedBy names the archive that the rule is of. The Service sets it.
	ManagedBy string `json:"managed_by,omitempty"`
}

// Rule is a rule as it is. Targets are sorted by ID.
type Rule struct {
	RuleRef
	RuleSpec
	Targets []Target
	// From are the offsets of the bus's topic, by partition, from which it holds.
	From              []int64
	ID                string
	Version           int64
	Created, Modified time.Time
}

// Target is one target of a rule. What is not said of it is AWS's default.
type Target struct {
	ID string `json:"id"`
	// To is where events go: topic:NAME, queue:NAME, bus:NAME, sns:NAME,
	// destination:NAME, function:NAME, an http(s) URL, or an ARN of one of these.
	To string `json:"to"`
	// Spec makes what is sent; without it, that is the event itself. A bus and a
	// topic get the event with all of its attributes; of a topic what is made is its
	// data.
	transform.Spec
	// Group is the message group in a FIFO queue. Key is a path, as
	// $.detail.customer, whose value is the record's key, the message group where
	// there is no Group, and what calls are ordered by.
	Group string `json:"group,omitempty"`
	Key   string `json:"key,omitempty"`
	// Method, Headers, Query and Path are of a call; Path has the values of * in
	// the URL. Headers are also a record's or a message's attributes. A value that
	// begins with $. is a path.
	Method  string            `json:"method,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Query   map[string]string `json:"query,omitempty"`
	Path    []string          `json:"path,omitempty"`

	Retry Retry `json:"retry"`
	// DeadLetters is the queue for what is given up, by name or ARN.
	DeadLetters string `json:"dead_letters,omitempty"`
	// Rate (calls a second), Concurrency (calls at once), Ordered (one call at a
	// time for each Key), DeadlineMs and Secrets (whsec_…, the newest first) are of
	// calls.
	Rate        float64  `json:"rate,omitempty"`
	Concurrency int      `json:"concurrency,omitempty"`
	Ordered     bool     `json:"ordered,omitempty"`
	DeadlineMs  int64    `json:"deadline_ms,omitempty"`
	Secrets     []string `json:"secrets,omitempty"`
	// Batch is of functions.
	Batch *Batch `json:"batch,omitempty"`
	// Disabled is set when the address said that it is gone (410), with the
	// reason; putting the target again sets it free.
	Disabled string `json:"disabled,omitempty"`
	// Extra is what a door keeps with a target and nobody else reads.
	Extra json.RawMessage `json:"extra,omitempty"`
	// From are the offsets from which the target holds. The Service sets it.
	From []int64 `json:"from,omitempty"`
}

// Retry bounds the attempts of one event; AWS's values are the defaults.
type Retry struct {
	// Retries are attempts after the first, 0 to 185; nil is 185.
	Retries *int `json:"retries,omitempty"`
	// MaxAgeMs is since the first attempt; 0 is 86 400 000.
	MaxAgeMs int64 `json:"max_age_ms,omitempty"`
	// WaitsMs are the times between attempts, the last of which is repeated; none
	// is a back-off that grows.
	WaitsMs []int64 `json:"waits_ms,omitempty"`
	// Jitter is the part of a wait that is drawn, 0 to 1.
	Jitter float64 `json:"jitter,omitempty"`
}

// Batch is how many events one call of a function has.
type Batch struct {
	Size           int   `json:"size,omitempty"`
	WindowMs       int64 `json:"window_ms,omitempty"`
	Bisect         bool  `json:"bisect,omitempty"`
	ReportFailures bool  `json:"report_failures,omitempty"`
}

// Bounds and defaults, AWS's where it has them and they are not only its own.
const (
	DefaultRetentionMs = 7 * 24 * 3600_000
	MaxEventBytes      = 1 << 20
	MostRetries        = 185
	LeastAgeMs         = 60_000
	MostAgeMs          = 86_400_000
	mostPattern        = 64 << 10
	mostText           = 512 // of a description
	mostTargets        = 100 // of a rule
	mostExtra          = 64 << 10
	mostTags           = 50
	mostPolicy         = 10_240
	mostURL            = 2048
	mostHeaders        = 100
	mostHeader         = 8 << 10
)

// noteOfBus and noteOfRule are what objects say.
type noteOfBus struct {
	Spec
	stage
}

// stage is how far an object is that has a topic of its own: it is noted before the topic
// is made, and that it ends before the topic goes. So there is never a topic of which
// nobody knows, and who is killed in between has left what others end.
type stage struct {
	Making bool `json:"making,omitempty"` // it is none yet
	Ending bool `json:"ending,omitempty"` // it is none any more
	// Clearing is noted of a bus that is Ending before the first of what belongs to it
	// goes: until then it may be taken back that it ends, and from then on not.
	Clearing bool `json:"clearing,omitempty"`
	// TopicID is that of a topic that was made for it.
	TopicID string `json:"topic_id,omitempty"`
}

// idText is a topic's id as a note has it, "" for none.
func idText(id uuid.UUID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// readID reads it; one that cannot be read is none.
func (s *stage) readID() uuid.UUID {
	id, _ := uuid.Parse(s.TopicID)
	return id
}

type noteOfRule struct {
	RuleSpec
	Targets []Target `json:"targets,omitempty"`
	From    []int64  `json:"from,omitempty"`
}

func busOf(o *object.Object) (Bus, error) {
	b := Bus{Ref: RefOf(o.Ref), ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	var n noteOfBus
	if err := json.Unmarshal(o.Spec, &n); err != nil {
		return b, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	b.Spec, b.making, b.ending, b.clearing, b.topicID = n.Spec, n.Making, n.Ending, n.Clearing, n.readID()
	return b, nil
}

func ruleOf(o *object.Object) (Rule, error) {
	r := Rule{RuleRef: RuleRefOf(o.Ref), ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	var n noteOfRule
	if err := json.Unmarshal(o.Spec, &n); err != nil {
		return r, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	r.RuleSpec, r.Targets, r.From = n.RuleSpec, n.Targets, n.From
	return r, nil
}

// plan is the Retry as runners take it.
func (r Retry) plan() plan.Retry {
	out := plan.Retry{Most: MostRetries, MaxAgeMs: r.MaxAgeMs, WaitsMs: r.WaitsMs, Jitter: r.Jitter}
	if r.Retries != nil {
		out.Most = *r.Retries
	}
	if out.MaxAgeMs == 0 {
		out.MaxAgeMs = MostAgeMs
	}
	return out
}
