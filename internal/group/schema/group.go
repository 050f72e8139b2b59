package schema

import "fmt"

// GroupValue is a group's metadata.
type GroupValue struct {
	// ProtocolType is "consumer" for consumers, empty while none was said.
	ProtocolType string
	Generation   int32
	// Protocol and Leader are nil when the group has no members.
	Protocol, Leader *string
	// StateMs is since when the group is in its state, in milliseconds since
	// 1970, -1 when unknown (v2).
	StateMs int64
	Members []Member
}

// Member is a member of a group.
type Member struct {
	ID string
	// InstanceID is a static member's (v3, KIP-345).
	InstanceID           *string
	ClientID, ClientHost string
	// RebalanceMs and SessionMs are its timeouts; v0 has no rebalance timeout,
	// and the session timeout stands for it.
	RebalanceMs, SessionMs int32
	// Subscription is what it said for the chosen protocol, Assignment what
	// the leader gave it.
	Subscription, Assignment []byte
}

// leastMember is how many bytes a member takes at least, in any version.
const leastMember = 9

// ParseGroupValue reads versions 0 to 4.
func ParseGroupValue(b []byte) (GroupValue, error) {
	r := read(b)
	version := r.Int16()
	if r.Err == nil && (version < 0 || version > 4) {
		return GroupValue{}, fmt.Errorf("group metadata of version %d, 0 to 4 are known", version)
	}
	flexible := version >= 4
	v := GroupValue{StateMs: -1}
	v.ProtocolType = r.Text(flexible)
	v.Generation = r.Int32()
	v.Protocol = r.MaybeText(flexible)
	v.Leader = r.MaybeText(flexible)
	if version >= 2 {
		v.StateMs = r.Int64()
	}
	if n := r.Count(flexible, leastMember); n > 0 {
		v.Members = make([]Member, 0, n)
		for range n {
			v.Members = append(v.Members, r.member(version))
		}
	}
	if flexible {
		r.Tags(nil)
	}
	if r.Err != nil {
		return GroupValue{}, fmt.Errorf("group metadata of version %d in %d bytes: %w", version, len(b), r.Err)
	}
	return v, nil
}

func (r *reader) member(version int16) Member {
	flexible := version >= 4
	m := Member{ID: r.Text(flexible)}
	if version >= 3 {
		m.InstanceID = r.MaybeText(flexible)
	}
	m.ClientID, m.ClientHost = r.Text(flexible), r.Text(flexible)
	m.RebalanceMs = -1
	if version >= 1 {
		m.RebalanceMs = r.Int32()
	}
	m.SessionMs = r.Int32()
	if m.RebalanceMs == -1 {
		m.RebalanceMs = m.SessionMs
	}
	m.Subscription, m.Assignment = r.Bytes(flexible), r.Bytes(flexible)
	if flexible {
		r.Tags(nil)
	}
	return m
}

// AppendGroupValue writes version 3, as Kafka 4.4 does.
func AppendGroupValue(b []byte, v GroupValue) []byte {
	b = appendInt16(b, 3)
	b = appendText(b, v.ProtocolType)
	b = appendInt32(b, v.Generation)
	b = appendMaybeText(b, v.Protocol)
	b = appendMaybeText(b, v.Leader)
	b = appendInt64(b, v.StateMs)
	b = appendInt32(b, int32(len(v.Members)))
	for i := range v.Members {
		m := &v.Members[i]
		b = appendText(b, m.ID)
		b = appendMaybeText(b, m.InstanceID)
		b = appendText(b, m.ClientID)
		b = appendText(b, m.ClientHost)
		b = appendInt32(b, m.RebalanceMs)
		b = appendInt32(b, m.SessionMs)
		b = appendBytes(b, m.Subscription)
		b = appendBytes(b, m.Assignment)
	}
	return b
}
