package quorum

import (
	"errors"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"

	"ottla/internal/wire"
)

// ChangeKind is what a change does to a member.
type ChangeKind int

// The changes of a quorum.
const (
	// AddLearner takes a node in, without a vote.
	AddLearner ChangeKind = iota
	// Promote gives a learner that has caught up a vote. It waits for that as
	// long as the context of the call lets it.
	Promote
	// Demote takes the vote of a member, which goes on as a learner that no
	// leader promotes by itself.
	Demote
	// Remove takes a member out. Its Raft id is never used again.
	Remove
	// Update gives a member other endpoints.
	Update
)

func (k ChangeKind) String() string {
	return [...]string{"add", "promote", "demote", "remove", "update"}[k]
}

// MembershipChange is one change of the quorum's members.
type MembershipChange struct {
	Kind ChangeKind
	// Voter names the member by node and directory. AddLearner and Update take
	// its endpoints too, AddLearner also NoVote.
	Voter Voter
}

// Errors of changes, in the chain of what Change returns.
var (
	// ErrUnknownMember: no such member, or not with this directory.
	ErrUnknownMember = wire.Errorf(wire.VoterNotFound, "there is no such member of the metadata quorum")
	// ErrIsVoter: it is a voter already.
	ErrIsVoter = wire.Errorf(wire.DuplicateVoter, "it is a voter of the metadata quorum already")
	// ErrNotCaughtUp: it lags too far behind to get a vote.
	ErrNotCaughtUp = wire.Errorf(wire.RequestTimedOut, "it has not caught up with the metadata log")
	// ErrLastVoter: a quorum needs a voter.
	ErrLastVoter = wire.Errorf(wire.InvalidRequest, "it is the last voter of the metadata quorum")
	// ErrNoMajority: too many of those that would be left are silent.
	ErrNoMajority = wire.Errorf(wire.InvalidRequest, "the voters that would be left have no majority that answers")
	// ErrLives: another directory of the node takes part, and answers.
	ErrLives = wire.Errorf(wire.DuplicateBrokerRegistration, "the node takes part in the metadata quorum with another directory, which answers: where that one is gone, try again in a moment")
	// ErrGone: the id was removed before.
	ErrGone = wire.Errorf(wire.InvalidRequest, "this directory was removed from the metadata quorum and cannot come back: move its metadata log away and join again, which gives it another directory id")
)

// maxOrders bounds the changes that wait for their turn.
const maxOrders = 64

// order is a change that somebody waits for. Orders are carried out one after
// the other.
type order struct {
	MembershipChange
	// index is the change's entry once it is in the log, 0 before.
	index uint64
	// given up: whoever waited does no more.
	abandoned func() bool
	to        chan<- result // nil for the leader's own
}

// order takes a change; its outcome comes through o.to.
func (m *member) order(now time.Time, o *order) {
	err := m.ready(now)
	if err == nil && len(m.orders) >= maxOrders {
		err = wire.Errorf(wire.NotController, "%d changes of the metadata quorum wait for their turn: try again", maxOrders)
	}
	if err != nil {
		o.done(err)
		return
	}
	m.orders = append(m.orders, o)
	m.settle(m.guard(func() error { return m.manage(now) }))
}

func (o *order) done(err error) {
	if o.to != nil {
		o.to <- result{err: err}
	}
}

// refuseOrders answers those that never began; the outcome of one that did is
// open.
func (m *member) refuseOrders(err error) {
	for _, o := range m.orders {
		if o.index > 0 {
			o.done(undecided(err))
		} else {
			o.done(err)
		}
	}
	m.orders = nil
}

// manage carries out what waits: orders first, then what the leader does by
// itself. One change at a time is in the log, and the next one comes when it
// is committed.
func (m *member) manage(now time.Time) error {
	chosen := false
	m.balked = false
	for m.leading && (len(m.orders) > 0 || !chosen && m.choose()) {
		chosen = true // once: what it chose may be refused now, and the clock comes again
		moved, err := m.pass(now)
		if err != nil {
			return err
		}
		if !moved || m.balked {
			break
		}
	}
	return m.drive(now) // a leadership that is handed on
}

