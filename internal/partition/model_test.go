package partition

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// model is the naive twin of a partition: all batches in a list, every answer
// found by looking through all of it.
type model struct {
	list        []modelBatch
	start, high int64
}

type modelBatch struct {
	base, next int64
	bytes      []byte
	id         int64 // producer of a transactional batch or marker, -1
	marker     bool
	commit     bool
}

func (m *model) end() int64 {
	if len(m.list) == 0 {
		return 0
	}
	return m.list[len(m.list)-1].next
}

// txns lists all transactions: first offset, marker or -1, and whether aborted.
func (m *model) txns() (out []modelTxn) {
	open := map[int64]int{}
	for _, b := range m.list {
		if b.id < 0 {
			continue
		}
		i, has := open[b.id]
		switch {
		case b.marker && has:
			out[i].marker, out[i].aborted = b.base, !b.commit
			delete(open, b.id)
		case !b.marker && !has:
			open[b.id] = len(out)
			out = append(out, modelTxn{id: b.id, first: b.base, marker: -1})
		}
	}
	return out
}

type modelTxn struct {
	id, first, marker int64
	aborted           bool
}

func (m *model) stable() int64 {
	s := m.high
	for _, x := range m.txns() {
		if x.marker < 0 || x.marker >= m.high {
			s = min(s, x.first)
		}
	}
	return max(s, m.start)
}

// readable is everything from the batch that holds offset up to bound.
func (m *model) readable(offset, bound int64) (out []byte, first int) {
	for _, b := range m.list {
		if b.next > offset && b.base < bound {
			if out == nil {
				first = len(b.bytes)
			}
			out = append(out, b.bytes...)
		}
	}
	return out, first
}

// aborted lists the transactions that a reader of [from, to) must hide.
func (m *model) aborted(from, to int64) (out []producer.Aborted) {
	for _, x := range m.txns() {
		if x.aborted && x.marker >= from && x.first < to {
			out = append(out, producer.Aborted{ProducerID: x.id, FirstOffset: x.first, LastOffset: x.marker})
		}
	}
	return out
}

// walk is one random life of a partition beside its model.
type walk struct {
	*rig
	rnd  *rand.Rand
	m    model
	seqs map[int64]int32 // next sequence of each producer
	open map[int64]bool
	sent map[int64][]sentBatch // last batches of each idempotent producer
}

type sentBatch struct {
	seq  int32
	n    int
	base int64
}

func TestFetchAgreesWithANaiveModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := &walk{
				rnd:  rand.New(rand.NewPCG(seed, 7)),
				seqs: map[int64]int32{}, open: map[int64]bool{}, sent: map[int64][]sentBatch{},
			}
			w.rig = memRig(t, func(c *Config) {
				c.Log.SegmentBytes = 2000 + w.rnd.Int64N(8000)
				c.Log.IndexIntervalBytes = w.rnd.Int64N(2000)
			})
			for range 600 {
				w.step()
				if t.Failed() {
					return
				}
			}
		})
	}
}

func (w *walk) step() {
	switch n := w.rnd.IntN(100); {
	case n < 20:
		w.append(batch(1+w.rnd.IntN(5), w.rnd.IntN(400), "plain"), -1, all)
	case n < 32:
		w.idempotent(1 + w.rnd.Int64N(3))
	case n < 40:
		w.again(1 + w.rnd.Int64N(3))
	case n < 52:
		w.transaction(10 + w.rnd.Int64N(4))
	case n < 60:
		w.decide(10 + w.rnd.Int64N(4))
	case n < 72:
		w.round()
		w.m.high = w.m.end()
	case n < 74:
		w.delete()
	case n < 75:
		w.restart()
		w.m.high = w.m.end()
	default:
		w.fetch()
	}
	w.offsets()
}

func (w *walk) append(b []byte, id int64, a AppendArgs) Appended {
	h, err := record.ParseHeader(b)
	if err != nil {
		w.t.Fatal(err)
	}
	got := w.put(b, a)
	if got.Duplicate || got.BaseOffset != w.m.end() {
		w.t.Errorf("append: got %+v, want offset %d", got, w.m.end())
	}
	w.m.list = append(w.m.list, modelBatch{base: got.BaseOffset, next: got.End, bytes: slices.Clone(b), id: id, marker: h.Control()})
	return got
}

func (w *walk) idempotent(id int64) {
	n := 1 + w.rnd.IntN(3)
	seq := w.seqs[id]
	got := w.append(batch(n, w.rnd.IntN(200), "idem", from(id, 0, seq)), -1, all)
	w.seqs[id] += int32(n)
	w.sent[id] = append(w.sent[id], sentBatch{seq, n, got.BaseOffset})
}

