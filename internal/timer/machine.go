package timer

import (
	"slices"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/timer/schema"
	"ottla/internal/timer/table"
	"ottla/internal/wire"
)

// Machine decides for the timers of one partition of __ottla_timers. It is a
// coordinator.Machine and a coordinator.Lister.
type Machine struct {
	o      Options
	timers table.Table
	// names and numbers are the topics that timers are for.
	names   []string
	numbers map[string]int32
	targets map[spot]*target
	// flying are the timers on their way.
	flying map[table.Hash]*target
	lines  map[string]int64
	// aside are the records that are not ours to read, by key.
	aside map[string][]byte

	// What follows is soft.

	// armedMs is when the heap is looked at again; 0 when it is not.
	armedMs int64
	// runnable are targets with a queue and without a flight, in the order in
	// which they became so.
	runnable []*target
	// producerID is for targets that have none, -1 when there is none at hand;
	// asking while one is fetched.
	producerID int64
	asking     bool
	settling   []coordinator.Token
}

// New makes an empty machine.
func New(o Options) *Machine {
	m := &Machine{o: o}
	m.Reset()
	return m
}

// Reset implements coordinator.Machine.
func (m *Machine) Reset() {
	*m = Machine{
		o: m.o, numbers: map[string]int32{}, targets: map[spot]*target{}, flying: map[table.Hash]*target{},
		lines: map[string]int64{}, aside: map[string][]byte{}, producerID: -1,
	}
	m.timers.Loosen() // until all is loaded
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
	case Set:
		return t.set(&c)
	case Cancel:
		t.cancel(&c)
	case Find:
		t.find(&c)
	case TakeUp:
		return t.takeUp(&c)
	case Line:
		t.line(&c)
	case Settle:
		t.settle()
	case Count:
		t.count()
	case CountTopic:
		t.countTopic(&c)
	case CancelTopic:
		return t.cancelTopic(&c)
	case coordinator.Loaded:
		t.loaded()
	case gather:
		t.gather()
	case plan:
		t.plan()
	case landed:
		t.landed(&c)
	case carryAgain:
		t.carryAgain(c)
	case identified:
		t.identified(c)
	case resume:
		t.resume(c)
	case settled:
		t.answerSettled()
	case cleared:
		t.cleared(&c)
	case clearing:
		return t.clear(c)
	default:
		return wire.Errorf(wire.UnknownServerError, "the coordinator of timers knows no command %T", body)
	}
	return nil
}

// Apply implements coordinator.Machine.
func (m *Machine) Apply(r coordinator.Record) {
	kind, rest, err := schema.ParseKey(r.Key)
	if err != nil || r.Txn != nil {
		return // nobody's: passed over
	}
	delete(m.aside, string(r.Key))
	switch kind {
	case schema.KindTimer:
		err = m.applyTimer(rest, r.Value, r.Offset)
	case schema.KindTarget:
		err = m.applyTarget(rest, r.Value)
	case schema.KindLine:
		err = m.applyLine(rest, r.Value)
	case schema.KindIndex:
		err = schema.ParseIndex(r.Value, m.applyEntry)
	default:
		err = wire.CorruptMessage
	}
	if err != nil && r.Value != nil && kind != schema.KindIndex {
		m.aside[string(r.Key)] = slices.Clone(r.Value)
	}
}

func (m *Machine) applyTimer(key, value []byte, offset int64) error {
	h := hashOf(key)
	if value == nil {
		if r := m.timers.Find(h); r != table.None {
			m.timers.Remove(r)
		}
		delete(m.flying, h)
		return nil
	}
	v, err := schema.ParseTimer(value)
	if err != nil {
		return err
	}
	m.timers.Put(table.Entry{
		Hash: h, DueMs: v.DueMs, Offset: offset, Topic: m.number(v.Topic),
		Spread: spreadOf(v.Partition, v.RecordKey, h), Size: int32(v.Size()),
	})
	return nil
}

// applyEntry takes a timer of a snapshot.
func (m *Machine) applyEntry(topic string, e schema.Entry) {
	m.timers.Put(table.Entry{
		Hash: e.Hash, DueMs: e.DueMs, Offset: e.Offset, Topic: m.number(topic), Spread: e.Spread, Size: e.Size,
	})
}

// applyTarget takes over what a target has on its way. What it had before and is
// still here did not go, and waits again.
func (m *Machine) applyTarget(rest, value []byte) error {
	topic, index, err := schema.ParseTargetKey(rest)
	if err != nil {
		return err
	}
	var v schema.Target
	if value != nil {
		if v, err = schema.ParseTarget(value); err != nil {
			return err
		}
	}
	g := m.target(spot{topic, index})
	for _, f := range g.Flight {
		if m.flying[f.Hash] != g {
			continue
		}
		delete(m.flying, f.Hash)
		if r := m.timers.Find(f.Hash); r != table.None && m.timers.Holds(r, f.Offset) {
			m.timers.Return(r)
		}
	}
	g.Target, g.stored = v, value != nil
	for _, f := range g.Flight {
		if r := m.timers.Find(f.Hash); r != table.None && m.timers.Holds(r, f.Offset) {
			m.timers.Take(r)
			m.flying[f.Hash] = g
		}
	}
	return nil
}

func (m *Machine) applyLine(rest, value []byte) error {
	if value == nil {
		delete(m.lines, string(rest))
		return nil
	}
	next, err := schema.ParseLine(value)
	if err == nil {
		m.lines[string(rest)] = next
	}
	return err
}

// number is how a topic is called in entries.
func (m *Machine) number(topic string) int32 {
	n, ok := m.numbers[topic]
	if !ok {
		n = int32(len(m.names))
		m.names = append(m.names, topic)
		m.numbers[topic] = n
	}
	return n
}

// target finds one, or makes it.
func (m *Machine) target(s spot) *target {
	g := m.targets[s]
	if g == nil {
		g = &target{spot: s}
		m.targets[s] = g
	}
	return g
}

var (
	_ coordinator.Machine = (*Machine)(nil)
	_ coordinator.Lister  = (*Machine)(nil)
)
