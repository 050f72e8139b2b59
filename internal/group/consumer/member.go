package consumer

import (
	"reflect"
	"slices"
	"time"

	"ottla/internal/group/schema"
)

// state of a member, by its number in the log.
type state int8

// The states of a member (KIP-848), and what ends each:
//
//	stable      has what the target says, at the target's epoch; ended by a new target
//	unrevoked   was told to give partitions up; ended by a heartbeat without them
//	unreleased  waits for partitions that others have; ended when all are its own
const (
	stable state = iota
	unrevoked
	unreleased
)

// member is one member. It is never changed: Apply puts another in its place.
type member struct {
	id   string
	said schema.ConsumerMemberValue
	// epoch is what the member must say in its next heartbeat, previous what it
	// may say because the answer was lost.
	epoch, previous int32
	state           state
	// assigned is what it may have, revoking what it must give up; both are its
	// own until then.
	assigned, revoking slots
}

// newMember is a member that has said nothing yet. Kafka writes an empty regular
// expression for none.
func newMember(id string) *member {
	return &member{id: id, said: schema.ConsumerMemberValue{Regex: text("")}}
}

// classic tells whether the member speaks the classic protocol.
func (m *member) classic() bool { return m.said.Classic != nil }

// protocol is the way of assigning that a classic member is told of; empty when
// the log has none of it.
func (m *member) protocol() string {
	if !m.classic() || len(m.said.Classic.Protocols) == 0 {
		return ""
	}
	return m.said.Classic.Protocols[0].Name
}

// instance is a static member's name, empty for others.
func (m *member) instance() string {
	if m.said.InstanceID == nil {
		return ""
	}
	return *m.said.InstanceID
}

// regex is the regular expression that the member reads by, empty without.
func (m *member) regex() string {
	if m.said.Regex == nil {
		return ""
	}
	return *m.said.Regex
}

func (m *member) rebalance() time.Duration {
	return time.Duration(m.said.RebalanceMs) * time.Millisecond
}

// session is a classic member's own session timeout.
func (m *member) session(otherwise time.Duration) time.Duration {
	if m.classic() {
		return time.Duration(m.said.Classic.SessionMs) * time.Millisecond
	}
	return otherwise
}

// settled tells whether the member has all that a target of an epoch gives it.
func (m *member) settled(target int32) bool { return m.state == stable && m.epoch == target }

// to gives the member in another state; the epoch that it had becomes the
// previous one.
func (m *member) to(s state, epoch int32, assigned, revoking slots) *member {
	n := *m
	n.state, n.assigned, n.revoking = s, assigned, revoking
	n.previous, n.epoch = m.epoch, epoch
	return &n
}

// sameNow tells whether two versions of a member have the same assignment,
// state and epochs.
func (m *member) sameNow(o *member) bool {
	return m.epoch == o.epoch && m.previous == o.previous && m.state == o.state &&
		slices.Equal(m.assigned, o.assigned) && slices.Equal(m.revoking, o.revoking)
}

// sameSaid tells whether two versions of a member have said the same.
func (m *member) sameSaid(o *member) bool { return reflect.DeepEqual(m.said, o.said) }

// current is what the log has of a member's assignment.
func (m *member) current() schema.CurrentValue {
	return schema.CurrentValue{
		Epoch: m.epoch, Previous: m.previous, State: int8(m.state),
		Assigned: m.assigned.parts(true), Revoking: m.revoking.parts(true),
	}
}

// text points at a copy of a text that lasts.
func text(s string) *string { return &s }
