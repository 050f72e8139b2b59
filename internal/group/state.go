package group

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ottla/internal/group/schema"
)

// State of a classic group.
type State int8

// The states of a group, and from where each is entered:
//
//	Empty                no members; entered when a rebalance ends without any
//	PreparingRebalance   waits for all members to join; from Empty, Stable, CompletingRebalance
//	CompletingRebalance  waits for the leader's assignment; from PreparingRebalance
//	Stable               members have their assignment; from CompletingRebalance
//	Dead                 what is said of a group that is not there
const (
	Empty State = iota
	PreparingRebalance
	CompletingRebalance
	Stable
	Dead
)

var stateNames = [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"}

// String is Kafka's name of the state.
func (s State) String() string { return stateNames[s] }

// from lists the states from which each may be entered.
var from = [...][]State{
	Empty:               {PreparingRebalance},
	PreparingRebalance:  {Empty, Stable, CompletingRebalance},
	CompletingRebalance: {PreparingRebalance},
	Stable:              {CompletingRebalance},
	Dead:                {},
}

// live is a group's members and where its rebalance stands. What of it is
// durable is what a GroupMetadata record holds; the rest is soft and gone after
// a restart, when the group is Empty or Stable again. An installed live is not
// changed: a turn changes a copy and installs that.
type live struct {
	state, before State
	since         time.Time // of the state; zero when not known
	generation    int32     // rises with every rebalance that ends
	protocolType  string    // empty until the first member
	protocol      *string   // nil without members
	leader        string    // a member's id, empty without members
	members       roster
	// pending are ids that were given out and have not come back to join
	// (KIP-394), sorted.
	pending []string
	// lastJoin is when a new member last came while an empty group waited for
	// more.
	lastJoin time.Time
	// subscribed are the topics of all members, sorted; nil when they cannot
	// be told: another protocol type, or metadata that does not parse.
	subscribed []string
}

// to enters a state.
func (d *live) to(s State, now time.Time) {
	if !slices.Contains(from[s], d.state) {
		panic(fmt.Sprintf("group: from %s to %s: there is no such transition", d.state, s))
	}
	d.before, d.state, d.since = d.state, s, now
}

// consumers tells whether the members are Kafka's consumers.
func (d *live) consumers() bool { return d.protocolType == consumerType }

// consumerType is the protocol type of Kafka's consumers; Connect's is another.
const consumerType = "consumer"

// allJoined tells whether nobody is waited for.
func (d *live) allJoined() bool { return len(d.pending) == 0 && d.members.allJoined() }

// supports tells whether a joining member fits to those who are there.
func (d *live) supports(protocolType string, protocols []Protocol) bool {
	if d.state == Empty {
		return protocolType != "" && len(protocols) > 0
	}
	return d.protocolType == protocolType && slices.ContainsFunc(protocols, func(p Protocol) bool { return d.members.common(p.Name) })
}

// isSubscribed tells whether a member reads a topic. Where the topics of
// consumers are not known, all count.
func (d *live) isSubscribed(topic string) bool {
	if d.subscribed == nil {
		return d.consumers()
	}
	_, ok := slices.BinarySearch(d.subscribed, topic)
	return ok
}

// learnTopics reads the members' subscriptions.
func (d *live) learnTopics() {
	d.subscribed = nil
	if !d.consumers() {
		return
	}
	topics := []string{}
	if d.protocol != nil {
		for _, m := range d.members {
			t, err := schema.ParseSubscription(m.metadata(*d.protocol))
			if err != nil {
				return
			}
			topics = append(topics, t...)
		}
	} else if len(d.members) > 0 {
		return
	}
	slices.Sort(topics)
	d.subscribed = slices.Compact(topics)
}

// isPending tells whether an id was given out and has not come back.
func (d *live) isPending(id string) bool {
	_, ok := slices.BinarySearch(d.pending, id)
	return ok
}

func (d *live) addPending(id string) {
	if i, ok := slices.BinarySearch(d.pending, id); !ok {
		d.pending = slices.Insert(slices.Clone(d.pending), i, id)
	}
}

// value is the durable part of the group, as it is stored.
func (d *live) value() schema.GroupValue {
	v := schema.GroupValue{ProtocolType: d.protocolType, Generation: d.generation, Protocol: d.protocol, StateMs: -1}
	if d.leader != "" {
		v.Leader = &d.leader
	}
	if !d.since.IsZero() {
		v.StateMs = d.since.UnixMilli()
	}
	for _, m := range d.members {
		row := schema.Member{
			ID: m.id, InstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost,
			RebalanceMs: m.rebalanceMs, SessionMs: m.sessionMs, Assignment: m.assignment,
		}
		if d.protocol != nil {
			row.Subscription = m.metadata(*d.protocol)
		}
		v.Members = append(v.Members, row)
	}
	return v
}

// loaded is a group as a record tells it.
func loaded(v schema.GroupValue) *live {
	d := &live{before: Dead, generation: v.Generation, protocolType: v.ProtocolType, protocol: v.Protocol}
	if v.StateMs >= 0 {
		d.since = time.UnixMilli(v.StateMs).UTC()
	}
	if len(v.Members) == 0 {
		d.learnTopics()
		return d
	}
	d.state = Stable
	protocol := ""
	if v.Protocol != nil {
		protocol = *v.Protocol
	}
	for _, row := range v.Members {
		d.members = append(d.members, &member{
			id: row.ID, instanceID: row.InstanceID, clientID: row.ClientID, clientHost: row.ClientHost,
			rebalanceMs: row.RebalanceMs, sessionMs: row.SessionMs, assignment: row.Assignment,
			protocols: []Protocol{{protocol, row.Subscription}},
		})
	}
	slices.SortFunc(d.members, func(a, b *member) int { return strings.Compare(a.id, b.id) })
	d.members = slices.CompactFunc(d.members, func(a, b *member) bool { return a.id == b.id })
	d.leader = d.members[0].id
	if v.Leader != nil && d.members.get(*v.Leader) != nil {
		d.leader = *v.Leader
	}
	d.learnTopics()
	return d
}
