package history

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
)

var large = flag.Int("history.ops", 100_000, "operations of the large history")

func TestGoodHistoriesAreClean(t *testing.T) {
	for seed := range uint64(300) {
		ops := good(seed, 600)
		if r := Check(ops, Options{Idempotent: true, ExactMarks: true}); !r.OK() || r.Acked == 0 || r.Polled == 0 {
			t.Fatalf("seed %d: %v", seed, r)
		}
	}
}

func TestTheOrderOfLinesDoesNotMatter(t *testing.T) {
	ops := good(7, 2000)
	slices.Reverse(ops)
	if r := Check(ops, Options{Idempotent: true, ExactMarks: true}); !r.OK() {
		t.Error(r)
	}
}

// A check must stay usable for a night's million operations within 2 GiB; its
// time is BenchmarkCheck's matter (at most 60 µs an operation).
func TestMemoryOfACheckIsBounded(t *testing.T) {
	ops := good(1, *large)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := Check(ops, Options{Idempotent: true, ExactMarks: true})
	runtime.ReadMemStats(&after)
	if !r.OK() {
		t.Fatal(r)
	}
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(len(ops))*2048; got > limit {
		t.Errorf("%d operations allocated %d bytes, at most %d", len(ops), got, limit)
	}
}

func BenchmarkCheck(b *testing.B) {
	ops := good(1, *large)
	b.ReportAllocs()
	for b.Loop() {
		if r := Check(ops, Options{Idempotent: true, ExactMarks: true}); !r.OK() {
			b.Fatal(r)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(ops)), "ns/operation")
}

// A new leader knows less than the old one told (KIP-207); what was read by then is
// there all the same.
func TestAMarkThatFallsIsCountedWhereLeadersChange(t *testing.T) {
	g := &garden{r: rand.New(rand.NewPCG(3, 2)), ops: good(3, 600)}
	if !marked(g, func(m *Micro) { m.Marks.High, m.Marks.LogEnd = 1<<40, 1<<40 }) {
		t.Fatal("no place for it")
	}
	if r := Check(g.ops, Options{Idempotent: true}); !r.OK() || r.Noted["high-watermark-fell"] == 0 {
		t.Errorf("not exact: %v, noted %v", r, r.Noted)
	}
	if r := Check(g.ops, Options{Idempotent: true, ExactMarks: true}); r.Found["high-watermark-fell"] == 0 {
		t.Errorf("exact: %v", r)
	}
}

func TestDuplicatesOfPlainProducersAreCountedOnly(t *testing.T) {
	ops := []Op{
		{Process: 1, Kind: Send, Outcome: Info, Start: 1, End: 2, Micro: []Micro{sent(0, Record{-1, 1})}},
		{Process: 2, Kind: Poll, Outcome: OK, Start: 3, End: 4, Micro: []Micro{{Kind: Poll, Partition: name(0), Records: []Record{{0, 1}, {1, 1}}}}},
	}
	if r := Check(ops, Options{}); !r.OK() || r.Noted["duplicate"] != 1 {
		t.Error(r)
	}
	if r := Check(ops, Options{Idempotent: true, ExactMarks: true}); r.Found["duplicate"] != 1 {
		t.Error(r)
	}
}

func TestContradictionsOfInexactMarksAreCountedOnly(t *testing.T) {
	ops := []Op{
		{Process: 1, Kind: Send, Outcome: OK, Start: 1, End: 2, Micro: []Micro{sent(0, Record{0, 1})}},
		{Process: 2, Kind: Poll, Outcome: OK, Start: 3, End: 4, Micro: []Micro{{Kind: Poll, Partition: name(0), Records: []Record{{0, 1}}, Marks: &Marks{0, 1, 0, -1}}}},
	}
	if r := Check(ops, Options{}); !r.OK() || r.Noted["read-above-mark"] != 1 || r.Noted["marks-order"] != 1 {
		t.Error(r)
	}
	if r := Check(ops, Options{ExactMarks: true}); r.Found["read-above-mark"] != 1 || r.Found["marks-order"] != 1 {
		t.Error(r)
	}
	ops[1].Kind, ops[1].Micro[0].Records = Ends, nil
	if r := Check(ops, Options{}); r.Found["marks-order"] != 1 {
		t.Error(r)
	}
}

