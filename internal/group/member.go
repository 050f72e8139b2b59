package group

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"ottla/internal/coordinator"
)

// member is one member of a group. It is never changed once its roster is
// installed: a turn changes a copy.
type member struct {
	id                     string
	instanceID             *string
	clientID, clientHost   string
	rebalanceMs, sessionMs int32
	// protocols in the order of its preference; after a restart only the
	// chosen one is known.
	protocols  []Protocol
	assignment []byte

	// join and sync are the parked requests, 0 when there is none. A member
	// with a join has joined the generation that is being made.
	join, sync coordinator.Token
	// isNew until its first rebalance ends: its join is parked, so a lapse of
	// its time does not mean that it is alive.
	isNew bool
	// owesSync from the end of a join until its SyncGroup.
	owesSync bool
}

func (m *member) session() time.Duration { return time.Duration(m.sessionMs) * time.Millisecond }

// waits tells whether the silence of a member is excused: it waits for us.
func (m *member) waits() bool { return !m.isNew && (m.join != 0 || m.sync != 0) }

// metadata is what the member has to say for a protocol, nil when it does not
// know it.
func (m *member) metadata(protocol string) []byte {
	for i := range m.protocols {
		if m.protocols[i].Name == protocol {
			return m.protocols[i].Metadata
		}
	}
	return nil
}

// knows tells whether the member can do a protocol.
func (m *member) knows(protocol string) bool {
	return slices.ContainsFunc(m.protocols, func(p Protocol) bool { return p.Name == protocol })
}

// matches tells whether a join says what the member said before.
func (m *member) matches(protocols []Protocol) bool {
	return slices.EqualFunc(m.protocols, protocols, func(a, b Protocol) bool {
		return a.Name == b.Name && bytes.Equal(a.Metadata, b.Metadata)
	})
}

// roster is a list of members sorted by id. Its zero value is empty.
type roster []*member

// find gives where a member stands or would stand.
func (r roster) find(id string) (int, bool) {
	return slices.BinarySearchFunc(r, id, func(m *member, id string) int { return strings.Compare(m.id, id) })
}

// get gives a member, nil when it is not there.
func (r roster) get(id string) *member {
	if i, ok := r.find(id); ok {
		return r[i]
	}
	return nil
}

// instance gives the static member with an instance id, nil when there is none.
func (r roster) instance(id string) *member {
	for _, m := range r {
		if m.instanceID != nil && *m.instanceID == id {
			return m
		}
	}
	return nil
}

// allJoined tells whether every member has joined the generation being made.
func (r roster) allJoined() bool {
	return !slices.ContainsFunc(r, func(m *member) bool { return m.join == 0 })
}

// joined counts the members that have.
func (r roster) joined() int {
	n := 0
	for _, m := range r {
		if m.join != 0 {
			n++
		}
	}
	return n
}

// owesSync tells whether a member has not asked for its assignment yet.
func (r roster) owesSync() bool {
	return slices.ContainsFunc(r, func(m *member) bool { return m.owesSync })
}

// rebalanceTime is the longest rebalance timeout of the members.
func (r roster) rebalanceTime() time.Duration {
	var longest int32
	for _, m := range r {
		longest = max(longest, m.rebalanceMs)
	}
	return time.Duration(longest) * time.Millisecond
}

// common tells whether all members can do a protocol.
func (r roster) common(protocol string) bool {
	return !slices.ContainsFunc(r, func(m *member) bool { return !m.knows(protocol) })
}

// choose picks the protocol of the next generation: each member votes for the
// first of its protocols that all can do; the most votes win, then the name
// that comes first.
func (r roster) choose() string {
	votes := map[string]int{}
	for _, m := range r {
		for i := range m.protocols {
			if r.common(m.protocols[i].Name) {
				votes[m.protocols[i].Name]++
				break
			}
		}
	}
	best := ""
	for name, n := range votes {
		if best == "" || n > votes[best] || n == votes[best] && name < best {
			best = name
		}
	}
	return best
}
