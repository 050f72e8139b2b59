package queue

import (
	"time"

	"ottla/internal/event/name"
	"ottla/internal/uuid"
)

// Ref names a queue. An empty Account or Region is the default one.
type Ref struct {
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Name    string `json:"name"`
}

// Full is the name of the object.
func (r Ref) Full() name.Ref {
	out := name.Ref{Kind: name.Queue, Account: r.Account, Region: r.Region, Name: r.Name}
	if out.Account == "" {
		out.Account = name.DefaultAccount
	}
	if out.Region == "" {
		out.Region = name.DefaultRegion
	}
	return out
}

// Filled is the Ref with the default place where it says none.
func (r Ref) Filled() Ref { return RefOf(r.Full()) }

// ARN is the queue's Amazon Resource Name.
func (r Ref) ARN() string { return r.Full().ARN() }

// RefOf is the inverse of Full.
func RefOf(r name.Ref) Ref { return Ref{r.Account, r.Region, r.Name} }

// Spec is what a queue is told to be. Fill gives what was left out. It is
// stored as JSON: names of fields stay.
type Spec struct {
	// Topic holds the messages. "" takes the topic of the queue's name, and
	// makes it when it is not there. A topic that was there before the queue
	// is adopted: it outlives the queue.
	Topic string `json:"topic,omitempty"`
	// Group is the share group whose members the queue's takers are; "" takes
	// "queue." and the topic's name. Kafka's share consumers may join it.
	Group string `json:"group,omitempty"`
	// Partitions of the topic, when it is made; 0 is 1.
	Partitions int32 `json:"partitions,omitempty"`
	Adopted    bool  `json:"adopted,omitempty"` // set by Create

	FIFO            bool   `json:"fifo,omitempty"`             // order by message group
	ContentDedup    bool   `json:"content_dedup,omitempty"`    // the body's SHA-256 is the deduplication id of a message without
	DedupScope      string `json:"dedup_scope,omitempty"`      // ScopeQueue ("" too) or ScopeGroup
	ThroughputLimit string `json:"throughput_limit,omitempty"` // PerQueue ("" too) or PerGroup; told back only

	VisibilityMs    int64 `json:"visibility_ms"`     // how long a message that was taken stays with its taker
	DelayMs         int64 `json:"delay_ms"`          // before a message can be taken at first
	RetentionMs     int64 `json:"retention_ms"`      // after which a message is gone; 0 of an adopted topic is the topic's
	WaitMs          int64 `json:"wait_ms"`           // how long Take waits that says nothing of it
	MaxMessageBytes int32 `json:"max_message_bytes"` // of a body and its attributes

	DeadLetter   *DeadLetter       `json:"dead_letter,omitempty"`
	RedriveAllow *RedriveAllow     `json:"redrive_allow,omitempty"`
	Backoff      *Backoff          `json:"backoff,omitempty"` // of messages that come back
	Tags         map[string]string `json:"tags,omitempty"`
	Policy       string            `json:"policy,omitempty"` // told back only
	// Extra are attributes of a door that mean nothing here, told back only
	// (KmsMasterKeyId, SqsManagedSseEnabled, …).
	Extra map[string]string `json:"extra,omitempty"`
}

// Values of DedupScope and ThroughputLimit, by SQS's names.
const (
	ScopeQueue = "queue"
	ScopeGroup = "messageGroup"
	PerQueue   = "perQueue"
	PerGroup   = "perMessageGroupId"
)

// DeadLetter is where messages go that were taken too often.
type DeadLetter struct {
	Queue       Ref   `json:"queue"`
	MaxReceives int32 `json:"max_receives"` // 1 to 1000
}

// RedriveAllow says which queues may name this one as their DeadLetter.
type RedriveAllow struct {
	Permission string `json:"permission"` // AllowAll, DenyAll or ByQueue
	Sources    []Ref  `json:"sources,omitempty"`
}

// Values of RedriveAllow.Permission, by SQS's names.
const (
	AllowAll = "allowAll"
	DenyAll  = "denyAll"
	ByQueue  = "byQueue"
)

// Backoff is how long a message that came back without a time of its own waits:
// FirstMs after the first delivery, times Factor for each other, at most MaxMs
// (60 000 is the most).
type Backoff struct {
	FirstMs int64   `json:"first_ms"`
	Factor  float64 `json:"factor,omitempty"`
	MaxMs   int64   `json:"max_ms,omitempty"`
}

// Limits and defaults, SQS's.
const (
	MaxVisibilityMs = 12 * 3600_000
	MaxDelayMs      = 900_000
	MinRetentionMs  = 60_000
	MaxRetentionMs  = 14 * 24 * 3600_000
	MaxWaitMs       = 20_000
	MaxTake         = 10   // SQS's; Take itself allows MostTaken
	MostTaken       = 1000 // messages of one Take
	MostSent        = 1000 // messages of one Send
	MinMessageBytes = 1024
	MaxMessageBytes = 1 << 20

	DefaultVisibilityMs = 30_000
	DefaultRetentionMs  = 4 * 24 * 3600_000
)

// Queue is a queue as it is.
type Queue struct {
	Ref
	Spec
	ID                string // another for each queue that ever had the name
	Version           int64
	Created, Modified time.Time

	making, ending bool      // it is no queue yet, or none any more
	topicID        uuid.UUID // of a topic that was made for it; zero: none was, or it is not noted
	metadata       int64     // which have its topic, see noteOf
}

// Stats are where a queue stands, counted in committed records.
type Stats struct {
	Waiting  int64 // can be taken now
	InFlight int64 // taken, and neither acknowledged nor back
	Delayed  int64 // wait for their time
	OldestMs int64 // how long the oldest of all of these has been there; -1 without any
	Dead     int64 // wait in the queue's dead-letter queue
}