// A poll may wait through a rebalance: what it brings belongs to the generation
// in which it ended.
func TestAPollBelongsToTheGenerationInWhichItEnds(t *testing.T) {
	poll := func(start, end int64, r ...Record) Op {
		return Op{Process: 2, Kind: Poll, Outcome: OK, Start: start, End: end, Micro: []Micro{{Kind: Poll, Partition: name(0), Records: r}}}
	}
	own := func(start int64, generation int32) Op {
		return Op{Process: 2, Kind: Subscribe, Outcome: OK, Start: start, End: start + 1, Group: "g", Member: "m", Generation: generation, Positions: []Position{{name(0), -1}}}
	}
	var ops []Op
	for i := range int64(4) {
		ops = append(ops, Op{Process: 1, Kind: Send, Outcome: OK, Start: 1 + i, End: 5 + i, Micro: []Micro{sent(0, Record{i, 100 + i})}})
	}
	ops = append(ops, own(10, 1), poll(12, 13, Record{0, 100}), own(22, 2), poll(20, 30, Record{2, 102}))
	if r := Check(ops, Options{}); r.Found["poll-skip"] != 0 {
		t.Error(r)
	}
	ops[6].Start, ops[6].End = 40, 41
	if r := Check(ops, Options{}); r.Found["poll-skip"] != 1 {
		t.Error(r)
	}
}

func TestReportsNameRulesAndBoundExamples(t *testing.T) {
	ops := good(3, 1000)
	for i := range ops {
		if ops[i].Kind == Poll {
			for j := range ops[i].Micro {
				ops[i].Micro[j].Records = nil
			}
		}
	}
	r := Check(ops, Options{})
	if r.OK() || len(r.Examples) > 2*maxExamples || !bytes.Contains([]byte(r.String()), []byte("unseen")) {
		t.Error(r)
	}
}

func TestHistoriesAreReadAsTheyWereWritten(t *testing.T) {
	path := t.TempDir() + "/h.jsonl"
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	want := good(5, 500)
	for _, op := range want {
		w.Add(op)
	}
	if err := w.Close(); err != nil || w.Count() != int64(len(want)) {
		t.Fatal(w.Count(), err)
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if len(got) != len(want) || !bytes.Equal(a, b) || !reflect.DeepEqual(got[0], want[0]) {
		t.Error("the history that was read differs from the one written")
	}
}

func TestDamagedHistoriesAreRefused(t *testing.T) {
	if _, err := Read(bytes.NewReader([]byte("{\"p\":1}\n{\"p\":"))); err == nil {
		t.Error("half a line was taken")
	}
}

func TestTimesOfAHistoryDiffer(t *testing.T) {
	w, err := Create(t.TempDir() + "/h")
	if err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	for range 1000 {
		now := w.Now()
		if now <= last {
			t.Fatalf("%d after %d", now, last)
		}
		last = now
	}
	if first, second := w.Process(), w.Process(); first == second {
		t.Error("two processes have one number")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestComponentsOfALongChainAndARing(t *testing.T) {
	const n = 200_000
	edges, nodes := map[int32][]int32{}, []int32{}
	for i := range int32(n) {
		nodes, edges[i] = append(nodes, i), []int32{i + 1}
	}
	if c := components(nodes, edges); len(c) != 0 {
		t.Fatalf("a chain has %d circles", len(c))
	}
	edges[n] = []int32{0}
	if c := components(append(nodes, n), edges); len(c) != 1 || len(c[0]) != n+1 {
		t.Fatalf("a ring of %d has circles %d", n+1, len(c))
	}
}
