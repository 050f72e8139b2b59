package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// world makes good histories: a log that behaves, and clients of all kinds.
type world struct {
	r       *rand.Rand
	clock   int64
	ops     []Op
	logs    [][]entry
	value   int64
	open    []*txn
	readers []*reader
	group   *members
}

type state int8

const (
	plain state = iota
	undecided
	aborted
	marker
)

type entry struct {
	value int64
	state state
}

type txn struct {
	op      Op
	entries [][2]int // partition, offset
}

type reader struct {
	process   int32
	committed bool
	next      []int64
}

// members is one group with two members that share the partitions.
type members struct {
	process    [2]int32
	generation int32
	next       []int64 // where the owner stands
	committed  []int64
}

const (
	partitions = 4
	producers  = 6 // processes 1..6; 11..14 hold transactions; 21.. read
)

func newWorld(seed uint64) *world {
	w := &world{r: rand.New(rand.NewPCG(seed, 1)), logs: make([][]entry, partitions)}
	for i := range int32(4) {
		rd := &reader{process: 21 + i, committed: i%2 == 0, next: make([]int64, partitions)}
		w.readers = append(w.readers, rd)
		w.assign(rd)
	}
	w.group = &members{process: [2]int32{31, 32}, next: make([]int64, partitions), committed: slices.Repeat([]int64{-1}, partitions)}
	w.rebalance()
	return w
}

// good makes a history of about n operations.
func good(seed uint64, n int) []Op {
	w := newWorld(seed)
	for len(w.ops) < n {
		switch x := w.r.IntN(100); {
		case x < 50:
			w.send()
		case x < 58:
			w.transact()
		case x < 75:
			w.poll(w.readers[w.r.IntN(len(w.readers))], 2, false)
		case x < 85:
			w.groupPoll()
		case x < 90:
			w.commit()
		case x < 94:
			w.fetchCommitted()
		case x < 96:
			w.rebalance()
		case x < 97:
			w.reset()
		case x < 98:
			w.crash()
		default:
			w.ends()
		}
	}
	for len(w.open) > 0 {
		w.finish()
	}
	for _, rd := range w.readers[:2] {
		for w.poll(rd, partitions, true) {
		}
	}
	return w.ops
}

func (w *world) now() int64 { w.clock++; return w.clock }

func (w *world) do(op Op) {
	if op.Start == 0 {
		op.Start = w.now()
	}
	op.End = w.now()
	w.ops = append(w.ops, op)
}

func name(p int) string { return fmt.Sprintf("t-%d", p) }

func (w *world) append(p int, s state) Record {
	w.value++
	w.logs[p] = append(w.logs[p], entry{w.value, s})
	return Record{int64(len(w.logs[p])) - 1, w.value}
}

func sent(p int, rec Record) Micro {
	return Micro{Kind: Send, Partition: name(p), Records: []Record{rec}}
}

func (w *world) send() {
	p := w.r.IntN(partitions)
	op := Op{Process: 1 + w.r.Int32N(producers), Kind: Send, Outcome: OK}
	switch x := w.r.IntN(50); {
	case x == 0: // no answer, written
		rec := w.append(p, plain)
		op.Outcome, op.Micro = Info, []Micro{sent(p, Record{-1, rec.Value()})}
	case x == 1: // no answer, not written
		w.value++
		op.Outcome, op.Micro = Info, []Micro{sent(p, Record{-1, w.value})}
	case x == 2:
		w.value++
		op.Outcome, op.Micro = Fail, []Micro{sent(p, Record{-1, w.value})}
	default:
		op.Micro = []Micro{sent(p, w.append(p, plain))}
	}
	w.do(op)
}

// transact begins a transaction, adds to one or ends one.
func (w *world) transact() {
	if len(w.open) == 4 || len(w.open) > 0 && w.r.IntN(2) == 0 {
		w.finish()
		return
	}
	process := int32(11)
	for slices.ContainsFunc(w.open, func(t *txn) bool { return t.op.Process == process }) {
		process++
	}
	t := &txn{op: Op{Process: process, Kind: Txn, Committed: true, Start: w.now()}}
	for range 2 + w.r.IntN(3) {
		p := w.r.IntN(partitions)
		rec := w.append(p, undecided)
		t.op.Micro = append(t.op.Micro, sent(p, rec))
		t.entries = append(t.entries, [2]int{p, int(rec.Offset())})
	}
	w.open = append(w.open, t)
}

func (w *world) finish() {
	i := w.r.IntN(len(w.open))
	t := w.open[i]
	w.open = slices.Delete(w.open, i, i+1)
	outcome, s := OK, plain
	switch w.r.IntN(6) {
	case 0:
		outcome, s = Fail, aborted
	case 1:
		outcome = Info
	case 2:
		outcome, s = Info, aborted
	}
	ended := map[int]bool{}
	for _, e := range t.entries {
		w.logs[e[0]][e[1]].state = s
		if !ended[e[0]] {
			w.logs[e[0]] = append(w.logs[e[0]], entry{-1, marker})
			ended[e[0]] = true
		}
	}
	if outcome == OK { // what it read before it ended, at read_committed
		for p := range partitions {
			if stable := w.stable(p); stable > 0 && w.logs[p][stable-1].state == plain && w.r.IntN(3) == 0 {
				rec := Record{stable - 1, w.logs[p][stable-1].value}
				if !slices.ContainsFunc(t.op.Micro, func(m Micro) bool { return m.Records[0] == rec }) {
					w.do(Op{Process: t.op.Process, Kind: Assign, Outcome: OK, Positions: []Position{{name(p), rec.Offset()}}})
					t.op.Start = w.now()
					t.op.Micro = append(t.op.Micro, Micro{Kind: Poll, Partition: name(p), Records: []Record{rec}})
					break
				}
			}
		}
	}
	t.op.Outcome = outcome
	w.do(t.op)
}

