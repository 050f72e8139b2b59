package record

import (
	"bytes"
	"encoding/binary"
	"math/rand"
	"reflect"
	"sync"
	"testing"

	"github.com/klauspost/compress/s2"
)

// Records around the sizes at which validation changes its way: a chunk, the
// window that is judged in place, what is opened in one piece.
func TestRecordsOfEverySizeAreJudged(t *testing.T) {
	sizes := []int{0, chunkBytes - 20, chunkBytes, chunkBytes + 1, lightBytes - 40, lightBytes - 1, lightBytes, lightBytes + 1, keepBytes, 3 * keepBytes}
	for _, codec := range codecs {
		for i, size := range sizes {
			rs := []Record{
				{Key: []byte("k"), Value: text(1, 90)},
				{OffsetDelta: 1, TimestampDelta: int64(i), Key: text(2, size/2), Value: text(3, size-size/2),
					Headers: []RecordHeader{{Key: "h", Value: text(4, 300)}, {Key: string(text(5, size/3))}}},
				{OffsetDelta: 2, Value: []byte("last")},
			}
			b := craft(codec, 3, foreign(t, codec, raw(rs...)), nil)
			r := rules()
			r.MaxBatchBytes = 0
			var h Header
			if err := Validate(b, r, &h); err != nil || h.MaxTimestamp != 1000+int64(i) {
				t.Errorf("%s, %d bytes: max timestamp %d, %v", codec, size, h.MaxTimestamp, err)
			}
			r.RequireKeys = true
			err, _ := Validate(b, r, &h).(*Error)
			if err == nil || len(err.Records) != 1 || err.Records[0].Index != 2 {
				t.Errorf("%s, %d bytes: %+v, want record 2 named", codec, size, err)
			}
		}
	}
}

