package history

import (
	"math/rand/v2"
	"testing"
)

func TestLineageGivesBackWhatEffectTook(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[int64]bool{}
	for range 10_000 {
		stage, input, salt := 1+r.IntN(6), r.Int64N(MaxInput), r.Uint32()
		v := Effect(stage, input, salt)
		if s, in := Lineage(v); s != stage || in != input || v < 0 {
			t.Fatalf("Effect(%d, %d, %d) = %d is read as %d, %d", stage, input, salt, v, s, in)
		}
		if seen[v] {
			t.Fatalf("%d was made twice", v)
		}
		seen[v] = true
		if s, in := Lineage(input); s != 0 || in != input {
			t.Fatalf("input %d is read as %d, %d", input, s, in)
		}
	}
	for _, v := range []int64{Apart(3, 9), Apart(1<<30, 1<<31), -1, MaxInput, 1 << 40} {
		if s, _ := Lineage(v); s != -1 {
			t.Errorf("%d has stage %d, want none", v, s)
		}
	}
}

// flow is a history of inputs that pass through two stages, one transaction an
// input and stage; change bends it before it is judged.
func flow(change func(ops []Op) []Op) *Report {
	var ops []Op
	clock := int64(0)
	do := func(op Op) {
		op.Start, op.End = clock+1, clock+2
		clock += 2
		ops = append(ops, op)
	}
	micro := func(kind Kind, partition string, offset, value int64) Micro {
		return Micro{Kind: kind, Partition: partition, Records: []Record{{offset, value}}}
	}
	const inputs = 20
	for i := range int64(inputs) {
		do(Op{Process: 1, Kind: Send, Outcome: OK, Micro: []Micro{micro(Send, "in-0", i, i+1)}})
	}
	for i := range int64(inputs) { // an aborted try, then one that is committed
		for try, outcome := range []Outcome{Fail, OK} {
			salt := uint32(try)
			at := 3*i + 2*int64(try) // the abort marker is between
			do(Op{Process: 2, Kind: Txn, Outcome: outcome, Micro: []Micro{micro(Send, "mid-0", at, Effect(1, i+1, salt)), micro(Send, "out-0", at, Effect(2, i+1, salt))}})
		}
	}
	final := Op{Process: 3, Kind: Poll, Outcome: OK, Committed: true, Final: true}
	for i := range int64(inputs) {
		final.Micro = append(final.Micro, micro(Poll, "in-0", i, i+1),
			micro(Poll, "mid-0", 3*i+2, Effect(1, i+1, 1)), micro(Poll, "out-0", 3*i+2, Effect(2, i+1, 1)))
	}
	do(final)
	if change != nil {
		ops = change(ops)
	}
	return Check(ops, Options{Idempotent: true, ExactMarks: true, Pipeline: &Pipeline{Source: "in", Stages: 2}})
}

func TestAPipelineThatWorksIsClean(t *testing.T) {
	if r := flow(nil); !r.OK() || r.Effects != 40 {
		t.Errorf("%d effects: %v", r.Effects, r)
	}
}

func TestBrokenPipelinesAreFound(t *testing.T) {
	final := func(ops []Op) *Op { return &ops[len(ops)-1] }
	without := func(ops []Op, value int64) []Op {
		g := garden{ops: ops}
		g.hide(value, nil)
		return g.ops
	}
	for rule, change := range map[string]func(ops []Op) []Op{
		"doubled-effect": func(ops []Op) []Op { // the aborted try is there too
			final(ops).Micro = append(final(ops).Micro, Micro{Kind: Poll, Partition: "mid-0", Records: []Record{{60, Effect(1, 4, 0)}}})
			return ops
		},
		"missing-effect": func(ops []Op) []Op { return without(ops, Effect(2, 7, 1)) },
		"effect-of-nothing": func(ops []Op) []Op {
			ops[5].Outcome = Fail
			return without(ops, 6)
		},
	} {
		if r := flow(change); r.Found[rule] == 0 {
			t.Errorf("%s was not found: %v", rule, r)
		}
	}
}

func TestInputsOfUnknownFateNeedEffectsOnlyWhereTheyAreSeen(t *testing.T) {
	lost := func(ops []Op) []Op {
		g := garden{ops: ops}
		for _, value := range []int64{3, Effect(1, 3, 1), Effect(2, 3, 1)} {
			g.hide(value, nil)
		}
		for i := range g.ops {
			if g.ops[i].Kind == Send && g.ops[i].Micro[0].Records[0].Value() == 3 {
				g.ops[i].Outcome = Info
			}
			if g.ops[i].Kind == Txn && g.ops[i].Micro[0].Records[0].Value() == Effect(1, 3, 1) {
				g.ops[i].Outcome = Info
			}
		}
		return g.ops
	}
	if r := flow(lost); !r.OK() {
		t.Error(r)
	}
	if r := flow(func(ops []Op) []Op {
		ops = lost(ops)
		last := &ops[len(ops)-1]
		last.Micro = append(last.Micro, Micro{Kind: Poll, Partition: "in-0", Records: []Record{{20, 3}}})
		return ops
	}); r.Found["missing-effect"] != 2 {
		t.Error(r)
	}
}