// stable is the last stable offset: where the first open transaction begins.
func (w *world) stable(p int) int64 {
	stable := int64(len(w.logs[p]))
	for _, t := range w.open {
		for _, e := range t.entries {
			if e[0] == p {
				stable = min(stable, int64(e[1]))
			}
		}
	}
	return stable
}

// take reads up to a bound of records from next on.
func (w *world) take(p int, next int64, committed bool) (Micro, int64) {
	high, stable := int64(len(w.logs[p])), w.stable(p)
	limit := high
	if committed {
		limit = stable
	}
	m := Micro{Kind: Poll, Partition: name(p), Marks: &Marks{LogStart: 0, LastStable: stable, High: high, LogEnd: high}}
	for most := 1 + w.r.IntN(12); next < limit && len(m.Records) < most; next++ {
		e := w.logs[p][next]
		if e.state == marker || committed && e.state == aborted {
			continue
		}
		m.Records = append(m.Records, Record{next, e.value})
	}
	return m, next
}

func (w *world) assign(rd *reader) {
	op := Op{Process: rd.process, Kind: Assign, Outcome: OK}
	for p := range partitions {
		op.Positions = append(op.Positions, Position{name(p), rd.next[p]})
	}
	w.do(op)
}

func (w *world) poll(rd *reader, n int, final bool) bool {
	op := Op{Process: rd.process, Kind: Poll, Outcome: OK, Committed: rd.committed, Final: final}
	moved := false
	for _, p := range w.r.Perm(partitions)[:n] {
		m, next := w.take(p, rd.next[p], rd.committed)
		moved = moved || next > rd.next[p]
		rd.next[p] = next
		op.Micro = append(op.Micro, m)
	}
	w.do(op)
	return moved
}

// owned are the partitions of a member.
func (g *members) owned(m int) []int {
	var out []int
	for p := range partitions {
		if (p+int(g.generation))%2 == m {
			out = append(out, p)
		}
	}
	return out
}

func (w *world) rebalance() {
	w.group.generation++
	for p, c := range w.group.committed {
		w.group.next[p] = max(c, 0)
	}
	for m, process := range w.group.process {
		w.do(Op{Process: process, Kind: Subscribe, Outcome: OK, Group: "g", Member: fmt.Sprint("m", process), Generation: w.group.generation})
		op := Op{Process: process, Kind: Subscribe, Outcome: OK, Group: "g", Member: fmt.Sprint("m", process), Generation: w.group.generation}
		for _, p := range w.group.owned(m) {
			op.Positions = append(op.Positions, Position{name(p), -1})
		}
		w.do(op)
	}
}

func (w *world) groupPoll() {
	m := w.r.IntN(2)
	op := Op{Process: w.group.process[m], Kind: Poll, Outcome: OK, Committed: true}
	for _, p := range w.group.owned(m) {
		micro, next := w.take(p, w.group.next[p], true)
		w.group.next[p] = next
		op.Micro = append(op.Micro, micro)
	}
	w.do(op)
}

func (w *world) commit() {
	m := w.r.IntN(2)
	op := Op{Process: w.group.process[m], Kind: Commit, Outcome: OK, Group: "g", Member: fmt.Sprint("m", w.group.process[m]), Generation: w.group.generation}
	for _, p := range w.group.owned(m) {
		op.Positions = append(op.Positions, Position{name(p), w.group.next[p]})
	}
	effect := true
	switch w.r.IntN(8) {
	case 0:
		op.Outcome = Info
	case 1:
		op.Outcome, effect = Info, false
	case 2:
		op.Outcome, effect = Fail, false
	}
	if effect {
		for _, p := range op.Positions {
			var i int
			fmt.Sscanf(p.Partition, "t-%d", &i)
			w.group.committed[i] = p.Offset
		}
	}
	w.do(op)
}

func (w *world) fetchCommitted() {
	op := Op{Process: 41, Kind: Committed, Outcome: OK, Group: "g"}
	for p, c := range w.group.committed {
		op.Positions = append(op.Positions, Position{name(p), c})
	}
	w.do(op)
}

func (w *world) reset() {
	p := w.r.IntN(partitions)
	w.group.committed[p] = max(0, w.group.committed[p]/2)
	w.do(Op{Process: 41, Kind: Reset, Outcome: OK, Group: "g", Positions: []Position{{name(p), w.group.committed[p]}}})
	w.rebalance()
}

// crash ends a reader; a new one takes over from the beginning or from where it
// stood.
func (w *world) crash() {
	rd := w.readers[w.r.IntN(len(w.readers))]
	w.do(Op{Process: rd.process, Kind: Crash, Outcome: OK})
	rd.process += 100
	if w.r.IntN(2) == 0 {
		clear(rd.next)
	}
	w.assign(rd)
}

func (w *world) ends() {
	op := Op{Process: 41, Kind: Ends, Outcome: OK}
	for p := range partitions {
		n := int64(len(w.logs[p]))
		op.Micro = append(op.Micro, Micro{Kind: Poll, Partition: name(p), Marks: &Marks{LogStart: -1, LastStable: w.stable(p), High: n, LogEnd: -1}})
	}
	w.do(op)
}
