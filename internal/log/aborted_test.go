package log

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// endOf is the offset after the last batch of which a slice has a byte.
func endOf(t *testing.T, s *Slice) int64 {
	t.Helper()
	end := int64(-1)
	var head [record.HeaderSize]byte
	for at := int64(0); at < int64(s.Len); {
		// What is cut off lies in the file behind the slice.
		if _, err := s.file.f.ReadAt(head[:], s.start+at); err != nil {
			t.Fatal(err)
		}
		h, err := record.ParseHeader(head[:])
		if err != nil {
			t.Fatal(err)
		}
		end, at = h.NextOffset(), at+int64(h.Size())
	}
	return end
}

// TestASliceComesWithTheAbortedTransactionsThatItHolds reads slices of all
// sizes from a log of interleaved transactions: none that a slice has a record
// of is missing, whatever the index says.
func TestASliceComesWithTheAbortedTransactionsThatItHolds(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{SegmentBytes: 3000, IndexIntervalBytes: 300, MaxDecompressed: 1 << 20})
	rnd := rand.New(rand.NewPCG(6, 7))
	open, seq := map[int64]bool{}, map[int64]int32{}
	for range 400 {
		id, at := rnd.Int64N(4), l.End().Offset
		if open[id] && rnd.IntN(3) == 0 {
			m := record.EndTxnMarker(id, 0, rnd.IntN(2) == 0, 0, 1_700_000_000_000)
			record.SetBaseOffset(m, at)
			h, err := record.ParseHeader(m)
			if err != nil {
				t.Fatal(err)
			}
			put(t, l, h, m)
			open[id] = false
			continue
		}
		h, b := produced(at, id, seq[id], true)
		seq[id]++
		open[id] = true
		put(t, l, h, b)
	}
	check := func(when string) (exact int) {
		t.Helper()
		for range 300 {
			to := 1 + rnd.Int64N(l.End().Offset)
			from := rnd.Int64N(to)
			s, err := l.Read(from, Position{Offset: to, Byte: -1}, rnd.IntN(2000), rnd.IntN(2) == 0)
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.AbortedIn(&s, from, to)
			if err != nil {
				t.Fatal(err)
			}
			end := max(from, endOf(t, &s))
			s.Release()
			need, err := l.Aborted(from, end)
			may, err2 := l.Aborted(from, to)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			for _, a := range need {
				if !slices.Contains(got, a) {
					t.Fatalf("%s: [%d, %d) to %d: %v lacks %v", when, from, end, to, got, a)
				}
			}
			for _, a := range got {
				if !slices.Contains(may, a) {
					t.Fatalf("%s: [%d, %d): %v is not among %v", when, from, to, a, may)
				}
			}
			if !slices.IsSortedFunc(got, func(a, b producer.Aborted) int { return int(a.FirstOffset - b.FirstOffset) }) {
				t.Fatalf("%s: %v is out of order", when, got)
			}
			if len(got) < len(may) {
				exact++
			}
		}
		return exact
	}
	if n := check("live"); n < 100 {
		t.Errorf("only %d of 300 answers leave anything out", n)
	}
	// An index that points into the middle of things is not believed.
	l.mu.Lock()
	for _, s := range l.segs {
		s.offsets = slices.Clone(s.offsets)
		for i := range s.offsets {
			s.offsets[i].Rel = s.offsets[i].Rel / 2
		}
	}
	l.mu.Unlock()
	check("with an index that is wrong")
}

// TestACheckpointCountsOnTheAbortsThatAreSaved lets a transaction abort between
// the moment when the transaction index is saved and the one when the
// checkpoint is made: a restart finds it in the log, and need not make the whole
// index again.
func TestACheckpointCountsOnTheAbortsThatAreSaved(t *testing.T) {
	for _, saved := range []int{0, 1} {
		r := newRig(t)
		lines := &bytes.Buffer{}
		r.o.Logger = slog.New(slog.NewTextHandler(lines, nil))
		r.open()
		l := r.log(Config{SegmentBytes: 1 << 20, IndexIntervalBytes: 300, MaxDecompressed: 1 << 20})
		seq := int32(0)
		abort := func() {
			_, b := produced(l.End().Offset, 1, seq, true)
			seq++
			for _, b := range [][]byte{b, record.EndTxnMarker(1, 0, false, 0, 1_700_000_000_000)} {
				record.SetBaseOffset(b, l.End().Offset)
				record.SetLeaderEpoch(b, 0)
				h, err := record.ParseHeader(b)
				if err != nil {
					t.Fatal(err)
				}
				put(t, l, h, b)
			}
		}
		save := func() {
			if err := r.d.SyncRound(); err != nil {
				t.Fatal(err)
			}
			if err := r.d.Checkpoint(nil); err != nil {
				t.Fatal(err)
			}
		}
		for range saved {
			abort()
		}
		fill(t, l, 2, 1)
		save()
		fill(t, l, 2, 1) // from here on a restart may go on
		save()
		abort()
		fill(t, l, 1, 1)
		if err := r.d.SyncRound(); err != nil {
			t.Fatal(err)
		}
		e := l.checkpointEntry()
		claims := 0
		for _, a := range e.Aborted {
			claims += int(a.Count)
		}
		if claims != saved {
			t.Errorf("%d aborts are saved, the checkpoint counts on %d", saved, claims)
		}
		r.d.book.Put(l.name, checkpointOf(l, e))
		if err := r.d.book.Persist(); err != nil {
			t.Fatal(err)
		}
		r.reopen()
		l = r.log(small)
		if got, err := l.Aborted(0, l.End().Offset); err != nil || len(got) != saved+1 {
			t.Errorf("%d saved: after a kill %v, %v", saved, got, err)
		}
		if strings.Contains(lines.String(), "made again") {
			t.Errorf("%d saved: %s", saved, lines)
		}
	}
}

func checkpointOf(l *Log, e *checkpoint.Log) checkpoint.Entry {
	return checkpoint.Entry{Topic: l.id.Topic, Partition: l.id.Partition, Body: checkpoint.AppendLog(nil, e)}
}

// A kill in the middle of a truncation may leave a segment's transaction index without
// its log. The segment that begins there next has no part in it.
func TestATransactionIndexWithoutItsSegmentIsRemoved(t *testing.T) {
	r := newRig(t)
	fill(t, r.log(small), 3, 1)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	stale := index.AppendAborted(nil, producer.Aborted{ProducerID: 1003, FirstOffset: 0, LastOffset: 3})
	if err := checkpoint.Write(r.fs, "/data/orders-0", layout.FileName(3, layout.Aborted), stale, true); err != nil {
		t.Fatal(err)
	}
	r.reopen()
	l := r.log(small)
	if err := l.Roll(); err != nil {
		t.Fatal(err)
	}
	fill(t, l, 2, 1)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	r.reopen()
	if got, err := r.log(small).Aborted(0, 5); err != nil || len(got) > 0 {
		t.Errorf("aborted transactions %v, %v, want none", got, err)
	}
}
