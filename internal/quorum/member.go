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
// whoever owns it calls turn, and passes the time in.
type member struct {
	o       *Options
	id      uint64
	raw     *raft.RawNode
	store   *storage
	journal *journal
	files   *checkpoints
	voters  *voterSet

	image     *metadata.Image // committed
	published *atomic.Pointer[metadata.Image]
	applied   uint64 // index of the last entry that image holds

	// leading: this node leads and its first entry of the term is committed,
	// so the machine stands on everything that earlier leaders decided.
	leading bool
	leader  int32    // node id, -1 when unknown
	tail    entryEnd // of what a turn has accepted so far
	waiters []waiter
	failed  error // the log failed for good: nothing is accepted any more

	sinceSnapshot int64 // bytes of log
	snapshotting  bool
	// inBackground runs a snapshot's writing; its end comes back through
	// snapshotWritten on the owner's goroutine.
	inBackground func(write func() error, m snapshotMeta)

	send func([]*pb.Message) // to the other members
}

// entryEnd is where the log ends, in both ways of counting.
type entryEnd struct {
	index  uint64
	offset int64
}

// waiter is a reply that leaves once entry index is committed.
type waiter struct {
	index uint64
	reply any
	err   error
	to    chan<- result
}

type result struct {
	reply any
	err   error
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
		o: o, id: raftID(o.NodeID, o.DirectoryID), store: r.store, journal: j, files: r.files, voters: r.voters,
		image: r.image, published: published, applied: r.applied, leader: -1, sinceSnapshot: r.bytes,
		send: func([]*pb.Message) {},
	}
	published.Store(m.image)
	if err := m.restart(); err != nil {
		return nil, errors.Join(err, j.close())
	}
	return m, nil
}

// restart makes the Raft state machine anew from what is stored.
func (m *member) restart() error {
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
	return nil
}

// alone tells whether this node decides by itself.
func (m *member) alone() bool { return soleVoter(m.store.conf, m.id) }

// campaign makes a sole voter the leader at once; with others the clock does.
func (m *member) campaign(now time.Time) error {
	if m.failed != nil {
		return m.failed
	}
	if m.leading || !m.alone() {
		return nil
	}
	if err := m.raw.Campaign(); err != nil {
		return fmt.Errorf("begin an election of the metadata quorum: %w", err)
	}
	return m.drive(now)
}

// tick lets the time of the quorum's clock pass.
func (m *member) tick(now time.Time) {
	if m.failed == nil {
		m.raw.Tick()
		m.settle(m.drive(now))
	}
}

// step takes another member's message.
func (m *member) step(now time.Time, msg *pb.Message) {
	if m.failed != nil {
		return
	}
	if err := m.raw.Step(msg); err != nil {
		m.o.Logger.Debug("message of the metadata quorum is not taken", "type", msg.GetType(), "err", err)
		return
	}
	m.settle(m.drive(now))
}

// settle ends a turn: replies leave, or what was accepted is lost.
func (m *member) settle(err error) {
	if err != nil {
		m.lose(err)
	}
	m.release()
}

// drive persists, commits and applies until the Raft state machine rests.
func (m *member) drive(now time.Time) error {
	for m.raw.HasReady() {
		rd := m.raw.Ready()
		if err := m.persist(now, &rd); err != nil {
			return err
		}
		if len(rd.Messages) > 0 {
			m.send(rd.Messages)
		}
		if err := m.commit(rd.CommittedEntries); err != nil {
			return err
		}
		m.raw.Advance(rd)
		m.follow()
	}
	return nil
}

// persist makes durable what must be before messages leave: term and vote,
// then entries, with one sync for all of them.
func (m *member) persist(now time.Time, rd *raft.Ready) error {
	if !raft.IsEmptySnap(rd.Snapshot) {
		return fmt.Errorf("a snapshot of the metadata log came from another member, up to entry %d: this release cannot take one", rd.Snapshot.GetMetadata().GetIndex())
	}
	leader := m.voters.node(m.raw.BasicStatus().Lead)
	if !raft.IsEmptyHardState(rd.HardState) {
		next := hardState{rd.HardState.GetTerm(), rd.HardState.GetVote(), rd.HardState.GetCommit()}
		if next.term != m.store.hard.term || next.vote != m.store.hard.vote {
			if m.alone() && next.vote == m.id {
				leader = m.o.NodeID // a sole voter's vote elects it
			}
			// The commit that is kept never passes the log that is kept.
			next.commit = min(next.commit, m.store.index.last())
			if err := saveState(m.o.Dir.FS(), m.files.dir, encodeState(m.id, next, leader, m.voters)); err != nil {
				return err
			}
			next.commit = rd.HardState.GetCommit()
		}
		m.store.hard = next
	}
	if len(rd.Entries) == 0 {
		return nil
	}
	return m.write(now, rd.Entries, leader)
}

// lose is the end of what was accepted and not committed: the machine goes
// back to the committed image, whoever waits is told. A full disk passes, and
// then the member starts over from what is stored; any other failure is final.
func (m *member) lose(err error) {
	for i := range m.waiters {
		m.waiters[i].err = unknownOutcome(err)
		m.waiters[i].index = 0
	}
	m.o.Machine.Reset(m.image)
	m.leading, m.leader = false, -1
	if errors.Is(err, log.ErrDiskFull) || vfs.NoSpace(err) {
		cut := m.journal.truncate(m.store.index.end())
		if cut == nil {
			cut = m.restart()
		}
		if cut == nil {
			m.o.Logger.Error("the metadata log has no room; it goes on when there is", "err", err)
			return
		}
		err = errors.Join(err, cut)
	}
	m.failed = err
	m.o.Logger.Error("the metadata quorum stops", "err", err)
}
