package store

import (
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// Settings are what a machine heeds.
type Settings struct {
	// SnapshotEvery is after how many updates a whole state is written,
	// share.coordinator.snapshot.update.records.per.snapshot.
	SnapshotEvery int
	// PruneEvery is how often the log is shortened; 0 for never.
	PruneEvery time.Duration
	// Prune deletes the records of the machine's log below an offset. It is
	// called beside the machine.
	Prune func(below int64)
}

// Defaults are Kafka's.
func Defaults() Settings { return Settings{SnapshotEvery: 500, PruneEvery: 5 * time.Minute} }

// Machine keeps the states of one partition of the topic. It is a
// coordinator.Machine and a coordinator.Lister.
type Machine struct {
	s      Settings
	states map[Key]*state
	last   int64 // the highest offset that was applied
	pruned int64 // what was asked for last
}

// state is a share-partition's.
type state struct {
	snapshot             int32 // the epoch of its last snapshot
	stateEpoch           int32
	leaderEpoch          int32
	start                int64
	done                 int32
	createdMs, writtenMs int64
	rows                 []share.Stored
	updates              int   // since the last snapshot
	at                   int64 // the last snapshot's offset, -1 when not known
}

// New makes an empty machine.
func New(s Settings) *Machine {
	m := &Machine{s: s}
	m.Reset()
	return m
}

// Reset implements coordinator.Machine.
func (m *Machine) Reset() { m.states, m.last, m.pruned = map[Key]*state{}, -1, 0 }

// Step implements coordinator.Machine. This is the table of all commands.
func (m *Machine) Step(now time.Time, cmd coordinator.Command) (coordinator.Output, error) {
	wall := cmd.Wall
	if wall.IsZero() {
		wall = now
	}
	t := turn{m: m, token: cmd.Token, nowMs: wall.UnixMilli()}
	var err error
	switch c := cmd.Body.(type) {
	case Read:
		err = t.read(&c)
	case Put:
		err = t.put(&c)
	case Initialize:
		err = t.initialize(&c)
	case Delete:
		t.delete(&c)
	case Forget:
		t.forget(&c)
	case Summarize:
		err = t.summarize(&c)
	case coordinator.Loaded, pruneDue:
		t.prune(now)
	case pruned:
	default:
		err = wire.Errorf(wire.UnknownServerError, "the share coordinator knows no command %T", cmd.Body)
	}
	if err != nil {
		return coordinator.Output{}, err
	}
	return t.out, nil
}

// Apply implements coordinator.Machine.
func (m *Machine) Apply(r coordinator.Record) {
	m.last = max(m.last, r.Offset)
	kind, key, err := parseKey(r.Key)
	if err != nil {
		return // nobody's: passed over
	}
	switch kind {
	case snapshotType:
		m.applySnapshot(key, r)
	case updateType:
		m.applyUpdate(key, r)
	}
}

func (m *Machine) applySnapshot(key Key, r coordinator.Record) {
	if r.Value == nil {
		delete(m.states, key)
		return
	}
	v, err := ParseSnapshot(r.Value)
	if err != nil {
		return
	}
	s := &state{
		snapshot: v.Epoch, stateEpoch: v.StateEpoch, leaderEpoch: v.LeaderEpoch, start: v.Start, done: v.Done,
		createdMs: v.CreatedMs, writtenMs: v.WrittenMs, at: r.Offset,
	}
	s.rows = overlay(nil, v.Rows, v.Start)
	m.states[key] = s
}

// applyUpdate changes a state. Of one whose snapshot is missing nothing is
// known, and an update alone tells too little.
func (m *Machine) applyUpdate(key Key, r coordinator.Record) {
	s := m.states[key]
	if s == nil || r.Value == nil {
		return
	}
	v, err := ParseUpdate(r.Value)
	if err != nil {
		return
	}
	s.updates++
	s.leaderEpoch = max(s.leaderEpoch, v.LeaderEpoch)
	s.done = v.Done
	if v.Start >= 0 {
		s.start = v.Start
	}
	s.rows = overlay(s.rows, v.Rows, s.start)
}

var (
	_ coordinator.Machine = (*Machine)(nil)
	_ coordinator.Lister  = (*Machine)(nil)
)
