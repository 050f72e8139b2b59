package cluster

import (
	"slices"
	"time"

	"ottla/internal/group/consumer"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// Members of the consumer protocol (KIP-848): each tells the coordinator again and again
// how it stands, and is told what it may have. Its generation is the epoch that it was
// told.

// enlist begins a life with an id of the member's own.
func (m *member) enlist() {
	m.id, m.generation = m.c.w.newID().String(), 0
	m.report(true)
}

// report is a heartbeat; full says everything, as at the beginning and after an error.
func (m *member) report(full bool) {
	c := m.c
	m.doing = "report"
	cmd := consumer.Heartbeat{Group: c.name, MemberID: m.id, Epoch: m.generation, ClientID: "crew", ClientHost: "h", RebalanceMs: -1, Version: 1}
	if full {
		cmd.RebalanceMs, cmd.Topics, cmd.SaidTopics = 3000, []string{mainTopic}, true
	}
	if full || m.changed {
		cmd.SaidOwned = true
		if len(m.owns) > 0 {
			cmd.Owned = []schema.TopicPartitions{{Topic: m.topics()[0].ID, Partitions: slices.Clone(m.owns)}}
		}
	}
	m.call(cmd, func(body any, code wire.Code) {
		m.c.w.hit("report: " + code.Name())
		switch code {
		case wire.None:
			m.heard(body.(consumer.Beat))
			m.after(500*time.Millisecond, func() { m.report(false) })
		case wire.UnknownMemberID, wire.FencedMemberEpoch, wire.GroupIDNotFound:
			m.soon(m.begin)
		default:
			m.soon(func() { m.report(true) })
		}
	})
}

// heard takes over what the coordinator gave.
func (m *member) heard(b consumer.Beat) {
	m.changed = false
	owns := m.owns
	if b.Assigned {
		owns = nil
		for _, t := range b.Assignment {
			owns = append(owns, t.Partitions...)
		}
		slices.Sort(owns)
	}
	if b.Epoch == m.generation && slices.Equal(owns, m.owns) && m.stable {
		return
	}
	m.generation, m.changed = b.Epoch, true
	m.own(owns)
}

// retire tells that the member goes; then begins another life, heard or not.
func (m *member) retire() {
	m.call(consumer.Heartbeat{Group: m.c.name, MemberID: m.id, Epoch: -1, RebalanceMs: -1, Version: 1}, func(any, wire.Code) { m.begin() })
}
