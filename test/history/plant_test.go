package history

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
)

// garden is a good history into which one fault is planted.
type garden struct {
	r   *rand.Rand
	ops []Op
}

// pick returns the index of some operation for which want holds.
func (g *garden) pick(want func(op *Op) bool) (int, bool) {
	var all []int
	for i := range g.ops {
		if want(&g.ops[i]) {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return all[g.r.IntN(len(all))], true
}

// hide takes a value out of every poll, or out of those that want picks.
func (g *garden) hide(value int64, want func(op *Op) bool) {
	for i := range g.ops {
		if want != nil && !want(&g.ops[i]) {
			continue
		}
		for j := range g.ops[i].Micro {
			if m := &g.ops[i].Micro[j]; m.Kind == Poll {
				m.Records = slices.DeleteFunc(m.Records, func(r Record) bool { return r.Value() == value })
			}
		}
	}
}

// end tells the highest polled offset of a partition and the value there.
func (g *garden) end(partition string) Record {
	last := Record{-1, -1}
	for _, op := range g.ops {
		for _, m := range op.Micro {
			if m.Kind == Poll && m.Partition == partition {
				for _, r := range m.Records {
					if r.Offset() > last.Offset() {
						last = r
					}
				}
			}
		}
	}
	return last
}

func (g *garden) add(op Op) {
	last := g.ops[len(g.ops)-1].End
	op.Start, op.End, op.Outcome = last+1, last+2, OK
	g.ops = append(g.ops, op)
}

// polled picks a poll by assign with at least n records of one partition.
func (g *garden) polled(n int, committed bool) (*Op, *Micro, bool) {
	fits := func(m Micro) bool { return m.Kind == Poll && len(m.Records) >= n }
	i, ok := g.pick(func(op *Op) bool {
		return op.Kind == Poll && op.Process > 20 && op.Process < 30 && op.Committed == committed && slices.ContainsFunc(op.Micro, fits)
	})
	if !ok {
		return nil, nil, false
	}
	op := &g.ops[i]
	return op, &op.Micro[slices.IndexFunc(op.Micro, fits)], true
}

func acked(op *Op) bool { return op.Kind == Send && op.Outcome == OK }

func transaction(outcome Outcome) func(op *Op) bool {
	return func(op *Op) bool {
		return op.Kind == Txn && op.Outcome == outcome && op.Micro[0].Partition != op.Micro[1].Partition
	}
}

// sight adds a poll of one record by a reader of its own.
func (g *garden) sight(partition string, rec Record, committed bool) {
	g.add(Op{Process: 900, Kind: Poll, Committed: committed, Micro: []Micro{{Kind: Poll, Partition: partition, Records: []Record{rec}}}})
}

// reader is the process of the final polls at read_committed.
func (g *garden) reader() int32 {
	i, _ := g.pick(func(op *Op) bool { return op.Final && op.Committed })
	return g.ops[i].Process
}

// seen tells whether a value was read at read_committed.
func (g *garden) seen(value int64) bool {
	_, ok := g.pick(func(op *Op) bool {
		return op.Committed && slices.ContainsFunc(op.Micro, func(m Micro) bool {
			return m.Kind == Poll && slices.ContainsFunc(m.Records, func(r Record) bool { return r.Value() == value })
		})
	})
	return ok
}

// TestEachPlantedFaultIsFound is the bench of the checker itself: a rule that
// sees nothing proves nothing. Each fault is planted into several good histories and
// must be found in each by the rule it belongs to.
func TestEachPlantedFaultIsFound(t *testing.T) {
	const seeds = 4
	if len(plants) < 25 {
		t.Fatalf("%d plants, want at least 25", len(plants))
	}
	for _, p := range plants {
		for seed := range uint64(seeds) {
			text, err := json.Marshal(good(seed, 1500))
			if err != nil {
				t.Fatal(err)
			}
			g := &garden{r: rand.New(rand.NewPCG(seed, 2))}
			if err := json.Unmarshal(text, &g.ops); err != nil { // a copy that shares nothing
				t.Fatal(err)
			}
			if !p.plant(g) {
				t.Errorf("%s: no place for it in the history of seed %d", p.name, seed)
				continue
			}
			if r := Check(g.ops, Options{Idempotent: true, ExactMarks: true}); r.Found[p.rule] == 0 {
				t.Errorf("%s, seed %d: want %s, got %v", p.name, seed, p.rule, r)
			}
		}
	}
}
