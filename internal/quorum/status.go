package quorum

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/tracker"

	"ottla/internal/uuid"
)

// Status is what DescribeQuorum and metrics show.
type Status struct {
	Leader        int32 // -1 unknown
	Epoch         int32
	HighWatermark int64
	Voters        []Replica
	Observers     []Replica
}

// Replica is a member as the leader sees it; times are -1 where not known.
type Replica struct {
	ID                          int32
	DirectoryID                 uuid.UUID
	LogEndOffset                int64
	LastFetchMs, LastCaughtUpMs int64
}

// Status tells who leads and how far the log is committed. Log end offsets of
// other members are known to the leader only and -1 elsewhere.
func (n *Node) Status() Status {
	s := *n.status.Load()
	now := n.o.Now().UnixMilli()
	s.Voters = append([]Replica(nil), s.Voters...)
	for i := range s.Voters {
		if s.Voters[i].ID == n.o.NodeID && s.Leader == n.o.NodeID {
			// A leader has itself always caught up (KIP-836).
			s.Voters[i].LastFetchMs, s.Voters[i].LastCaughtUpMs = now, now
		}
	}
	return s
}

// show publishes the status after a turn.
func (n *Node) show() {
	s := n.member.status()
	n.status.Store(&s)
}

func (m *member) status() Status {
	s := Status{Leader: m.leader, Epoch: int32(m.store.hard.term), HighWatermark: m.store.index.endOf(m.applied)}
	ends := map[uint64]int64{m.id: m.store.index.end()}
	m.raw.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if _, kept := m.store.index.term(p.Match); kept && p.Match > 0 && id != m.id {
			ends[id] = m.store.index.endOf(p.Match)
		}
	})
	for _, id := range m.voters.ids() {
		v := m.voters.byID[id]
		r := Replica{ID: v.ID, DirectoryID: v.DirectoryID, LogEndOffset: -1, LastFetchMs: -1, LastCaughtUpMs: -1}
		if end, ok := ends[id]; ok {
			r.LogEndOffset = end
		}
		s.Voters = append(s.Voters, r)
	}
	return s
}

// close writes down how far the log is committed, so that the next start sees
// a lost end. The log itself is closed with its directory, which notes where
// each of its logs ended.
func (m *member) close() error {
	var err error
	if m.failed == nil && !m.neverVoted() {
		m.store.hard.commit = m.applied
		err = saveState(m.o.Dir.FS(), m.files.dir, encodeState(m.id, m.store.hard, m.leader, m.voters))
	}
	if err == nil && m.failed == nil {
		err = m.journal.sync()
	}
	return err
}

// neverVoted: there is nothing yet that quorum-state could say.
func (m *member) neverVoted() bool { return m.store.hard == (hardState{}) }
