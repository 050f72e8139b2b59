package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// A bomb is one record whose value is zeros: a few header bytes, then nothing
// but zeros (the last of which counts no headers).

// bombHead is what precedes the zeros when the value has n of them.
func bombHead(n int) []byte {
	tail := append([]byte{0, 0, 0, 1}, appendVarint(nil, int32(n))...) // attributes, deltas, null key
	return append(appendVarint(nil, int32(len(tail)+n+1)), tail...)
}

func gzipBomb(t testing.TB, n int) []byte {
	head := bombHead(n)
	zeros := make([]byte, 1<<20)
	pack := func(b []byte) []byte {
		var out bytes.Buffer
		w, err := flate.NewWriter(&out, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil { // ends on a byte: pieces can be joined
			t.Fatal(err)
		}
		return out.Bytes()
	}
	b := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}
	b = append(b, pack(head)...)
	sum := crc32.ChecksumIEEE(head)
	whole := pack(zeros)
	left := n + 1
	for ; left >= len(zeros); left -= len(zeros) {
		b = append(b, whole...)
		sum = crc32.Update(sum, crc32.IEEETable, zeros)
	}
	b = append(b, pack(zeros[:left])...)
	b = append(b, 1, 0, 0, 0xff, 0xff) // an empty last block
	sum = crc32.Update(sum, crc32.IEEETable, zeros[:left])
	b = binary.LittleEndian.AppendUint32(b, sum)
	return binary.LittleEndian.AppendUint32(b, uint32(len(head)+n+1))
}

// snappyBombBlock opens to head and then n zeros.
func snappyBombBlock(head []byte, n int) []byte {
	b := binary.AppendUvarint(nil, uint64(len(head)+n))
	if len(head) > 0 {
		b = append(append(b, byte(len(head)-1)<<2), head...)
	}
	b = append(b, 0, 0) // a literal zero, to copy from
	for n--; n > 0; n -= min(n, 64) {
		b = append(b, byte(min(n, 64)-1)<<2|2, 1, 0)
	}
	return b
}

func snappyBomb(_ testing.TB, n int) []byte { return snappyBombBlock(bombHead(n), n+1) }

func xerialBomb(_ testing.TB, n int) []byte {
	b := append(append([]byte(nil), xerialMagic[:]...), 0, 0, 0, 1, 0, 0, 0, 1)
	add := func(block []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(block))), block...) }
	head := bombHead(n)
	add(snappyBombBlock(head, 1))
	whole := snappyBombBlock(nil, xerialBlock)
	for ; n >= xerialBlock; n -= xerialBlock {
		add(whole)
	}
	if n > 0 {
		add(snappyBombBlock(nil, n))
	}
	return b
}

func lz4Bomb(t testing.TB, n int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, lz4Magic)
	b = append(b, lz4Version|lz4Independent, 7<<4)
	b = append(b, byte(sumXXH32(b[4:])>>8))
	pack := func(content []byte) []byte {
		dst := make([]byte, lz4.CompressBlockBound(len(content)))
		size, err := lz4.CompressBlock(content, dst, nil)
		if err != nil {
			t.Fatal(err)
		}
		if size == 0 || size >= len(content) {
			return append(binary.LittleEndian.AppendUint32(nil, uint32(len(content))|lz4Plain), content...)
		}
		return append(binary.LittleEndian.AppendUint32(nil, uint32(size)), dst[:size]...)
	}
	b = append(b, pack(bombHead(n))...)
	zeros := make([]byte, 4<<20)
	whole := pack(zeros)
	left := n + 1
	for ; left >= len(zeros); left -= len(zeros) {
		b = append(b, whole...)
	}
	if left > 0 {
		b = append(b, pack(zeros[:left])...)
	}
	return append(b, 0, 0, 0, 0)
}

// zstdBomb has blocks that say "this byte, so often". window is its exponent.
func zstdBomb(window byte) func(testing.TB, int) []byte {
	return func(_ testing.TB, n int) []byte {
		b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, (window - 10) << 3}
		block := func(last, kind, size int, content ...byte) {
			word := last | kind<<1 | size<<3
			b = append(append(b, byte(word), byte(word>>8), byte(word>>16)), content...)
		}
		head := bombHead(n)
		block(0, 0, len(head), head...)
		left := n + 1
		for ; left > 128<<10; left -= 128 << 10 {
			block(0, 1, 128<<10, 0)
		}
		block(1, 1, left, 0)
		return b
	}
}

type bomb struct {
	name  string
	codec Codec
	make  func(testing.TB, int) []byte
}

