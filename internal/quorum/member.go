package quorum

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/vfs"
)

// What the Raft library is set to. A tick is tickInterval, so elections begin
// after 1 to 2 s of silence.
const (
	electionTicks  = 10
	heartbeatTicks = 1
	tickInterval   = 100 * time.Millisecond
	maxInflight    = 256
	maxMessage     = 1 << 20
	// maxUncommitted bounds what a leader accepts ahead of its quorum.
	maxUncommitted = 64 << 20
)

// member is this node's part in the quorum: the Raft state machine, its log,
// the committed image, the machine. It has no goroutine, no clock and no lock:
// whoever owns it calls turn, tick and receive, and passes the time in.
type member struct {
	o       *Options
	id      uint64
	raw     *raft.RawNode
	store   *storage
	journal *journal
	files   *checkpoints
	voters  *voterSet
	// changes are the changes of the quorum in the log that are not applied yet.
	changes []*pb.Entry

	image     *metadata.Image // committed
	published *atomic.Pointer[metadata.Image]
	applied   uint64 // index of the last entry that image holds
	// waiting: this member has no image yet; it waits to be taken in.
	waiting bool

	// leading: this node leads and its first entry of the term is committed,
	// so the machine stands on everything that earlier leaders decided.
	leading bool
	leader  int32    // node id, -1 when unknown
	told    leads    // what OnLeader was told
	tail    entryEnd // of what a turn has accepted so far
	waiters []waiter
	orphans uint64 // tick at which this node stopped leading over waiters, 0 when it did not
	heir    uint64 // tick from which on this voter stands for election, because the leader has ended; 0 when it does not
	failed  error  // the log failed for good: nothing is accepted any more
	removed bool   // from the quorum: it is silent
	halfway bool   // a snapshot's installation had to stop for want of room
	rests   uint64 // tick until which a member whose disk is full takes nothing

	sinceSnapshot int64 // bytes of log
	snapshotting  bool
	wantSnapshot  bool // another member needs one that is newer
	// inBackground runs a snapshot's writing; its end comes back through
	// snapshotWritten on the owner's goroutine.
	inBackground func(write func() error, m snapshotMeta)

	ticks uint64              // of the clock, since the start
	send  func([]*pb.Message) // to the other members
	// routes are nodes of members that the configuration does not know.
	routes    map[uint64]int32
	shipments map[uint64]*shipment // snapshots that other members fetch here
	taking    *taking              // one that is fetched from the leader
	arrived   *arrival
	seen      map[uint64]*sighting // other members, as this leader saw them
	orders    []*order             // changes of the quorum that wait for their turn
	// balked: a change of the leader's own was refused; it is tried with the
	// next tick.
	balked bool
}

// leads is who leads in which epoch.
type leads struct {
	leader, epoch int32
}

// entryEnd is where the log ends, in both ways of counting.
type entryEnd struct {
	index  uint64
	offset int64
}

// result is a reply, and the metadata offset that it rests on.
type result struct {
	reply  any
	offset int64
	err    error
}

// request is one command in the mailbox.
type request struct {
	cmd any
	to  chan<- result // of capacity 1, used once
}

// openMember recovers the log and makes a member of it.
func openMember(o *Options, published *atomic.Pointer[metadata.Image]) (*member, error) {
	j, r, err := recoverLog(o)
	if err != nil {
		return nil, err
	}
	m := &member{
		o: o, store: r.store, journal: j, files: r.files, voters: r.voters,
		image: r.image, published: published, applied: r.applied, waiting: r.waiting, leader: -1, sinceSnapshot: r.bytes,
		told: leads{-1, int32(r.store.hard.term)}, routes: map[uint64]int32{}, shipments: map[uint64]*shipment{}, seen: map[uint64]*sighting{},
	}
	m.id, m.send, m.store.snapshot = r.id, m.post, m.snapshotForRaft
	published.Store(m.image)
	if err := m.restart(); err != nil {
		return nil, errors.Join(err, j.close())
	}
	return m, nil
}

// restart makes the Raft state machine anew from what is stored.
func (m *member) restart() error {
	// A commit that came with entries which were not written is not known here.
	m.store.hard.commit = max(min(m.store.hard.commit, m.store.index.last()), m.applied)
	raw, err := raft.NewRawNode(&raft.Config{
		ID: m.id, Storage: m.store, Applied: m.applied,
		ElectionTick: electionTicks, HeartbeatTick: heartbeatTicks,
		MaxSizePerMsg: maxMessage, MaxInflightMsgs: maxInflight, MaxUncommittedEntriesSize: maxUncommitted,
		CheckQuorum: true, PreVote: true, DisableProposalForwarding: true, StepDownOnRemoval: true,
		Logger: raftLogger{m.o.Logger},
	})
	if err != nil {
		return fmt.Errorf("start the metadata quorum: %w", err)
	}
	m.raw, m.leading, m.leader = raw, false, -1
	clear(m.shipments)
	return nil
}

// alone tells whether this node decides by itself; byItself, whether there is
// nobody who follows either.
func (m *member) alone() bool { return soleVoter(m.store.conf, m.id) }
func (m *member) byItself() bool {
	return m.alone() && len(m.store.conf.GetLearners()) == 0 && len(m.orders) == 0
}

