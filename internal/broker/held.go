package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Where a held partition stands.
const (
	waiting int32 = iota // its log is not open yet
	doubted              // its log is open, and may end too early: it neither leads nor follows yet
	open
	broken // its log cannot be opened; it is tried again
	gone   // closed or deleted; nothing follows
)

// home is a log directory, by its place among the broker's; -1 is one that the
// metadata name and this node does not have.
type home struct {
	index int
	dir   *log.Dir
}

// held is one partition of this node.
type held struct {
	p        *partition.Partition
	id       log.Ident
	at       atomic.Pointer[home] // changes when it is moved, with mu held
	internal bool
	mended   bool // it was found on disk or missed there, and somebody is told of damage and ends doubts
	node     int32
	// coordinator runs on the partition when this node leads it; nil on most.
	coordinator Coordinator
	broker      *Broker

	state atomic.Int32
	leads atomic.Bool
	// failure is why its log is not open, nil where none is known; changed with mu
	// held.
	failure atomic.Pointer[failure]

	mu sync.Mutex // orders opening and ending; held over their I/O

	// want guards what is wanted of the partition. Until it is open its role
	// and settings wait here: a log that recovers for long must not hold up
	// the quorum's goroutine. It comes after mu and is not held over I/O.
	want   sync.Mutex
	role   *partition.Role
	config *partition.Config
}

// dir is the log directory that it lies in.
func (h *held) dir() *log.Dir { return h.at.Load().dir }

// early tells that its role waits.
func (h *held) early() bool {
	at := h.state.Load()
	return at == waiting || at == doubted
}

// become gives the partition a role, now or once it is open.
func (h *held) become(r partition.Role) error {
	h.want.Lock()
	defer h.want.Unlock()
	switch h.state.Load() {
	case waiting, doubted:
		h.role = &r
		if h.coordinator != nil && r.Leader == h.node {
			h.coordinator.Expect(h.id.Partition)
		}
		return nil
	case broken:
		h.role = &r
		return nil
	}
	return h.take(r)
}

// take gives an open partition its role, and its coordinator with it.
func (h *held) take(r partition.Role) error {
	err := h.p.Become(r)
	h.pull(r, err == nil)
	if h.coordinator == nil {
		return err
	}
	if err == nil && r.Leader == h.node {
		h.coordinator.Lead(h.id.Partition, &tail{h.p, r.LeaderEpoch})
	} else {
		h.coordinator.Resign(h.id.Partition)
	}
	return err
}

// pull has an open partition follow the leader of its role, or nobody.
func (h *held) pull(r partition.Role, took bool) {
	if took && r.Leader >= 0 && r.Leader != h.node {
		h.broker.fetchers.Follow(h.p, r.Leader, r.LeaderEpoch)
		return
	}
	h.broker.fetchers.Unfollow(h.p)
	if took && r.Leader == h.node && len(r.Replicas) > 1 {
		h.broker.inSync.Lead()
	}
}

// leave ends the coordinator's part, and following.
func (h *held) leave() {
	h.broker.fetchers.Unfollow(h.p)
	if h.coordinator != nil {
		h.coordinator.Resign(h.id.Partition)
	}
}

// configure gives it settings, now or once it is open.
func (h *held) configure(c partition.Config) {
	h.want.Lock()
	defer h.want.Unlock()
	if s := h.state.Load(); s == waiting || s == broken {
		h.config = &c
		return
	}
	h.p.Configure(c)
}

// opened brings an open partition to what is wanted of it; then it serves. When it
// fails, that stays wanted.
func (h *held) opened() error {
	h.want.Lock()
	defer h.want.Unlock()
	if h.config != nil {
		h.p.Configure(*h.config)
	}
	if h.role != nil {
		if err := h.take(*h.role); err != nil {
			return err
		}
	}
	h.config, h.role = nil, nil
	h.state.Store(open)
	return nil
}

