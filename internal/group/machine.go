package group

import (
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// Machine decides for the groups of one partition of __consumer_offsets. It is
// a coordinator.Machine and a coordinator.Lister.
type Machine struct {
	s      Settings
	groups map[string]*group
	// open are the offsets of transactions that have not ended, by producer id.
	open map[int64]*pending
	// applied counts the records that were applied: it orders them.
	applied uint64
	// aside are the records of types that are not ours, by key.
	aside map[string]kept
	kinds []kind.Kind
}

// kept is a value with its place in the order of records.
type kept struct {
	value []byte
	at    uint64
}

// group is one group: its members, and what it has read. It is there as long
// as it has metadata in the log, or offsets.
type group struct {
	live *live
	// stored is its metadata as the log has it, nil when there is none.
	stored  *kept
	offsets offsets
	// txns counts the open transactions with offsets of it.
	txns int
}

// New makes an empty machine.
func New(s Settings) *Machine {
	m := &Machine{s: s}
	for _, make := range s.Kinds {
		m.kinds = append(m.kinds, make(host{m}))
	}
	m.Reset()
	return m
}

// Reset implements coordinator.Machine.
func (m *Machine) Reset() {
	m.groups, m.open, m.aside, m.applied = map[string]*group{}, map[int64]*pending{}, map[string]kept{}, 0
	for _, k := range m.kinds {
		k.Reset()
	}
}

// Step implements coordinator.Machine. This is the table of all commands.
func (m *Machine) Step(now time.Time, cmd coordinator.Command) (coordinator.Output, error) {
	t := &turn{m: m, now: now, wall: cmd.Wall, token: cmd.Token, out: &coordinator.Output{}}
	if t.wall.IsZero() {
		t.wall = now
	}
	var err error
	switch c := cmd.Body.(type) {
	case Join:
		err = t.join(&c)
	case Sync:
		err = t.sync(&c)
	case Heartbeat:
		err = t.heartbeat(&c)
	case Leave:
		err = t.leave(&c)
	case Commit:
		err = t.commit(&c)
	case EndTxn:
		t.endTxn(&c)
	case Fetch:
		err = t.fetch(&c)
	case DeleteOffsets:
		err = t.deleteOffsets(&c)
	case Delete:
		t.delete(&c)
	case Describe:
		err = t.describe(&c)
	case List:
		t.answer(m.list(&c))
	case TopicsDeleted:
		t.topicsDeleted(&c)
	case Sweep:
		t.sweep()
		t.answer(t.full())
	case coordinator.Loaded:
		t.loaded()
	case sessionDue:
		t.sessionDue(c)
	case joinDue:
		t.joinDue(c)
	case syncDue:
		t.syncDue(c)
	case crowdedDue:
		t.crowdedDue(c)
	case sweepDue:
		t.sweep()
	case TopicsChanged:
		t.topicsChanged(&c)
	default:
		err = t.stepKinds(cmd.Body)
	}
	if err != nil {
		return coordinator.Output{}, err
	}
	return t.done(), nil
}

// Apply implements coordinator.Machine.
func (m *Machine) Apply(r coordinator.Record) {
	m.applied++
	if r.Txn != nil && r.Txn.End != coordinator.TxnData {
		m.applyEnd(r.Txn)
		return
	}
	k, err := schema.ParseKey(r.Key)
	owner := m.ownerOf(k.Type)
	switch {
	case err != nil: // nobody's: passed over
	case k.IsOffset():
		m.applyOffset(k, r)
	case k.Type == schema.GroupMetadata:
		m.applyGroup(k.Group, r.Value)
	case owner != nil:
		owner.Apply(k, r.Value)
	case r.Value == nil:
		delete(m.aside, string(r.Key))
	default:
		m.aside[string(r.Key)] = kept{append([]byte(nil), r.Value...), m.applied}
	}
}

// applyGroup takes over a group's metadata, nil when it was deleted. A value
// that cannot be read is passed over, as if it had not been written.
func (m *Machine) applyGroup(id string, value []byte) {
	if value == nil {
		if g := m.groups[id]; g != nil {
			g.live, g.stored = &live{before: Dead}, nil
			m.dropIfVoid(id)
		}
		return
	}
	v, err := schema.ParseGroupValue(value)
	if err != nil {
		return
	}
	g := m.need(id)
	g.live, g.stored = loaded(v), &kept{append([]byte(nil), value...), m.applied}
}

// need gives a group, made when it is not there.
func (m *Machine) need(id string) *group {
	g := m.groups[id]
	if g == nil {
		g = &group{live: &live{before: Dead}}
		m.groups[id] = g
	}
	return g
}

// dropIfVoid forgets a group of which the log has nothing any more.
func (m *Machine) dropIfVoid(id string) {
	if g := m.groups[id]; g != nil && g.stored == nil && len(g.offsets) == 0 && g.txns == 0 {
		delete(m.groups, id)
	}
}

var (
	_ coordinator.Machine = (*Machine)(nil)
	_ coordinator.Lister  = (*Machine)(nil)
)
