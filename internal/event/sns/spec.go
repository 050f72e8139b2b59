package sns

import (
	"maps"
	"strconv"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/sns/notice"
	"ottla/internal/uuid"
)

// TopicSpec is what a topic is told to be. It is stored as JSON: names of fields
// stay.
type TopicSpec struct {
	// Topic holds the messages: one of Kafka's of the same name, which is made. One
	// that was there before is adopted: it outlives this.
	Topic      string `json:"topic,omitempty"`
	Adopted    bool   `json:"adopted,omitempty"`
	Partitions int32  `json:"partitions,omitempty"` // when it is made; 0 is 1
	// Attributes are as SNS names them, those that were said.
	Attributes map[string]string `json:"attributes,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	// DataProtection is stored and told back.
	DataProtection string `json:"data_protection,omitempty"`
}

// Topic is a topic as it is.
type Topic struct {
	name.Ref
	ID                string
	Version           int64
	Created, Modified time.Time
	TopicSpec
	making, ending bool      // it is none yet, or none any more
	topicID        uuid.UUID // of a topic of Kafka's that was made for it; zero: none was, or it is not noted
}

// FIFO tells whether messages have groups and deduplication ids.
func (t *TopicSpec) FIFO() bool { return t.Attributes[FifoTopic] == "true" }

// ContentDedup tells whether a message's deduplication id is made of its body.
func (t *TopicSpec) ContentDedup() bool { return t.Attributes[ContentBasedDeduplication] == "true" }

// SignatureVersion is 1 (SHA-1) or 2 (SHA-256).
func (t *TopicSpec) SignatureVersion() string {
	if v := t.Attributes[SignatureVersion]; v != "" {
		return v
	}
	return "1"
}

// MostBytes bounds a message.
func (t *TopicSpec) MostBytes() int {
	if n, err := strconv.Atoi(t.Attributes[MaximumMessageSize]); err == nil {
		return n
	}
	return DefaultMessageBytes
}

// SubscriptionSpec is what a subscription is. It is stored as JSON: names of fields
// stay.
type SubscriptionSpec struct {
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
	// Attributes are as SNS names them, those that were said.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Base is how this cluster was reached by who subscribed, as in
	// http://localhost:8080: addresses in notifications begin so.
	Base string `json:"base,omitempty"`
	// Token confirms, until UntilMs; then a subscription that is Pending is gone.
	Token   string `json:"token,omitempty"`
	UntilMs int64  `json:"until_ms,omitempty"`
	Pending bool   `json:"pending,omitempty"`
	// Authenticated subscriptions are ended by calls that are signed only.
	Authenticated bool `json:"authenticated,omitempty"`
	// From are the offsets, by partition, from which messages are the
	// subscription's.
	From []int64 `json:"from,omitempty"`
}

// Subscription is a subscription as it is. Its Ref's name is TOPIC/ID.
type Subscription struct {
	name.Ref
	ID                string // of the object
	Version           int64
	Created, Modified time.Time
	SubscriptionSpec
}

// TopicRef is the topic of a subscription.
func (s *Subscription) TopicRef() name.Ref { return topicOf(s.Ref) }

// DeadLetters is the queue for what cannot be delivered; zero for none.
func (s *Subscription) DeadLetters() name.Ref {
	ref, _ := redriveTo(s.Attributes[RedrivePolicy]) // it was checked when it was stored
	return ref
}

// topicOf is the topic of a subscription's name.
func topicOf(r name.Ref) name.Ref {
	owner, _, _ := name.Split(r.Name)
	return name.Ref{Kind: name.SNS, Account: r.Account, Region: r.Region, Name: owner}
}

// Raw tells whether messages come without the JSON around them.
func (s *SubscriptionSpec) Raw() bool { return s.Attributes[RawMessageDelivery] == "true" }

// Scope is what the filter policy looks at.
func (s *SubscriptionSpec) Scope() string {
	if v := s.Attributes[FilterPolicyScope]; v != "" {
		return v
	}
	return notice.ScopeAttributes
}

// called tells whether the endpoint is called over HTTP.
func called(protocol string) bool { return protocol == notice.HTTP || protocol == notice.HTTPS }

// clone copies a Spec so that a change of one is none of the other.
func (s SubscriptionSpec) clone() SubscriptionSpec {
	s.Attributes = maps.Clone(s.Attributes)
	return s
}

func (t TopicSpec) clone() TopicSpec {
	t.Attributes, t.Tags = maps.Clone(t.Attributes), maps.Clone(t.Tags)
	return t
}

// Bounds of messages, in bytes.
const (
	DefaultMessageBytes = 256 << 10
	MinMessageBytes     = 1 << 10
	MaxMessageBytes     = 1 << 20
)

// MostPublished bounds the messages of one Publish.
const MostPublished = 10

// Message is what is published.
type Message struct {
	Body, Subject string
	// JSON says that Body is an object with the bodies of protocols.
	JSON bool
	// Attributes are sorted by name.
	Attributes     []plan.Attribute
	Group, DedupID string
}

// Published is what became of one message of Publish.
type Published struct {
	ID       string
	Sequence string // of FIFO topics
	Err      error
}