// ticking tells whether the member needs a clock.
func (m *member) ticking() bool {
	return m.failed == nil && (m.halfway || !m.removed && !m.byItself())
}

// able tells whether anything that comes in can be taken now.
func (m *member) able() bool {
	return m.failed == nil && !m.removed && !m.halfway && m.ticks >= m.rests
}

// campaign makes a sole voter the leader at once; with others the clock does.
func (m *member) campaign(now time.Time) error {
	if m.failed != nil {
		return m.failed
	}
	if m.leading || m.halfway || !m.alone() {
		return nil
	}
	if err := m.raw.Campaign(); err != nil {
		return fmt.Errorf("begin an election of the metadata quorum: %w", err)
	}
	return m.drive(now)
}

// tick lets the time of the quorum's clock pass.
func (m *member) tick(now time.Time) {
	m.ticks++
	if m.halfway && m.failed == nil && m.ticks%electionTicks == 0 {
		if err := m.again(); err != nil {
			m.lose(err)
		}
	}
	m.expireWaiters()
	if !m.able() {
		return
	}
	m.settle(m.guard(func() error {
		m.raw.Tick()
		if m.heir > 0 && m.ticks >= m.heir {
			if err := m.stand(now); err != nil {
				return err
			}
		}
		m.checkShipments()
		m.checkTaking()
		if err := m.drive(now); err != nil {
			return err
		}
		if err := m.manage(now); err != nil {
			return err
		}
		m.maybeSnapshot()
		return nil
	}))
}

// settle ends a turn: replies leave, or what was accepted is lost.
func (m *member) settle(err error) {
	if err != nil {
		m.lose(err)
	}
	m.release()
	m.tell()
}

// drive persists, commits and applies until the Raft state machine rests.
func (m *member) drive(now time.Time) error {
	for m.raw.HasReady() {
		rd := m.raw.Ready()
		later := rd.Messages
		if m.raw.BasicStatus().RaftState == raft.StateLeader && m.keptVote(rd.HardState) {
			var ahead []*pb.Message
			if ahead, later = early(&rd); len(ahead) > 0 {
				m.send(ahead)
			}
		}
		if err := m.persist(now, &rd); err != nil {
			return err
		}
		if len(later) > 0 {
			m.send(later)
		}
		if err := m.commit(rd.CommittedEntries); err != nil {
			return err
		}
		m.raw.Advance(rd)
		m.follow()
	}
	return nil
}

// keptVote tells whether term and vote are as they were synced last.
func (m *member) keptVote(hs *pb.HardState) bool {
	return raft.IsEmptyHardState(hs) || hs.GetTerm() == m.store.hard.term && hs.GetVote() == m.store.hard.vote
}

// persist makes durable what must be before messages leave: term and vote,
// then a snapshot, then entries, with one sync for all of them.
func (m *member) persist(now time.Time, rd *raft.Ready) error {
	leader := m.voters.node(m.raw.BasicStatus().Lead)
	// What comes in may take the place of entries that are there: as long as it is
	// not written, a commit that came with it says nothing about those.
	known := m.store.index.last()
	if len(rd.Entries) > 0 {
		known = min(known, rd.Entries[0].GetIndex()-1)
	}
	if !raft.IsEmptyHardState(rd.HardState) {
		next := hardState{rd.HardState.GetTerm(), rd.HardState.GetVote(), rd.HardState.GetCommit()}
		if !m.keptVote(rd.HardState) {
			if m.alone() && next.vote == m.id {
				leader = m.o.NodeID // a sole voter's vote elects it
			}
			// The commit that is kept never passes the log that is kept.
			next.commit = min(next.commit, known)
			if err := saveState(m.o.Dir.FS(), m.files.dir, encodeState(m.id, next, leader, m.voters)); err != nil {
				return err
			}
			next.commit = rd.HardState.GetCommit()
		}
		m.store.hard = next
	}
	if !raft.IsEmptySnap(rd.Snapshot) {
		if err := m.install(rd.Snapshot.GetMetadata().GetIndex()); err != nil {
			return err
		}
	}
	if len(rd.Entries) == 0 {
		return nil
	}
	if err := m.write(now, rd.Entries, leader); err != nil {
		m.store.hard.commit = min(m.store.hard.commit, known)
		return err
	}
	return nil
}

// lose is the end of what was accepted and not committed: the machine goes
// back to the committed image, whoever waits is told. A full disk passes, and
// then the member starts over from what is stored; any other failure is final.
func (m *member) lose(err error) {
	m.abandon(err)
	m.o.Machine.Reset(m.image)
	m.leading, m.leader = false, -1
	m.refuseOrders(err)
	if errors.Is(err, log.ErrDiskFull) || vfs.NoSpace(err) {
		var cut error
		if !m.halfway { // else it starts over when there is room
			if cut = m.journal.truncate(m.store.index.end()); cut == nil {
				cut = m.restart()
			}
		}
		if cut == nil {
			if !m.byItself() {
				m.rests = m.ticks + electionTicks/2
			}
			m.o.Logger.Error("the metadata log has no room; it goes on when there is", "err", err)
			return
		}
		err = errors.Join(err, cut)
	}
	m.failed = err
	m.o.Logger.Error("the metadata quorum stops", "err", err)
}