// The same faults as in small records, where the record is too large to be
// held: each length is read while the record passes.
func TestMalformedLargeRecordsAreInvalid(t *testing.T) {
	big := make([]byte, 2*lightBytes)
	n := func(v int) []byte { return appendVarint(nil, int32(v)) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	sized := func(body []byte) []byte { return join(n(len(body)), body) }
	head := []byte{0, 0, 0} // attributes, deltas
	null := []byte{1}
	none := []byte{0}
	for name, content := range map[string][]byte{
		"length beyond the end":     join(n(3*len(big)), head, null, n(len(big)), big, none),
		"key beyond the record":     sized(join(head, n(3*len(big)), big, null, none)),
		"key length -2":             sized(join(head, n(-2), n(len(big)), big, none)),
		"value beyond the record":   sized(join(head, null, n(len(big)+2), big, none)),
		"value length -2":           sized(join(head, n(len(big)), big, n(-2), none)),
		"negative header count":     sized(join(head, null, n(len(big)), big, n(-1))),
		"more headers than bytes":   sized(join(head, null, n(len(big)), big, n(9))),
		"null header key":           sized(join(head, null, n(len(big)), big, n(1), n(-1), null)),
		"header key beyond":         sized(join(head, null, null, n(1), n(3*len(big)), big, null)),
		"header value beyond":       sized(join(head, null, null, n(1), none, n(len(big)+1), big)),
		"bytes after the headers":   sized(join(head, null, n(len(big)), big, none, none)),
		"a number that never ends":  sized(join([]byte{0}, bytes.Repeat([]byte{0xff}, len(big)))),
		"an int that is a long":     sized(join([]byte{0, 0}, appendVarlong(nil, 1<<40), null, n(len(big)), big, none)),
		"an offset delta out of it": sized(join([]byte{0, 0, 4}, null, n(len(big)), big, none)),
		"a second record":           join(sized(join(head, null, n(len(big)), big, none)), raw(Record{OffsetDelta: 1})),
		"garbage behind it":         join(sized(join(head, null, n(len(big)), big, none)), []byte{9}),
	} {
		for _, codec := range codecs {
			r := rules()
			r.MaxBatchBytes = 0
			var h Header
			b := craft(codec, 1, foreign(t, codec, content), nil)
			if err := Validate(b, r, &h); kindOf(t, err) != KindInvalid {
				t.Errorf("%s, %s: %v", name, codec, err)
			}
		}
	}
}

func TestABadBatchDoesNotTouchTheNext(t *testing.T) {
	content := raw(assorted()...)
	count := int32(len(assorted()))
	rng := rand.New(rand.NewSource(1))
	for _, codec := range codecs[1:] {
		good := craft(codec, count, foreign(t, codec, content), nil)
		r := rules()
		r.AfterMaxMs = 1 << 60
		var h Header
		for range 60 {
			bad := bytes.Clone(good)
			for range 1 + rng.Intn(4) {
				bad[HeaderSize+rng.Intn(len(bad)-HeaderSize)] ^= byte(1 + rng.Intn(255))
			}
			bad = bad[:HeaderSize+1+rng.Intn(len(bad)-HeaderSize)]
			setCRC(setLength(bad, int32(len(bad)-lengthOverhead)))
			kindOf(t, Validate(bad, r, &h))
			if err := Validate(good, r, &h); err != nil || h.Count != count {
				t.Fatalf("%s: after a bad batch: %v", codec, err)
			}
		}
	}
}

func TestPanicInAWalkGivesTheDecoderBack(t *testing.T) {
	b := craft(Zstd, 40, own(t, Zstd, raw(some(40)...)), nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		if err := Walk(b, 0, func(*Record) bool { panic("the caller's") }); err != nil {
			t.Error(err)
		}
	}()
	if n := len(collect(t, b)); n != 40 {
		t.Errorf("%d records afterwards, want 40", n)
	}
}

func TestManyGoroutinesValidateAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 16 {
		codec := codecs[i%len(codecs)]
		size := 100 + 7_000*(i%4)
		b := textBatch(codec, 20+i, size)
		wg.Go(func() {
			for range 10 {
				var h Header
				if err := Validate(b, rules(), &h); err != nil || h.Count != int32(20+i) {
					t.Errorf("%s: %v", codec, err)
				}
				n := 0
				if err := Walk(b, 0, func(r *Record) bool { n += len(r.Value); return true }); err != nil || n != (20+i)*size {
					t.Errorf("%s: %d bytes of values, want %d, %v", codec, n, (20+i)*size, err)
				}
			}
		})
	}
	wg.Wait()
	if len(slots) != 0 {
		t.Errorf("%d slots are still held", len(slots))
	}
}

