package log

import (
	"math"
	"testing"
	"time"

	"ottla/internal/log/layout"
	"ottla/internal/record"
)

// bases lists the base offsets of a log's segments.
func bases(l *Log) []int64 {
	var out []int64
	for _, s := range l.segs {
		out = append(out, s.base)
	}
	return out
}

func put(t *testing.T, l *Log, h record.Header, b []byte) Position {
	t.Helper()
	p, err := l.Append(&h, b)
	if err != nil {
		t.Fatalf("append at %d: %v", h.BaseOffset, err)
	}
	return p
}

func TestSegmentsRollBySizeAgeIndexAndOffsets(t *testing.T) {
	const t0 = 1_700_000_000_000
	_, sample := batch(0, 0, t0, 1)
	size := int64(len(sample))
	for name, c := range map[string]struct {
		cfg  Config
		next func(end int64) (record.Header, []byte) // the batch after a first one at 0
		roll bool
	}{
		"it fits to the byte":       {Config{SegmentBytes: 2 * size}, func(e int64) (record.Header, []byte) { return batch(e, 0, t0, 1) }, false},
		"one byte too many":         {Config{SegmentBytes: 2*size - 1}, func(e int64) (record.Header, []byte) { return batch(e, 0, t0, 1) }, true},
		"as old as allowed":         {Config{SegmentAge: time.Minute}, func(e int64) (record.Header, []byte) { return batch(e, 0, t0+60_000, 1) }, false},
		"older by its records":      {Config{SegmentAge: time.Minute}, func(e int64) (record.Header, []byte) { return batch(e, 0, t0+60_001, 1) }, true},
		"an index without room":     {Config{IndexBytes: 8, IndexIntervalBytes: 1}, func(e int64) (record.Header, []byte) { return batch(e, 0, t0, 1) }, true},
		"offsets that do not fit":   {Config{}, func(int64) (record.Header, []byte) { return batch(math.MaxInt32+1, 0, t0, 1) }, true},
		"the last offset that fits": {Config{Compact: true}, func(int64) (record.Header, []byte) { return batch(math.MaxInt32, 0, t0, 1) }, false},
		"a gap":                     {Config{}, func(e int64) (record.Header, []byte) { return batch(e+1, 0, t0, 1) }, true},
		"a gap in a compacted log":  {Config{Compact: true}, func(e int64) (record.Header, []byte) { return batch(e+1, 0, t0, 1) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newRig(t).log(c.cfg)
			h, b := batch(0, 0, t0, 1)
			put(t, l, h, b)
			if c.cfg.IndexBytes > 0 { // the second batch makes the one entry there is room for
				h, b = batch(1, 0, t0, 1)
				put(t, l, h, b)
			}
			before := len(bases(l))
			h, b = c.next(l.End().Offset)
			end := put(t, l, h, b)
			if got := len(bases(l)) > before; got != c.roll {
				t.Errorf("rolled %v, want %v: segments %v", got, c.roll, bases(l))
			}
			if c.roll && end.Segment != h.BaseOffset {
				t.Errorf("the new segment is %d, want %d", end.Segment, h.BaseOffset)
			}
		})
	}
}

func TestRecordsWithoutTimeAgeByTheClock(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{SegmentAge: time.Minute})
	for i, wait := range []time.Duration{0, time.Minute, time.Millisecond} {
		r.now = r.now.Add(wait)
		h, b := batch(int64(i), 0, -1, 1)
		put(t, l, h, b)
	}
	if got := bases(l); len(got) != 2 || got[1] != 2 {
		t.Errorf("segments %v, want the third batch in its own", got)
	}
}

func TestJitterStaysInItsRangeAndOutlivesARestart(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{SegmentAge: time.Hour, SegmentJitter: time.Minute})
	c := l.Config()
	seen := map[time.Duration]bool{}
	for base := range int64(50) {
		j := l.jitter(&c, base)
		if j < 0 || j >= time.Minute || j != l.jitter(&c, base) {
			t.Fatalf("jitter %v of segment %d", j, base)
		}
		seen[j] = true
	}
	if len(seen) < 40 {
		t.Errorf("only %d different jitters of 50 segments", len(seen))
	}
}

func TestRollClosesTheActiveSegmentButNoEmptyOne(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	for range 2 {
		if err := l.Roll(); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, l, 2, 1)
	for range 2 {
		if err := l.Roll(); err != nil {
			t.Fatal(err)
		}
	}
	if got := bases(l); len(got) != 2 || got[1] != 2 {
		t.Errorf("segments %v, want 0 and 2", got)
	}
	fill(t, l, 2, 1)
	wantRun(t, readAll(t, l, 0), 4, 1)
}

func TestAGapIsReadOverAndKnownAfterAKill(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	fill(t, l, 3, 1)
	h, b := batch(10, 0, 1_700_000_000_000, 1)
	put(t, l, h, b)
	for range 2 {
		s, err := l.Read(3, l.End(), 1000, true)
		if err != nil || s.Len != len(b) {
			t.Fatalf("read in the gap: %d bytes %v, want the batch behind it", s.Len, err)
		}
		s.Release()
		if err := l.Scrub(); err != nil {
			t.Errorf("scrub: %v", err)
		}
		r.reopen()
		l = r.log(small)
		if got := l.End().Offset; got != 11 || l.RecoveryReport() == nil || l.RecoveryReport().CutBytes != 0 {
			t.Fatalf("after a kill the end is %d, %+v", got, l.RecoveryReport())
		}
	}
}

// The recovery point may lie behind a gap at whose end nothing was written yet. What lies
// between never was there: a power cut while the segment at the gap's end gives way to a
// later one takes nothing.
func TestAGapBeforeTheRecoveryPointIsNoLoss(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	fill(t, l, 3, 1)
	h, b := batch(4, 0, 1_700_000_000_000, 1)
	put(t, l, h, b)
	for _, do := range []func() error{func() error { return l.TruncateTo(4) }, r.d.SyncRound, func() error { return r.d.Checkpoint(nil) }} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	h, b = batch(8, 0, 1_700_000_000_000, 1)
	put(t, l, h, b)
	if err := r.fs.Remove("/data/orders-0/" + layout.FileName(8, layout.Log)); err != nil { // it was not synced
		t.Fatal(err)
	}
	for range 2 {
		r.reopen()
		l = r.log(small)
		if got := l.End().Offset; got != 4 || l.RecoveryReport() != nil && l.RecoveryReport().Reason != "" {
			t.Errorf("the end is %d, want 4; %+v", got, l.RecoveryReport())
		}
		s, err := l.Read(3, l.End(), 1000, true)
		if err != nil || s.Len != 0 {
			t.Errorf("read in the gap: %d bytes, %v", s.Len, err)
		}
		if err := l.Scrub(); err != nil {
			t.Errorf("scrub: %v", err)
		}
	}
	put(t, l, h, b)
	if got := l.End().Offset; got != 9 {
		t.Errorf("the end is %d, want 9", got)
	}
}
