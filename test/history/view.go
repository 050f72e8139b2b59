package history

import (
	"cmp"
	"slices"
)

// view is a history made ready for the rules.
type view struct {
	ops    []Op
	opts   Options
	order  []int32 // operations by Start
	ended  []int32 // operations by End: what a reader got came after all that had ended
	writes []write // by Start, so the first send of a value comes first
	byVal  map[int64]int32
	parts  map[string]*partition
	names  []string // of partitions, sorted
	polled int64
	final  bool // there are final polls
}

// write is one send. Its outcome is that of its operation: of the transaction,
// where it is in one.
type write struct {
	value     int64
	offset    int64 // -1: not known
	op        int32
	partition *partition
	outcome   Outcome
	txn       bool
	// seen and seenCommitted tell whether anybody polled it, at all and at
	// read_committed.
	seen, seenCommitted bool
}

// partition is what all clients together know of one.
type partition struct {
	name      string
	sightings []sighting
	// all are the offsets at which something is known to be, visible those of
	// them that a reader at read_committed must see. Both sorted, no two equal.
	all, visible []int64
	highest      int64 // highest polled offset, -1 if none
}

// sighting is one statement that a value is at an offset.
type sighting struct {
	offset, value int64
	op            int32
}

func newView(ops []Op, o Options) *view {
	v := &view{ops: ops, opts: o, byVal: make(map[int64]int32), parts: make(map[string]*partition)}
	v.order = make([]int32, len(ops))
	for i := range v.order {
		v.order[i] = int32(i)
	}
	slices.SortFunc(v.order, func(a, b int32) int { return cmp.Compare(ops[a].Start, ops[b].Start) })
	v.ended = slices.Clone(v.order)
	slices.SortStableFunc(v.ended, func(a, b int32) int { return cmp.Compare(ops[a].End, ops[b].End) })
	for _, i := range v.order {
		v.addWrites(i)
		v.final = v.final || ops[i].Final
	}
	for _, i := range v.order {
		v.addPolls(i)
	}
	for name, p := range v.parts {
		v.names = append(v.names, name)
		p.settle()
	}
	slices.Sort(v.names)
	return v
}

func (v *view) part(name string) *partition {
	p := v.parts[name]
	if p == nil {
		p = &partition{name: name, highest: -1}
		v.parts[name] = p
	}
	return p
}

// addWrites takes in the sends of an operation.
func (v *view) addWrites(i int32) {
	op := &v.ops[i]
	if op.Kind != Send && op.Kind != Txn {
		return
	}
	for _, m := range op.Micro {
		if m.Kind != Send || len(m.Records) == 0 {
			continue
		}
		rec, p := m.Records[0], v.part(m.Partition)
		if _, known := v.byVal[rec.Value()]; !known {
			v.byVal[rec.Value()] = int32(len(v.writes))
		}
		v.writes = append(v.writes, write{value: rec.Value(), offset: rec.Offset(), op: i, partition: p, outcome: op.Outcome, txn: op.Kind == Txn})
		if rec.Offset() < 0 || op.Outcome == Fail && op.Kind == Send {
			continue
		}
		p.sightings = append(p.sightings, sighting{rec.Offset(), rec.Value(), i})
		p.all = append(p.all, rec.Offset())
		if op.Outcome == OK {
			p.visible = append(p.visible, rec.Offset())
		}
	}
}

// addPolls takes in what an operation read.
func (v *view) addPolls(i int32) {
	op := &v.ops[i]
	for _, m := range op.Micro {
		if m.Kind != Poll {
			continue
		}
		p := v.part(m.Partition)
		for _, rec := range m.Records {
			v.polled++
			p.highest = max(p.highest, rec.Offset())
			p.sightings = append(p.sightings, sighting{rec.Offset(), rec.Value(), i})
			p.all = append(p.all, rec.Offset())
			if op.Committed {
				p.visible = append(p.visible, rec.Offset())
			}
			if w := v.written(rec.Value()); w != nil {
				w.seen = true
				w.seenCommitted = w.seenCommitted || op.Committed
			}
		}
	}
}

// settle sorts what is known, once.
func (p *partition) settle() {
	slices.SortFunc(p.sightings, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.value, b.value), cmp.Compare(a.op, b.op))
	})
	p.sightings = slices.CompactFunc(p.sightings, func(a, b sighting) bool { return a.offset == b.offset && a.value == b.value })
	slices.Sort(p.all)
	slices.Sort(p.visible)
	p.all, p.visible = slices.Compact(p.all), slices.Compact(p.visible)
}

// written finds the send of a value, nil if there was none.
func (v *view) written(value int64) *write {
	if i, ok := v.byVal[value]; ok {
		return &v.writes[i]
	}
	return nil
}

// between tells the first offset in [from, to) at which a reader must find
// something.
func (p *partition) between(from, to int64, committed bool) (int64, bool) {
	known := p.all
	if committed {
		known = p.visible
	}
	i, _ := slices.BinarySearch(known, from)
	if i < len(known) && known[i] < to {
		return known[i], true
	}
	return 0, false
}

// polls calls f for each operation that read, in the order of the history.
func (v *view) polls(f func(op *Op, m *Micro)) {
	for _, i := range v.order {
		op := &v.ops[i]
		for j := range op.Micro {
			if m := &op.Micro[j]; m.Kind == Poll {
				f(op, m)
			}
		}
	}
}
