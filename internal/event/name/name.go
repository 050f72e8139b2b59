package name

import (
	"fmt"
	"strings"
)

// Where an object is when nobody says it.
const (
	DefaultAccount = "123456789012"
	DefaultRegion  = "us-east-1"
)

// DefaultBus is the bus that is always there.
const DefaultBus = "default"

// Kind is what an object is.
type Kind string

// The kinds. A schedule's name is GROUP/NAME, a rule's BUS/NAME, a subscription's
// SNS-TOPIC/ID. Topic is a topic of Kafka's, System what the event layer keeps for
// itself.
const (
	Queue         Kind = "queue"
	Schedule      Kind = "schedule"
	ScheduleGroup Kind = "schedule-group"
	Bus           Kind = "bus"
	Rule          Kind = "rule"
	Topic         Kind = "topic"
	Archive       Kind = "archive"
	Replay        Kind = "replay"
	Connection    Kind = "connection"
	Destination   Kind = "api-destination"
	SNS           Kind = "sns"
	Subscription  Kind = "subscription"
	Function      Kind = "function"
	Mapping       Kind = "function-mapping"
	System        Kind = "system"
)

// Ref names one object.
type Ref struct {
	Kind                  Kind
	Account, Region, Name string
}

// Of names an object of the default account and region.
func Of(kind Kind, name string) Ref {
	return Ref{Kind: kind, Account: DefaultAccount, Region: DefaultRegion, Name: name}
}

// Home tells whether the object is of the default account and region.
func (r Ref) Home() bool { return r.Account == DefaultAccount && r.Region == DefaultRegion }

// String is for people: the kind and the name, and where it is if that is not
// the default.
func (r Ref) String() string {
	if r.Home() {
		return string(r.Kind) + " " + r.Name
	}
	return fmt.Sprintf("%s %s (%s, %s)", r.Kind, r.Name, r.Account, r.Region)
}

// Key is the object's key in the store: kind/account/region/name.
func (r Ref) Key() string {
	return string(r.Kind) + "/" + r.Account + "/" + r.Region + "/" + r.Name
}

// Prefix is what the keys of all objects of a kind, account and region begin
// with, those whose name begins with Name; without an account, of all places.
func (r Ref) Prefix() string {
	if r.Account == "" {
		return string(r.Kind) + "/"
	}
	return r.Key()
}

// ParseKey is the inverse of Key.
func ParseKey(key string) (Ref, error) {
	p := strings.SplitN(key, "/", 4)
	if len(p) != 4 || p[0] == "" || p[1] == "" || p[2] == "" || p[3] == "" {
		return Ref{}, fmt.Errorf("%q is no key of an object: want KIND/ACCOUNT/REGION/NAME", key)
	}
	return Ref{Kind(p[0]), p[1], p[2], p[3]}, nil
}

// TopicName is the topic that holds what is in the object: in the default
// account and region that of its name where that can be a topic's, else one with
// the kind and the place before the name.
func (r Ref) TopicName() string {
	if r.Home() && !strings.Contains(r.Name, "/") {
		return r.Name
	}
	return r.LongTopicName()
}

// LongTopicName is the topic of an object whose name another kind of object
// has already.
func (r Ref) LongTopicName() string {
	at := r.Region
	if r.Account != DefaultAccount {
		at = r.Account + "." + r.Region
	}
	return string(r.Kind) + "." + at + "." + strings.ReplaceAll(r.Name, "/", ".")
}
