package txn

import (
	"iter"
	"maps"
	"slices"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/txn/schema"
	"ottla/internal/wire"
)

// Machine decides for the transactional ids of one partition of
// __transaction_state. It is a coordinator.Machine and a coordinator.Lister.
type Machine struct {
	o   Options
	ids map[string]*entry
	// aside are the records that are not ours to read, by key.
	aside map[string][]byte

	// What follows is soft.

	// coordinatorEpoch is the leadership, which markers carry.
	coordinatorEpoch int32
	sweeps           []*sweeping
}

// sweeping is a Sweep whose aborts go on.
type sweeping struct {
	token coordinator.Token
	left  []string // transactional ids whose abort is not complete
	more  bool
}

// New makes an empty machine.
func New(o Options) *Machine {
	m := &Machine{o: o}
	m.Reset()
	return m
}

// Reset implements coordinator.Machine.
func (m *Machine) Reset() {
	m.ids, m.aside, m.sweeps, m.coordinatorEpoch = map[string]*entry{}, map[string][]byte{}, nil, 0
}

// Step implements coordinator.Machine. This is the table of all commands.
func (m *Machine) Step(now time.Time, cmd coordinator.Command) (coordinator.Output, error) {
	t := &turn{m: m, now: now, wall: cmd.Wall, token: cmd.Token}
	if t.wall.IsZero() {
		t.wall = now
	}
	if err := t.step(cmd.Body); err != nil {
		return coordinator.Output{}, err
	}
	return t.done(), nil
}

func (t *turn) step(body any) error {
	switch c := body.(type) {
	case Init:
		return t.init(&c)
	case Add:
		return t.add(&c)
	case Verify:
		return t.verify(&c)
	case End:
		return t.end(&c)
	case Describe:
		return t.describe(&c)
	case List:
		t.answer(t.m.list(&c, t.wall))
	case Sweep:
		t.sweep()
	case coordinator.Loaded:
		t.loaded(c)
	case written:
		t.written(c)
	case resume:
		t.resume(c)
	case impatient:
		t.impatient(c)
	case checkDue:
		t.checkDue()
	case abortDue:
		t.abortDue(c)
	case markDue:
		t.markDue(c)
	case forgetDue:
		t.forgetDue()
	default:
		return wire.Errorf(wire.UnknownServerError, "the transaction coordinator knows no command %T", body)
	}
	return nil
}

// Apply implements coordinator.Machine.
func (m *Machine) Apply(r coordinator.Record) {
	id, known, err := schema.ParseKey(r.Key)
	if err != nil || r.Txn != nil {
		return // nobody's: passed over
	}
	delete(m.aside, string(r.Key))
	if known && r.Value == nil {
		delete(m.ids, id)
		return
	}
	if known && m.take(id, r.Value) {
		return
	}
	if r.Value != nil {
		m.aside[string(r.Key)] = slices.Clone(r.Value)
	}
}

// take takes over the value of a transactional id; false when it cannot be
// read.
func (m *Machine) take(id string, value []byte) bool {
	v, version, err := schema.ParseValue(value)
	if err != nil || v.Status < int8(Empty) || v.Status > int8(CompleteAbort) {
		return false
	}
	e := m.ids[id]
	if e == nil {
		e = &entry{last: -1}
		m.ids[id] = e
	}
	e.meta = metaOf(&v, version)
	return true
}

// Records implements coordinator.Lister.
func (m *Machine) Records() iter.Seq[coordinator.Record] {
	return func(yield func(coordinator.Record) bool) {
		for _, id := range m.sorted() {
			e := m.ids[id]
			if !yield(coordinator.Record{Key: schema.AppendKey(nil, id), Value: schema.AppendValue(nil, e.value(), e.version)}) {
				return
			}
		}
		for _, key := range slices.Sorted(maps.Keys(m.aside)) {
			if !yield(coordinator.Record{Key: []byte(key), Value: m.aside[key]}) {
				return
			}
		}
	}
}

// sorted are the transactional ids in order.
func (m *Machine) sorted() []string { return slices.Sorted(maps.Keys(m.ids)) }

// where are the transactional ids of which test is true, in order: most often
// few of many.
func (m *Machine) where(test func(id string, e *entry) bool) []string {
	var out []string
	for id, e := range m.ids {
		if test(id, e) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

var (
	_ coordinator.Machine = (*Machine)(nil)
	_ coordinator.Lister  = (*Machine)(nil)
)
