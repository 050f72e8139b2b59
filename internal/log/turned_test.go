package log

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"ottla/internal/log/layout"
	"ottla/internal/record"
)

// TestAnOffsetThatTurnedHidesNothing: no checksum covers a batch's offset, and where
// compaction may have left some out, one that lies beyond the end is as good as none.
// What is behind it was then read as if the log had nothing there.
func TestAnOffsetThatTurnedHidesNothing(t *testing.T) {
	c := small
	c.Compact = true
	mine, other, r := twins(t, c)
	bases := mine.SegmentBases()
	want := wholeBatches(t, mine, 0, mine.End().Offset)
	for _, base := range []int64{bases[0], bases[1], bases[len(bases)-1]} {
		at := base + 5 // the second batch of the segment
		hurtSegment(r, base, func(b []byte) {
			h, err := record.ParseHeader(b)
			if err != nil {
				t.Fatal(err)
			}
			b[h.Size()+2] ^= 1
		})
		rot := (*CorruptError)(nil)
		if s, err := mine.Read(at, mine.End(), 1000, true); !errors.As(err, &rot) {
			s.Release()
			t.Fatalf("segment %d: read %d bytes, %v", base, s.Len, err)
		}
		found, err := mine.Damages(base)
		if err != nil || len(found) != 1 || found[0].Offset != at {
			t.Fatalf("segment %d: %+v, %v", base, found, err)
		}
		if err := mine.Mend(found[0], wholeBatches(t, other, found[0].Offset, found[0].Next)); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(wholeBatches(t, mine, 0, mine.End().Offset), want) {
		t.Error("the log is another")
	}
}

// TestATurnedOffsetIsNotServedNearTheEnd: a reader there is led to its place without a
// look at the batches before, and a batch whose offset turned by little has the one
// that is asked for still.
func TestATurnedOffsetIsNotServedNearTheEnd(t *testing.T) {
	r := newRig(t)
	r.o.VerifyAge = 0
	r.open()
	l := r.log(Config{SegmentBytes: 1 << 20})
	end := fill(t, l, 20, 5)
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	name := layout.FileName(0, layout.Log)
	was := slices.Clone(r.read(name))
	at := bytes.Index(was, wholeBatches(t, l, 80, 85))
	for bit := range 64 {
		hurt := slices.Clone(was)
		hurt[at+bit/8] ^= 1 << (bit % 8)
		r.write(name, hurt)
		for offset := int64(80); offset < 85; offset++ {
			rot := (*CorruptError)(nil)
			if s, err := l.Read(offset, end, 1000, true); !errors.As(err, &rot) {
				s.Release()
				t.Errorf("bit %d: read %d bytes at offset %d, %v", bit, s.Len, offset, err)
			}
		}
	}
}

// TestATruncationDoesNotBelieveADamagedBatch: a producer that a turned bit made up had
// a transaction open that nobody would ever end.
func TestATruncationDoesNotBelieveADamagedBatch(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{})
	var second []byte
	for seq := range int32(4) {
		h, b := produced(l.End().Offset, 7, seq, true)
		put(t, l, h, b)
		second = b // all have the same size
	}
	marker := record.EndTxnMarker(7, 0, true, 0, 1_700_000_000_000)
	record.SetBaseOffset(marker, l.End().Offset)
	h, err := record.ParseHeader(marker)
	if err != nil {
		t.Fatal(err)
	}
	put(t, l, h, marker)
	end := l.End().Offset
	h, b := produced(end, 8, 0, true)
	put(t, l, h, b)
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	name := layout.FileName(0, layout.Log)
	was := slices.Clone(r.read(name))
	for at := range len(second) { // any byte of the second batch
		hurt := slices.Clone(was)
		hurt[len(second)+at] ^= 0x10
		r.write(name, hurt)
		rot := (*CorruptError)(nil)
		if err := l.TruncateTo(end); !errors.As(err, &rot) {
			t.Fatalf("byte %d of the batch: %v", at, err)
		}
		if l.End().Offset != end+1 || !l.Producers().InTxn(8) || l.Producers().Len() != 2 {
			t.Fatalf("byte %d: it ends at %d, with %v", at, l.End().Offset, l.Producers().List())
		}
	}
	r.write(name, was)
	if err := l.TruncateTo(end); err != nil {
		t.Fatal(err)
	}
	if offset, open := l.Producers().FirstUnstable(end); open || l.End().Offset != end || l.Producers().Len() != 1 {
		t.Errorf("it ends at %d, with %v, unstable from %d: %t", l.End().Offset, l.Producers().List(), offset, open)
	}
}
