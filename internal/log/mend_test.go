package log

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"ottla/internal/log/layout"
	"ottla/internal/record"
)

// twins are two replicas: the same batches, in segments of their own size.
func twins(t *testing.T, c Config) (mine, other *Log, r *rig) {
	t.Helper()
	r = newRig(t)
	r.o.VerifyAge = 0
	r.open()
	wide := c
	wide.SegmentBytes *= 3
	for i, c := range []Config{c, wide} {
		l, err := r.d.Open(ident(i), OpenOptions{Config: c})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, l, 60, 5)
		if err := l.Sync(); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			mine = l
		} else {
			other = l
		}
	}
	return mine, other, r
}

// wholeBatches reads the batches of [from, to).
func wholeBatches(t *testing.T, l *Log, from, to int64) []byte {
	t.Helper()
	var out []byte
	err := l.Scan(from, func(h *record.Header, b []byte) error {
		if h.BaseOffset >= from && h.BaseOffset < to {
			out = append(out, b...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// hurtSegment changes bytes of the first log's segment with a base offset.
func hurtSegment(r *rig, base int64, change func([]byte)) {
	r.t.Helper()
	name := layout.FileName(base, layout.Log)
	b := r.read(name)
	change(b)
	r.write(name, b)
}

// TestADamagedRangeIsMendedWithAnothersBatches: wherever a bit flips, in a closed
// segment or the one that is written, the log is afterwards what it was to the byte.
func TestADamagedRangeIsMendedWithAnothersBatches(t *testing.T) {
	mine, other, r := twins(t, small)
	want := wholeBatches(t, mine, 0, mine.End().Offset)
	bases := mine.SegmentBases()
	if len(bases) < 3 {
		t.Fatalf("only %d segments", len(bases))
	}
	for _, base := range []int64{bases[0], bases[1], bases[len(bases)-1]} {
		for _, at := range []int{0, 9, 17, 30, record.HeaderSize + 4, 200, 333, -1} {
			hurtSegment(r, base, func(b []byte) { b[(at+len(b))%len(b)] ^= 4 })
			found, err := mine.Damages(base)
			if err != nil || len(found) != 1 {
				t.Fatalf("segment %d, byte %d: %v, %v", base, at, found, err)
			}
			d := found[0]
			if err := mine.Mend(d, wholeBatches(t, other, d.Offset, d.Next)); err != nil {
				t.Fatalf("segment %d, byte %d: %v", base, at, err)
			}
			if found, err := mine.Damages(base); err != nil || len(found) > 0 {
				t.Fatalf("segment %d, byte %d: %v, %v after it was mended", base, at, found, err)
			}
			if !bytes.Equal(wholeBatches(t, mine, 0, mine.End().Offset), want) {
				t.Fatalf("segment %d, byte %d: the log is another", base, at)
			}
		}
	}
	wantRun(t, readAll(t, mine, 0), 60, 5)
	fill(t, mine, 20, 5) // it goes on
	wantRun(t, readAll(t, mine, 0), 80, 5)
}

// TestSeveralDamagesOfASegmentAreFound: each by itself, and mended in any order.
func TestSeveralDamagesOfASegmentAreFound(t *testing.T) {
	mine, other, r := twins(t, small)
	base := mine.SegmentBases()[1]
	hurtSegment(r, base, func(b []byte) { b[70] ^= 1; b[len(b)/2] ^= 1; b[len(b)-2] ^= 1 })
	found, err := mine.Damages(base + 1)
	if err != nil || len(found) != 3 {
		t.Fatalf("%v, %v", found, err)
	}
	slices.Reverse(found)
	for _, d := range found {
		if err := mine.Mend(d, wholeBatches(t, other, d.Offset, d.Next)); err != nil {
			t.Fatal(err)
		}
	}
	wantRun(t, readAll(t, mine, 0), 60, 5)
}

// TestWhatDoesNotFitIsNotWritten: fewer, more, other and damaged batches, and those
// for a log that has changed meanwhile.
func TestWhatDoesNotFitIsNotWritten(t *testing.T) {
	mine, other, r := twins(t, small)
	base := mine.SegmentBases()[1]
	hurtSegment(r, base, func(b []byte) { b[100] ^= 1 })
	found, err := mine.Damages(base)
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	d := found[0]
	good := wholeBatches(t, other, d.Offset, d.Next)
	_, moved := batch(d.Offset+1, 0, 1_700_000_000_000, 5)
	_, later := batch(d.Offset, 7, 1_700_000_000_000+d.Offset, 5) // of another epoch
	for what, b := range map[string][]byte{
		"nothing": nil, "less": good[:len(good)-1], "more": append(slices.Clone(good), 0), "another place": moved, "another epoch": later,
		"damaged": append(slices.Clone(good[:len(good)-1]), good[len(good)-1]^1), "of the next": wholeBatches(t, other, d.Next, d.Next+5),
	} {
		if err := mine.Mend(d, b); !errors.Is(err, ErrMisfit) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if again, _ := mine.Damages(base); len(again) != 1 || again[0] != d {
		t.Errorf("the damage is %+v now, and was %+v", again, d)
	}
	hurtSegment(r, base, func(b []byte) { b[100] ^= 1 }) // a truncation looks at it
	if err := mine.TruncateTo(mine.End().Offset - 5); err != nil {
		t.Fatal(err)
	}
	hurtSegment(r, base, func(b []byte) { b[100] ^= 1 })
	if err := mine.Mend(d, good); !errors.Is(err, ErrMisfit) {
		t.Errorf("for a log that was cut meanwhile: %v", err)
	}
	if again, _ := mine.Damages(base); len(again) != 1 || mine.Mend(again[0], good) != nil {
		t.Errorf("found again it cannot be mended: %+v", again)
	}
}

// TestBytesThatAreGoneCannotBePutInPlace: a file that lost its end says so.
func TestBytesThatAreGoneCannotBePutInPlace(t *testing.T) {
	mine, other, r := twins(t, small)
	base := mine.SegmentBases()[1]
	next := mine.SegmentBases()[2]
	name := layout.FileName(base, layout.Log)
	b := r.read(name)
	r.write(name, b[:len(b)/2])
	mine.Close()
	mine, err := r.d.Open(ident(0), OpenOptions{Config: small})
	if err != nil {
		t.Fatal(err)
	}
	found, err := mine.Damages(base)
	if err != nil || len(found) == 0 {
		t.Fatalf("%v, %v", found, err)
	}
	last := found[len(found)-1]
	if last.Next != next {
		t.Errorf("the damage is %+v, the next segment begins at %d", last, next)
	}
	if err := mine.Mend(last, wholeBatches(t, other, last.Offset, last.Next)); !errors.Is(err, ErrMisfit) {
		t.Errorf("it was mended: %v", err)
	}
}

// TestASoundLogHasNoDamage: nor an empty one.
func TestASoundLogHasNoDamage(t *testing.T) {
	mine, _, r := twins(t, small)
	empty, err := r.d.Open(ident(7), OpenOptions{Config: small})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*Log{mine, empty} {
		for _, base := range append(l.SegmentBases(), 0, 1<<40) {
			if found, err := l.Damages(base); err != nil || len(found) > 0 {
				t.Errorf("at %d: %v, %v", base, found, err)
			}
		}
	}
}

// TestATurnedOffsetIsNotServed: no checksum covers it. Near the end of the log a read
// begins without a look at the batches before, and knows what it is to find all the
// same; elsewhere the batches before say it.
func TestATurnedOffsetIsNotServed(t *testing.T) {
	for _, at := range []int{0, 1, 2, 3, 4, 7} { // the bytes of the offset
		for _, offset := range []int64{0, 145, 155, 290, 295} {
			mine, _, r := twins(t, small)
			bases := mine.SegmentBases()
			i := len(bases) - 1
			for bases[i] > offset {
				i--
			}
			_, b := batch(offset, 0, 1_700_000_000_000, 5)
			place := int(offset-bases[i]) / 5 * len(b)
			hurtSegment(r, bases[i], func(b []byte) { b[place+at] ^= 64 })
			rot := (*CorruptError)(nil)
			s, err := mine.Read(offset, mine.End(), 100, true)
			if !errors.As(err, &rot) {
				t.Errorf("byte %d of the batch at offset %d: %d bytes are served, %v", at, offset, s.Len, err)
			}
		}
	}
}

// TestALengthThatHasTurnedHidesNothing: whichever bit of a batch's length it is, that
// batch alone is refused, and the refusal tells where the next one is. Without an index
// the way to each offset leads over the batches before it.
func TestALengthThatHasTurnedHidesNothing(t *testing.T) {
	c := small
	c.IndexIntervalBytes = 1 << 20
	mine, _, r := twins(t, c)
	base, next := mine.SegmentBases()[1], mine.SegmentBases()[2]
	_, one := batch(base, 0, 1_700_000_000_000, 5)
	for i := range 3 {
		hurt := base + int64(5*i)
		for bit := range 32 {
			flip := func(b []byte) { b[i*len(one)+11-bit/8] ^= 1 << (bit % 8) }
			hurtSegment(r, base, flip)
			for offset := base; offset < next; offset++ {
				s, err := mine.Read(offset, mine.End(), 1, true)
				served := s.Len
				s.Release()
				rot := (*CorruptError)(nil)
				refused := errors.As(err, &rot)
				switch damaged := offset >= hurt && offset < hurt+5; {
				case refused != damaged, !refused && (err != nil || served != len(one)):
					t.Fatalf("bit %d of the length at offset %d: offset %d is read with %v", bit, hurt, offset, err)
				case refused && rot.NextOffset != hurt+5:
					t.Fatalf("bit %d of the length at offset %d: reading goes on at %d, want %d: %v", bit, hurt, rot.NextOffset, hurt+5, err)
				}
			}
			hurtSegment(r, base, flip)
		}
	}
}

// TestALengthUpToTheEndOfItsSegmentIsDamage: nothing is behind it that would not fit,
// and what it hides is not passed over in silence.
func TestALengthUpToTheEndOfItsSegmentIsDamage(t *testing.T) {
	c := small
	c.IndexIntervalBytes = 1 << 20
	mine, _, r := twins(t, c)
	base, next := mine.SegmentBases()[1], mine.SegmentBases()[2]
	_, one := batch(base, 0, 1_700_000_000_000, 5)
	hurtSegment(r, base, func(b []byte) {
		binary.BigEndian.PutUint32(b[len(one)+8:], uint32(len(b)-len(one)-12))
	})
	for offset := base; offset < next; offset++ {
		s, err := mine.Read(offset, mine.End(), 1, true)
		s.Release()
		rot := (*CorruptError)(nil)
		if refused := errors.As(err, &rot); refused != (offset >= base+5) || refused && rot.NextOffset != next {
			t.Fatalf("offset %d is read with %v", offset, err)
		}
	}
}
