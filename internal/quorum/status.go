package quorum

import (
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
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
	// Serves: this node leads and Do is served here.
	Serves bool
	// Waiting: this node is in no quorum yet. Removed: it is in none any more.
	Waiting, Removed bool
	// Failed is why this node takes no part any more, "" while it does.
	Failed string
}

// Standing is how long ago a leader had heard of most of the voters, itself among
// them; false when it has not. Set clocks do not show in it.
func (s *Status) Standing(now time.Time) (time.Duration, bool) {
	heard := make([]time.Time, 0, 8)
	for i := range s.Voters {
		heard = append(heard, s.Voters[i].Heard)
	}
	if len(heard) == 0 {
		return 0, false
	}
	slices.SortFunc(heard, time.Time.Compare)
	at := heard[(len(heard)-1)/2]
	if at.IsZero() {
		return 0, false
	}
	return max(now.Sub(at), 0), true
}

// Replica is a member as the leader sees it; what is not known is -1.
type Replica struct {
	ID           int32
	DirectoryID  uuid.UUID
	LogEndOffset int64
	// LastFetchMs is when the member was heard of last, LastCaughtUpMs when it
	// last had all that the leader had (KIP-836).
	LastFetchMs, LastCaughtUpMs int64
	// Heard is LastFetchMs on the clock that nobody sets; zero when it is not known.
	Heard time.Time
}

// Member is a member of the quorum with where it listens.
type Member struct {
	Voter
	Votes bool
}

// Status tells who leads and how far the log is committed. Log end offsets of
// other members are known to the leader only and -1 elsewhere.
func (n *Node) Status() Status {
	s := *n.status.Load()
	s.Voters = append([]Replica(nil), s.Voters...)
	s.witnessSelf(&n.o)
	return s
}

// witnessSelf notes that a leader has heard itself, and caught up, just now
// (KIP-836); a directory that its node had before is somebody else.
func (s *Status) witnessSelf(o *Options) {
	if s.Leader != o.NodeID {
		return
	}
	now := o.Now()
	for i := range s.Voters {
		if v := &s.Voters[i]; v.ID == o.NodeID && v.DirectoryID == o.DirectoryID {
			v.LastFetchMs, v.LastCaughtUpMs, v.Heard = now.UnixMilli(), now.UnixMilli(), now
		}
	}
}

// Members lists who is in the quorum, voters first.
func (n *Node) Members() []Member { return *n.members.Load() }

// show publishes the status after a turn.
func (n *Node) show() {
	s := n.member.status()
	n.status.Store(&s)
	if set := n.member.voters; set != n.shown {
		n.shown = set
		var all []Member
		for _, v := range set.list() {
			all = append(all, Member{v, true})
		}
		for _, v := range set.observers() {
			all = append(all, Member{v, false})
		}
		n.members.Store(&all)
	}
}

func (m *member) status() Status {
	s := Status{Leader: m.leader, Epoch: int32(m.store.hard.term), HighWatermark: m.store.index.endOf(m.applied),
		Serves: m.leading, Waiting: m.waiting, Removed: m.removed}
	if m.failed != nil {
		s.Failed = m.failed.Error()
	}
	ends := map[uint64]int64{m.id: m.store.index.end()}
	m.raw.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if _, kept := m.store.index.term(p.Match); kept && p.Match > 0 && id != m.id {
			ends[id] = m.store.index.endOf(p.Match)
		}
	})
	s.Voters = m.replicas(m.voters.list(), ends)
	if len(m.voters.learners) > 0 {
		s.Observers = m.replicas(m.voters.observers(), ends)
	}
	return s
}

func (m *member) replicas(of []Voter, ends map[uint64]int64) []Replica {
	list := make([]Replica, 0, len(of))
	for _, v := range of {
		id := raftID(v.ID, v.DirectoryID)
		r := Replica{ID: v.ID, DirectoryID: v.DirectoryID, LogEndOffset: -1, LastFetchMs: -1, LastCaughtUpMs: -1}
		if end, ok := ends[id]; ok {
			r.LogEndOffset = end
		}
		if s := m.seen[id]; s != nil && m.leading {
			r.LastFetchMs, r.LastCaughtUpMs, r.Heard = s.atMs, s.caughtUpMs, s.at
		}
		list = append(list, r)
	}
	return list
}

// sighting is when and how this leader heard of a member last.
type sighting struct {
	atMs, caughtUpMs int64
	at               time.Time // atMs, as time that passes
	last             uint64    // the leader's last entry then
	tick             uint64
}

// witness notes an answer of a member. It had caught up when it has all that
// the leader has, or has now what the leader had when it answered before.
func (m *member) witness(now time.Time, msg *pb.Message) {
	if !m.leading || msg.GetType() != pb.MsgAppResp && msg.GetType() != pb.MsgHeartbeatResp {
		return
	}
	if _, _, ok := m.voters.member(msg.GetFrom()); !ok {
		return
	}
	match := uint64(0)
	m.raw.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
		if id == msg.GetFrom() {
			match = p.Match
		}
	})
	s := m.seen[msg.GetFrom()]
	if s == nil {
		s = &sighting{atMs: -1, caughtUpMs: -1}
		m.seen[msg.GetFrom()] = s
	}
	switch last := m.store.index.last(); {
	case match >= last:
		s.caughtUpMs = now.UnixMilli()
	case s.atMs >= 0 && match >= s.last:
		s.caughtUpMs = max(s.caughtUpMs, s.atMs)
	}
	s.at, s.atMs, s.last, s.tick = now, now.UnixMilli(), m.store.index.last(), m.ticks
}

// close writes down how far the log is committed, so that the next start sees
// a lost end. The log itself is closed with its directory, which notes where
// each of its logs ended.
func (m *member) close() error {
	if m.taking != nil {
		m.dropTaking()
	}
	var err error
	if m.failed == nil && !m.halfway && !m.neverVoted() {
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