// serve gives the partition, or why not: when it is led here, or with anyone when
// there is a replica at all. h may be nil: no replica is here.
func (h *held) serve(anyone bool) (*partition.Partition, wire.Code) {
	if h == nil {
		return nil, wire.NotLeaderOrFollower
	}
	if h.dir().Err() != nil {
		return nil, wire.KafkaStorageError
	}
	switch h.state.Load() {
	case open:
		if anyone || h.leads.Load() {
			return h.p, wire.None
		}
	case broken:
		return nil, wire.KafkaStorageError
	}
	return nil, wire.NotLeaderOrFollower
}

// tail tells how far the log goes, also before the replica has taken its role. h may be
// nil: no replica is here.
func (h *held) tail() (partition.Tail, wire.Code) {
	if h == nil {
		return partition.Tail{}, wire.NotLeaderOrFollower
	}
	at := h.state.Load()
	switch {
	case at == broken || h.dir().Err() != nil:
		return partition.Tail{}, wire.KafkaStorageError
	case at != open && at != doubted:
		return partition.Tail{}, wire.NotLeaderOrFollower
	case h.p.Damaged():
		return partition.Tail{}, wire.CorruptMessage
	}
	t, err := h.p.Tail()
	t.Doubted = at == doubted
	return t, wire.CodeOf(err)
}

// open opens the log unless it was opened or ended before.
func (h *held) open(logger *slog.Logger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.openLocked(logger)
}

func (h *held) openLocked(logger *slog.Logger) {
	if s := h.state.Load(); s != waiting && s != broken {
		return
	}
	err := h.p.Open(h.dir())
	if err == nil && h.doubts() {
		h.recovered()
		h.state.Store(doubted)
		return
	}
	h.begin(err, logger)
}

// begin brings a log that was opened to what is wanted of it, or notes why it was not.
// mu held.
func (h *held) begin(err error, logger *slog.Logger) {
	if err == nil {
		if err = h.p.Trust(); err == nil {
			err = h.opened()
		}
		if err != nil {
			err = errors.Join(err, h.p.Close())
		}
	}
	if err == nil {
		if h.recovered() {
			logger.Info("partition is open after all", "topic", h.id.Topic, "partition", h.id.Partition)
		}
		return
	}
	h.state.Store(broken)
	h.leave()
	if news := h.failed(err); news && h.dir().Err() == nil { // else the directory has said it for all
		logger.Error("partition cannot be opened; it is tried again", "topic", h.id.Topic, "partition", h.id.Partition, "err", err)
	}
}

// doubts tells whether others must be heard before the partition takes its role:
// if it led with records missing that it had acknowledged, its followers would
// drop theirs.
func (h *held) doubts() bool {
	h.want.Lock()
	defer h.want.Unlock()
	return h.mended && h.p.Doubted() && (h.role == nil || len(h.role.Replicas) > 1)
}

// settle ends the doubt: the partition takes its role.
func (h *held) settle(logger *slog.Logger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state.Load() == doubted {
		h.begin(nil, logger)
	}
}

// close ends it; its log stays on disk.
func (h *held) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.Store(gone)
	h.recovered()
	h.leave()
	return h.p.Close()
}

// relocate ends a move: from here on it lies in the other directory. An error
// beside true is about the old directory alone.
func (h *held) relocate(to *home, m *log.Move) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at := h.state.Load(); at != open && at != doubted {
		return false, log.ErrClosed
	}
	moved, err := h.p.FinishMove(m)
	if moved {
		h.at.Store(to)
	}
	return moved, err
}

// remove ends it and deletes its log. One that is not open yet is opened for
// that: only an open log can be taken away so that no trace comes back. Who waits
// for it is told why (partition.Delete).
func (h *held) remove(why wire.Code, logger *slog.Logger) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dir().Holds(h.id.Topic, h.id.Partition) {
		h.openLocked(logger)
	}
	was := h.state.Swap(gone)
	h.recovered()
	h.leave()
	if was == broken {
		return fmt.Errorf("the log of %s-%d could not be opened and stays in %s", h.id.Topic, h.id.Partition, h.dir().Path())
	}
	return h.p.Delete(why)
}