var bombs = []bomb{
	{"gzip", Gzip, gzipBomb},
	{"snappy raw", Snappy, snappyBomb},
	{"snappy xerial", Snappy, xerialBomb},
	{"lz4", LZ4, lz4Bomb},
	{"zstd", Zstd, zstdBomb(21)},
	{"zstd window 8 MiB", Zstd, zstdBomb(23)},
}

// allocated is how many bytes fn allocates in all, which bounds what it holds
// at any time.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestGibibyteBombsAreOpenedInBoundedMemory(t *testing.T) {
	const most = 24 << 20
	for _, c := range bombs {
		t.Run(c.name, func(t *testing.T) {
			b := craft(c.codec, 1, c.make(t, bombBytes), nil)
			r := rules()
			r.MaxBatchBytes = 0
			var h Header
			if n := allocated(func() {
				if err := Validate(b, r, &h); err != nil {
					t.Errorf("a valid record of 1 GiB: %v", err)
				}
			}); n > most {
				t.Errorf("allowed to open: %d bytes allocated, want at most %d", n, most)
			}
			r.MaxDecompressed = 1 << 20
			if n := allocated(func() {
				err := Validate(b, r, &h)
				if kindOf(t, err) != KindInvalid || !strings.Contains(err.Error(), "max.decompressed.message.bytes") {
					t.Errorf("got %v, want: too much", err)
				}
			}); n > most {
				t.Errorf("limited to 1 MiB: %d bytes allocated, want at most %d", n, most)
			}
			r.MaxBatchBytes, r.MaxDecompressed = 1<<20, 0
			if _, err := RecompressWithin(b, None, 0, 0, 1<<20); kindOf(t, err) != KindTooLarge {
				t.Errorf("recompressed into 1 MiB: %v, want: too large", err)
			}
		})
	}
}

func TestWindowThatNoReaderShouldHoldIsRefused(t *testing.T) {
	var h Header
	r := rules()
	for _, c := range []struct {
		window byte
		size   int
		want   Kind
	}{
		{27, 4 << 20, 0}, // a high level of the Java client: small enough to be held whole
		{27, 64 << 20, KindInvalid},
		{30, 1 << 10, KindInvalid},
	} {
		b := craft(Zstd, 1, zstdBomb(c.window)(t, c.size), nil)
		if n := allocated(func() {
			if err := Validate(b, r, &h); kindOf(t, err) != c.want {
				t.Errorf("window 2^%d with %d bytes: %v", c.window, c.size, err)
			}
		}); n > 80<<20 {
			t.Errorf("window 2^%d with %d bytes: %d bytes allocated", c.window, c.size, n)
		}
	}
}

// What one large block was opened in serves for the next: otherwise the
// collector, which lags behind, makes fifty bombs cost what two of them take.
func TestLargeSnappyBlocksAreOpenedInTheSameMemory(t *testing.T) {
	const times, most = 30, 40 << 20
	for _, size := range []int{6 << 20, 9 << 20} { // opened in one piece, and in steps
		b := craft(Snappy, 1, snappyBomb(t, size), nil)
		r := rules()
		r.MaxBatchBytes = 0
		if n := allocated(func() {
			for range times {
				var h Header
				if err := Validate(b, r, &h); err != nil {
					t.Error(err)
				}
			}
		}); n > most {
			t.Errorf("%d blocks of %d bytes, one after the other: %d bytes allocated, want at most %d", times, size, n, most)
		}
	}
}

// peak is by how much the heap grows at most while fn runs.
func peak(fn func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // what is free must not count
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	done := make(chan struct{})
	go func() {
		fn()
		close(done)
	}()
	for {
		select {
		case <-done:
			return most - before
		default:
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			for range 200 {
				runtime.Gosched()
			}
		}
	}
}

func TestFiftyBombsAtOnceStayBounded(t *testing.T) {
	for _, c := range bombs {
		t.Run(c.name, func(t *testing.T) {
			size := 2 << 20
			if c.name == "snappy raw" {
				size = 9 << 20 // above what is opened in one piece
			}
			b := craft(c.codec, 1, c.make(t, size), nil)
			r := rules()
			r.MaxBatchBytes = 0
			if n := peak(func() {
				var wg sync.WaitGroup
				for range 50 {
					wg.Go(func() {
						var h Header
						if err := Validate(b, r, &h); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
			}); n > 64<<20 {
				t.Errorf("the heap grew by %d bytes, want at most 64 MiB", n)
			}
			if len(slots) != 0 {
				t.Errorf("%d slots are still held", len(slots))
			}
		})
	}
}
