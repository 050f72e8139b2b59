package walk

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"

	"ottla/internal/record"
)

// file builds batches of the given record value sizes, one record each.
func file(sizes ...int) []byte {
	var b []byte
	for i, n := range sizes {
		bd := record.NewBuilder()
		bd.Add(int64(1000+i), nil, bytes.Repeat([]byte{byte(i)}, n))
		b = append(b, bd.Build(int64(i))...)
	}
	return b
}

// all walks headers and, with check, checksums; it returns the base offsets and
// what ended the walk.
func all(b []byte, check bool) (out []int64, err error) {
	r := Get(bytes.NewReader(b), 0, int64(len(b)))
	defer r.Put()
	var h record.Header
	for {
		if err = r.Header(&h); err == nil && check {
			err = r.Check(&h)
		}
		if err != nil {
			return out, err
		}
		out = append(out, h.BaseOffset)
		r.Skip(&h)
	}
}

func TestWalkMeetsEveryBatchWhateverItsSize(t *testing.T) {
	b := file(1, 100, 60_000, 9_000, 70_000, 5, streamed+10, 3, 2<<20, 1)
	for _, check := range []bool{false, true} {
		got, err := all(b, check)
		if err != io.EOF || len(got) != 10 {
			t.Errorf("checksums %v: %v %v, want 10 batches and the end", check, got, err)
		}
	}
}

func TestBatchGivesTheWholeBatch(t *testing.T) {
	b := file(10, 200_000, 10)
	r := Get(bytes.NewReader(b), 0, int64(len(b)))
	defer r.Put()
	var h record.Header
	for at := 0; ; {
		err := r.Header(&h)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Batch(&h)
		if err != nil || !bytes.Equal(got, b[at:at+h.Size()]) {
			t.Fatalf("batch at byte %d: %d bytes %v, want %d of the file", at, len(got), err, h.Size())
		}
		at += h.Size()
		r.Skip(&h)
	}
}

func TestEveryCutOfTheTailIsBad(t *testing.T) {
	b := file(10, 20)
	first := len(file(10))
	for end := first + 1; end < len(b); end++ {
		got, err := all(b[:end], true)
		if bad := (*Bad)(nil); !errors.As(err, &bad) || len(got) != 1 || bad.Byte != int64(first) {
			t.Fatalf("cut at %d: %v %v, want one batch and a bad one at byte %d", end, got, err, first)
		}
	}
}

func TestAFileThatEndsBelowItsLimitIsBad(t *testing.T) {
	for _, sizes := range [][]int{{10, 2000}, {10, 2 << 20}} {
		b := file(sizes...)
		r := Get(bytes.NewReader(b[:len(b)-1000]), 0, int64(len(b)))
		var h record.Header
		var err error
		for err == nil {
			if err = r.Header(&h); err == nil {
				if err = r.Check(&h); err == nil {
					r.Skip(&h)
				}
			}
		}
		if bad := (*Bad)(nil); !errors.As(err, &bad) {
			t.Errorf("%v: %v, want a bad batch", sizes, err)
		}
		r.Put()
	}
}

// failing is a disk that fails from a byte on.
type failing struct {
	*bytes.Reader
	from int64
}

var errDisk = errors.New("input/output error")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

func TestAFailingDiskIsNoBadBatch(t *testing.T) {
	b := file(10, 2<<20)
	r := Get(failing{bytes.NewReader(b), 100_000}, 0, int64(len(b)))
	defer r.Put()
	var h record.Header
	var err error
	for err == nil {
		if err = r.Header(&h); err == nil {
			if err = r.Check(&h); err == nil {
				r.Skip(&h)
			}
		}
	}
	if !errors.Is(err, errDisk) {
		t.Errorf("got %v, want the disk's error", err)
	}
}

func TestResyncFindsTheNextSoundBatch(t *testing.T) {
	b := file(10, 300, 40, 50)
	second := len(file(10))
	third := len(file(10, 300))
	for name, c := range map[string]struct {
		hurt func(b []byte)
		want int64
	}{
		"payload":  {func(b []byte) { b[second+100] ^= 1 }, 2},
		"length":   {func(b []byte) { b[second+10] ^= 1 }, 2},
		"magic":    {func(b []byte) { b[second+magicAt] = 9 }, 2},
		"two dead": {func(b []byte) { b[second+100] ^= 1; b[third+70] ^= 1 }, 3},
	} {
		hurt := bytes.Clone(b)
		c.hurt(hurt)
		r := Get(bytes.NewReader(hurt), int64(second), int64(len(hurt)))
		var h record.Header
		ok, err := r.Resync(&h, 1, math.MaxInt64)
		if err != nil || !ok || h.BaseOffset != c.want {
			t.Errorf("%s: at offset %d %v %v, want %d", name, h.BaseOffset, ok, err, c.want)
		}
		if ok {
			if err := r.Header(&h); err != nil || h.BaseOffset != c.want {
				t.Errorf("%s: the reader stands at %d %v", name, h.BaseOffset, err)
			}
		}
		r.Put()
	}
}

func TestResyncIsNotFooledByABatchInsideARecord(t *testing.T) {
	inner := record.NewBuilder()
	inner.Add(5, nil, []byte("inner"))
	forged := inner.Build(1) // an offset that could come next
	bd := record.NewBuilder()
	bd.Add(1, nil, forged)
	outer := bd.Build(0)
	after := record.NewBuilder()
	after.Add(2, nil, []byte("after"))
	b := append(outer, after.Build(1)...)
	b[len(outer)-1] ^= 1 // rot in the outer batch
	r := Get(bytes.NewReader(b), 0, int64(len(b)))
	defer r.Put()
	var h record.Header
	if ok, err := r.Resync(&h, 0, 100); !ok || err != nil || r.Pos() != int64(len(outer)) {
		t.Errorf("found a batch at byte %d (%v %v), want the one at %d", r.Pos(), ok, err, len(outer))
	}
}

func TestWalkAllocatesNothing(t *testing.T) {
	b := file(100, 100, 100)
	src := bytes.NewReader(b)
	var h record.Header
	if n := testing.AllocsPerRun(200, func() {
		r := Get(src, 0, int64(len(b)))
		for r.Header(&h) == nil && r.Check(&h) == nil {
			r.Skip(&h)
		}
		r.Put()
	}); n > 0 && !raceEnabled {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(file(1, 100, 3), 0)
	f.Add(file(10)[:30], 1)
	f.Add(make([]byte, 200), 2)
	hurt := file(50, 60, 70)
	hurt[100] ^= 4
	f.Add(hurt, 3)
	f.Fuzz(func(t *testing.T, b []byte, _ int) {
		r := Get(bytes.NewReader(b), 0, int64(len(b)))
		defer r.Put()
		var h record.Header
		for at := int64(-1); ; {
			if r.Pos() <= at {
				t.Fatalf("stands still at byte %d", r.Pos())
			}
			at = r.Pos()
			err := r.Header(&h)
			if err == nil {
				err = r.Check(&h)
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				if ok, err := r.Resync(&h, 0, math.MaxInt64); err != nil || !ok {
					return
				}
				continue
			}
			if got, err := r.Batch(&h); err != nil || len(got) != h.Size() || len(got) > len(b) {
				t.Fatalf("batch at byte %d has %d bytes %v, want %d", at, len(got), err, h.Size())
			}
			r.Skip(&h)
		}
	})
}