// pass goes through the orders until one is done with.
func (m *member) pass(now time.Time) (moved bool, err error) {
	for i, o := range m.orders {
		before := len(m.orders)
		done, err := m.carryOut(now, o)
		switch {
		case err != nil || !m.leading:
			return false, err
		case done:
			m.orders = slices.DeleteFunc(m.orders, func(other *order) bool { return other == o })
			return true, nil
		case len(m.orders) > before: // another has to come first
			return true, nil
		case o.index > 0 || i == len(m.orders)-1:
			return false, nil // all others wait for it
		}
	}
	return false, nil
}

// carryOut moves an order on; done when it was answered.
func (m *member) carryOut(now time.Time, o *order) (done bool, err error) {
	if o.index > 0 {
		return m.concluded(o), nil
	}
	if o.abandoned != nil && o.abandoned() {
		o.done(ErrNotCaughtUp)
		return true, nil
	}
	if len(m.changes) > 0 {
		return false, nil
	}
	cc, refusal := m.judgeOrder(o)
	switch {
	case refusal == errWait:
		return false, nil
	case refusal != nil || cc == nil:
		m.balked = refusal != nil && o.to == nil
		o.done(refusal)
		return true, nil
	}
	if err := m.raw.ProposeConfChange(cc); err != nil {
		m.balked = o.to == nil
		o.done(wire.Errorf(wire.NotController, "the metadata quorum does not take changes at the moment: %w", err))
		return true, nil
	}
	o.index = m.store.index.last() + 1
	if err := m.drive(now); err != nil {
		return false, err
	}
	return m.leading && m.concluded(o), nil
}

// concluded answers an order whose entry is committed.
func (m *member) concluded(o *order) bool {
	if o.index > m.applied {
		return false
	}
	_, votes, member := m.voters.member(raftID(o.Voter.ID, o.Voter.DirectoryID))
	holds := member
	switch o.Kind {
	case Promote:
		holds = votes
	case Demote:
		holds = member && !votes
	case Remove:
		holds = !member
	}
	if holds {
		o.done(nil)
	} else { // the library put nothing in its place
		o.done(wire.Errorf(wire.NotController, "the metadata quorum was changing already: try again"))
	}
	return true
}

// errWait: not yet, and not refused either.
var errWait = errors.New("it has to wait")

// judgeOrder makes the change for the log, nil when there is nothing to do.
func (m *member) judgeOrder(o *order) (*pb.ConfChange, error) {
	v := o.Voter
	id := raftID(v.ID, v.DirectoryID)
	known, votes, member := m.voters.member(id)
	if !member && o.Kind != AddLearner {
		return nil, ErrUnknownMember
	}
	switch o.Kind {
	case AddLearner:
		return m.judgeAdd(o, id, votes, member)
	case Promote:
		if votes {
			return nil, ErrIsVoter
		}
		if !m.caughtUp(id) {
			return nil, errWait
		}
		return change(pb.ConfChangeAddNode, id, known), nil
	case Update:
		known.Endpoints = v.Endpoints
		return change(pb.ConfChangeUpdateNode, id, known), nil
	}
	if votes {
		if err := m.judgeLoss(id); err != nil {
			return nil, err
		}
	}
	if o.Kind == Remove {
		return change(pb.ConfChangeRemoveNode, id, known), nil
	}
	if !votes {
		return nil, ErrUnknownMember
	}
	known.NoVote = true
	return change(pb.ConfChangeAddLearnerNode, id, known), nil
}

func change(kind pb.ConfChangeType, id uint64, v Voter) *pb.ConfChange {
	return &pb.ConfChange{Type: kind.Enum(), NodeId: new(id), Context: votersValue([]Voter{v})}
}

func (m *member) judgeAdd(o *order, id uint64, votes, member bool) (*pb.ConfChange, error) {
	_, gone := m.voters.gone[id]
	switch {
	case gone:
		return nil, ErrGone
	case votes:
		return nil, ErrIsVoter
	case member:
		return nil, nil
	case m.lives(o.Voter.ID):
		return nil, ErrLives
	}
	// A learner of this node with another directory was lost with it.
	for _, l := range m.voters.observers() {
		if l.ID == o.Voter.ID {
			return m.first(o, MembershipChange{Remove, l})
		}
	}
	if len(m.voters.learners) >= maxVoters {
		return nil, wire.Errorf(wire.InvalidRequest, "the metadata quorum has %d observers and takes no more", maxVoters)
	}
	return change(pb.ConfChangeAddLearnerNode, id, o.Voter), nil
}

