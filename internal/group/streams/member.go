package streams

import (
	"reflect"
	"slices"
	"time"

	"ottla/internal/group/schema"
)

// state of a member, by its number in the log.
type state int8

// The states of a member (KIP-1071), and what ends each:
//
//	stable      has what the target says, at the target's epoch; ended by a new target
//	unrevoked   was told to give tasks up; ended by a heartbeat without them
//	unreleased  waits for tasks that others have; ended when all are its own
const (
	stable     state = 1
	unrevoked  state = 2
	unreleased state = 3
)

// member is one member. It is never changed: apply puts another in its place.
type member struct {
	id   string
	said schema.StreamsMemberValue
	// epoch is what the member must say in its next heartbeat, previous what it
	// may say because the answer was lost.
	epoch, previous int32
	state           state
	// assigned is what it may have, revoking what it must give up; both are its
	// own until then.
	assigned, revoking roleTasks
}

func newMember(id string) *member {
	return &member{id: id, state: stable, said: schema.StreamsMemberValue{RebalanceMs: -1}}
}

// instance is a static member's name, empty for others.
func (m *member) instance() string {
	if m.said.InstanceID == nil {
		return ""
	}
	return *m.said.InstanceID
}

func (m *member) rebalance() time.Duration {
	return time.Duration(m.said.RebalanceMs) * time.Millisecond
}

// settled tells whether the member has all that a target of an epoch gives it.
func (m *member) settled(target int32) bool { return m.state == stable && m.epoch == target }

// to gives the member in another state; the epoch that it had becomes the
// previous one.
func (m *member) to(s state, epoch int32, assigned, revoking roleTasks) *member {
	n := *m
	n.state, n.assigned, n.revoking = s, assigned, revoking
	n.previous, n.epoch = m.epoch, epoch
	return &n
}

func (m *member) sameNow(o *member) bool {
	return m.epoch == o.epoch && m.previous == o.previous && m.state == o.state &&
		m.assigned.equal(o.assigned) && m.revoking.equal(o.revoking)
}

// current is what the log has of a member's tasks.
func (m *member) current() schema.StreamsCurrentValue {
	return schema.StreamsCurrentValue{
		Epoch: m.epoch, Previous: m.previous, State: int8(m.state),
		Assigned: m.assigned.value(true), Revoking: m.revoking.value(true),
	}
}

// renewed is the member with what a heartbeat says anew.
func (m *member) renewed(c *Heartbeat) *member {
	n := *m
	n.said.ClientID, n.said.ClientHost = c.ClientID, c.ClientHost
	if c.InstanceID != nil {
		n.said.InstanceID = c.InstanceID
	}
	if c.RackID != nil {
		n.said.RackID = c.RackID
	}
	if c.RebalanceMs != -1 {
		n.said.RebalanceMs = c.RebalanceMs
	}
	if c.Topology != nil {
		n.said.TopologyEpoch = c.Topology.Epoch
	}
	if c.ProcessID != nil {
		n.said.ProcessID = *c.ProcessID
	}
	if c.Endpoint != nil {
		n.said.Endpoint = c.Endpoint
	}
	if c.SaidTags {
		n.said.Tags = slices.Clone(c.Tags)
		slices.SortFunc(n.said.Tags, comparePairs)
		if len(n.said.Tags) == 0 {
			n.said.Tags = nil
		}
	}
	return &n
}

func (m *member) sameSaid(o *member) bool { return reflect.DeepEqual(m.said, o.said) }

// tag is the value of a client tag, empty without.
func (m *member) tag(key string) string {
	for _, p := range m.said.Tags {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}