func TestLargeSnappyBlocksAreOpenedInSteps(t *testing.T) {
	rng := rand.New(rand.NewSource(2))
	content := make([]byte, 0, snappyWhole+5<<20)
	for len(content) < cap(content)-200_000 { // repeats from near and far, and what does not repeat
		if n := len(content); n > 100 && rng.Intn(3) > 0 {
			from := n - 1 - rng.Intn(min(n, 60_000)-1)
			content = append(content, content[from:min(n, from+1+rng.Intn(900))]...)
		} else {
			noise := make([]byte, 1+rng.Intn(100_000))
			rng.Read(noise)
			content = append(content, noise...)
		}
	}
	content = append(content, bytes.Repeat([]byte{7}, 100_000)...)
	got, err := openAll(Snappy, s2.EncodeSnappy(nil, content), 0)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes of %d, %v", len(got), len(content), err)
	}
	for name, tail := range map[string][]byte{
		"offset 0":       {1<<2 | 1, 0},
		"from too far":   {3, 0, 0, 0, 1},
		"cut literal":    {200},
		"cut copy":       {2, 1},
		"more than said": bytes.Repeat([]byte{0, 'x'}, 100),
		"less than said": {},
	} {
		const size = snappyWhole + 100
		block := append(snappyBombBlock(nil, size-50)[4:], tail...)
		block = append(binary.AppendUvarint(nil, size), block...)
		if _, err := openAll(Snappy, block, 0); kindOf(t, err) != KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSnappyBlockLengthIsKnownBeforeItIsOpened(t *testing.T) {
	for _, size := range contentSizes {
		for _, content := range [][]byte{text(7, size), make([]byte, size)} {
			block := s2.EncodeSnappy(nil, content)
			_, n := binary.Uvarint(block)
			if got, ok := snappyLen(block[n:]); !ok || got != int64(size) {
				t.Errorf("%d bytes: measured %d, %v", size, got, ok)
			}
		}
	}
	lie := append(binary.AppendUvarint(nil, 7<<20), 0, 'x')
	if n := allocated(func() {
		if _, err := openAll(Snappy, lie, 0); kindOf(t, err) != KindInvalid {
			t.Error(err)
		}
	}); n > 1<<20 {
		t.Errorf("a block of two bytes that claims 7 MiB took %d bytes", n)
	}
}

func TestMemoryFollowsTheBytesAndNotTheirClaims(t *testing.T) {
	frame := own(t, LZ4, text(1, 500))
	frame[5] = 7 << 4 // blocks of up to 4 MiB
	frame[6] = byte(sumXXH32(frame[4:6]) >> 8)
	huge := binary.LittleEndian.AppendUint64([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}, 1<<40) // single segment of a tebibyte
	for name, c := range map[string]struct {
		codec   Codec
		payload []byte
	}{
		"lz4 with 4 MiB blocks": {LZ4, frame},
		"zstd of a tebibyte":    {Zstd, append(huge, 1, 0, 0)},
		"a record of 2 GiB":     {Gzip, foreign(t, Gzip, appendVarint(nil, 1<<31-1))},
	} {
		if n := allocated(func() {
			if err := Walk(craft(c.codec, 1, c.payload, nil), 0, func(*Record) bool { return true }); err == nil {
				t.Errorf("%s was read", name)
			}
		}); n > 2<<20 {
			t.Errorf("%s: %d bytes allocated for %d", name, n, len(c.payload))
		}
	}
}

func TestRandomBatchesComeBack(t *testing.T) {
	for seed := range int64(40) {
		rng := rand.New(rand.NewSource(seed))
		rs := make([]Record, 1+rng.Intn(60))
		latest := int64(-1)
		for i := range rs {
			rs[i] = randomRecord(rng, int32(i))
			latest = max(latest, 1000+rs[i].TimestampDelta)
		}
		for _, codec := range codecs {
			b := craft(codec, int32(len(rs)), own(t, codec, raw(rs...)), nil)
			r := rules()
			r.MaxBatchBytes, r.AfterMaxMs = 0, 1<<60
			var h Header
			if err := Validate(b, r, &h); err != nil || h.MaxTimestamp != latest {
				t.Fatalf("seed %d %s: max timestamp %d, want %d, %v", seed, codec, h.MaxTimestamp, latest, err)
			}
			for i, got := range collect(t, b) {
				if !reflect.DeepEqual(got, clone(&rs[i])) {
					t.Fatalf("seed %d %s: record %d is\n%#v, want\n%#v", seed, codec, i, got, rs[i])
				}
			}
		}
	}
}

func randomRecord(rng *rand.Rand, delta int32) Record {
	some := func(most int) []byte {
		if rng.Intn(5) == 0 {
			return nil
		}
		b := make([]byte, rng.Intn(most))
		rng.Read(b[:len(b)/2])
		return b
	}
	r := Record{Attributes: int8(rng.Intn(256) - 128), TimestampDelta: rng.Int63n(1<<40) - 1<<39, OffsetDelta: delta, Key: some(40), Value: some(5000)}
	for range rng.Intn(4) {
		r.Headers = append(r.Headers, RecordHeader{Key: string(some(20)), Value: some(300)})
	}
	return r
}