// again repeats one of the last batches of a producer.
func (w *walk) again(id int64) {
	s := w.sent[id]
	if len(s) == 0 {
		return
	}
	i := w.rnd.IntN(len(s))
	b := batch(s[i].n, 50, "idem", from(id, 0, s[i].seq))
	if i < len(s)-producer.WindowSize {
		w.refuse(b, all, wire.OutOfOrderSequenceNumber)
		return
	}
	got := w.put(b, all)
	if !got.Duplicate || got.BaseOffset != s[i].base || got.End != s[i].base+int64(s[i].n) {
		w.t.Errorf("sequence %d of producer %d again: got %+v, want %+v", s[i].seq, id, got, s[i])
	}
}

func (w *walk) transaction(id int64) {
	n := 1 + w.rnd.IntN(3)
	w.append(batch(n, w.rnd.IntN(200), "txn", from(id, 0, w.seqs[id]), transactional), id, ours)
	w.seqs[id] += int32(n)
	w.open[id] = true
}

func (w *walk) decide(id int64) {
	commit := w.rnd.IntN(2) == 0
	w.append(marker(id, 0, commit), id, ours)
	w.m.list[len(w.m.list)-1].commit = commit
	w.open[id] = false
}

func (w *walk) delete() {
	to := w.m.start + w.rnd.Int64N(w.m.high-w.m.start+1)
	low, err := w.p.DeleteRecords(to)
	if err != nil || low != to {
		w.t.Fatalf("delete records to %d: %d %v", to, low, err)
	}
	w.m.start = to
}

func (w *walk) offsets() {
	got := w.p.Offsets()
	want := Offsets{LogStart: w.m.start, HighWatermark: w.m.high, LastStable: w.m.stable(), LogEnd: w.m.end(), LeaderEpoch: w.epoch}
	if got != want {
		w.t.Errorf("offsets %+v, want %+v", got, want)
	}
}

func (w *walk) fetch() {
	a := at(w.rnd.Int64N(w.m.end()+4) - 1)
	a.MaxBytes = w.rnd.IntN(3000)
	a.MinOne = w.rnd.IntN(2) == 0
	bound := w.m.high
	if w.rnd.IntN(2) == 0 {
		a.Isolation, bound = ReadCommitted, w.m.stable()
	}
	if a.Offset < w.m.start || a.Offset > w.m.end() {
		var f Fetched
		if err := w.p.Fetch(&a, &f); wire.CodeOf(err) != wire.OffsetOutOfRange {
			w.t.Errorf("fetch %+v of [%d, %d]: %v, want OFFSET_OUT_OF_RANGE", a, w.m.start, w.m.end(), err)
		}
		return
	}
	f, got := w.get(a)
	want, first := w.m.readable(a.Offset, bound)
	if a.Offset >= bound {
		want = nil
	}
	switch {
	case !bytes.HasPrefix(want, got):
		w.t.Errorf("fetch %+v to %d: %d bytes that are not the first of the %d expected", a, bound, len(got), len(want))
	case len(want) > 0 && a.MinOne && len(got) < first:
		w.t.Errorf("fetch %+v: %d bytes, want the first batch of %d at least", a, len(got), first)
	case len(got) > max(a.MaxBytes, first) || !a.MinOne && len(got) > a.MaxBytes:
		w.t.Errorf("fetch %+v: %d bytes", a, len(got))
	case len(want) > 0 && len(got) == 0 && a.MaxBytes > 0:
		w.t.Errorf("fetch %+v to %d: nothing", a, bound)
	}
	w.hidden(&a, &f, got)
}

// hidden checks the list of aborted transactions: all that meet what was
// fetched, in the order of their first offsets, and none that do not exist.
func (w *walk) hidden(a *FetchArgs, f *Fetched, got []byte) {
	if a.Isolation != ReadCommitted {
		if f.Aborted != nil {
			w.t.Errorf("fetch %+v: aborted %+v, want none", a, f.Aborted)
		}
		return
	}
	hs := split(w.t, got)
	if len(hs) == 0 {
		return
	}
	last := hs[len(hs)-1]
	need := w.m.aborted(a.Offset, last.NextOffset())
	may := w.m.aborted(a.Offset, w.m.end())
	strip := func(x producer.Aborted) producer.Aborted { x.LastStableOffset = 0; return x }
	for i := range f.Aborted {
		if x := strip(f.Aborted[i]); !slices.Contains(may, x) {
			w.t.Errorf("fetch %+v: aborted %+v is not among %+v", a, x, may)
		}
		if i > 0 && f.Aborted[i].FirstOffset < f.Aborted[i-1].FirstOffset {
			w.t.Errorf("fetch %+v: aborted %+v is not in order", a, f.Aborted)
		}
	}
	for _, x := range need {
		if !slices.ContainsFunc(f.Aborted, func(y producer.Aborted) bool { return strip(y) == x }) {
			w.t.Errorf("fetch %+v up to %d: aborted %+v lacks %+v", a, last.NextOffset(), f.Aborted, x)
		}
	}
}