// lives tells whether a member at a node answers. What asks for the place of one
// that does comes late: it was sent by a life of the node that is over, and lost
// its disk.
func (m *member) lives(node int32) bool {
	for _, id := range m.voters.all() {
		if v, _, _ := m.voters.member(id); v.ID == node && m.answers(id) {
			return true
		}
	}
	return false
}

// first puts another change before an order.
func (m *member) first(o *order, c MembershipChange) (*pb.ConfChange, error) {
	m.orders = slices.Insert(m.orders, max(slices.Index(m.orders, o), 0), &order{MembershipChange: c})
	return nil, errWait
}

// judgeLoss tells whether the quorum can do without the vote of id.
func (m *member) judgeLoss(id uint64) error {
	if len(m.voters.byID) == 1 {
		return ErrLastVoter
	}
	if id == m.id {
		// It hands on first: whoever leads then carries the change out.
		m.handOn()
		return m.notLeading()
	}
	left, active := 0, 0
	for _, other := range m.voters.ids() {
		if other == id {
			continue
		}
		left++
		if m.answers(other) {
			active++
		}
	}
	if active <= left/2 {
		return ErrNoMajority
	}
	return nil
}

// freshTicks is how long ago a member may have answered that is to get a vote,
// or on whose vote a change relies: one that dies right then costs the quorum
// most.
const freshTicks = 5

// answers tells whether a member answered just now.
func (m *member) answers(id uint64) bool {
	s := m.seen[id]
	return id == m.id || s != nil && m.ticks-s.tick <= freshTicks
}

// caughtUp tells whether a member has what is committed, and is there.
func (m *member) caughtUp(id uint64) bool {
	if !m.answers(id) {
		return false
	}
	ok := false
	m.raw.WithProgress(func(other uint64, _ raft.ProgressType, p tracker.Progress) {
		if other == id {
			ok = p.RecentActive && p.State == tracker.StateReplicate && p.Match >= m.applied
		}
	})
	return ok
}

// choose finds what the leader changes by itself: a learner that caught up gets
// the vote that its own lost directory had, or becomes a voter while there are
// too few.
func (m *member) choose() bool {
	if len(m.voters.learners) == 0 {
		return false
	}
	for _, l := range m.voters.observers() {
		id := raftID(l.ID, l.DirectoryID)
		if l.NoVote || !m.caughtUp(id) {
			continue
		}
		if old, ok := m.lost(l.ID); ok {
			if m.judgeLoss(raftID(old.ID, old.DirectoryID)) == nil {
				m.orders = append(m.orders, &order{MembershipChange: MembershipChange{Remove, old}})
				return true
			}
			continue
		}
		if len(m.voters.byID) < m.o.AutoVoters {
			m.orders = append(m.orders, &order{MembershipChange: MembershipChange{Promote, l}})
			return true
		}
	}
	return false
}

// lost finds a voter at a node whose directory is another now.
func (m *member) lost(node int32) (Voter, bool) {
	for _, v := range m.voters.list() {
		if v.ID == node {
			return v, true
		}
	}
	return Voter{}, false
}

// handOn gives the leadership to the voter that is furthest; false when there
// is none that answers.
func (m *member) handOn() bool {
	best, match := uint64(raft.None), uint64(0)
	m.raw.WithProgress(func(id uint64, kind raft.ProgressType, p tracker.Progress) {
		if kind == raft.ProgressTypePeer && id != m.id && p.RecentActive && (best == raft.None || p.Match > match) {
			best, match = id, p.Match
		}
	})
	if best == raft.None {
		return false
	}
	m.raw.TransferLeader(best)
	return true
}

// resign begins to hand the leadership on; false when there is nothing to hand
// on, or nobody to take it.
func (m *member) resign(now time.Time) bool {
	if m.failed != nil || m.alone() || m.raw.BasicStatus().RaftState != raft.StateLeader {
		return false
	}
	begun := false
	m.settle(m.guard(func() error {
		begun = m.handOn()
		return m.drive(now)
	}))
	return begun
}
