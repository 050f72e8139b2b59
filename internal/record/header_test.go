package record

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"testing"
)

// goldenBatch is drawn by hand from the format: two records of a producer.
const goldenBatch = "0000000000000005" + "00000044" + "00000003" + "02" + "63598d6f" + "0010" + "00000001" +
	"00000000000003e8" + "00000000000003e9" + "0000000000000009" + "0001" + "0000000a" + "00000002" +
	"16" + "00" + "00" + "00" + "026b" + "0276" + "02" + "0268" + "01" +
	"0c" + "00" + "02" + "02" + "01" + "01" + "00"

func TestBuilderWritesKafkasBytes(t *testing.T) {
	b := NewBuilder()
	b.LeaderEpoch, b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = 3, 9, 1, 10, true
	b.Add(1000, []byte("k"), []byte("v"), RecordHeader{Key: "h"})
	b.Add(1001, nil, nil)
	if b.Len() != 2 {
		t.Errorf("%d records, want 2", b.Len())
	}
	size := b.Size()
	batch := b.Build(5)
	if got := hex.EncodeToString(batch); got != goldenBatch {
		t.Errorf("got\n%s, want\n%s", got, goldenBatch)
	}
	if size != len(batch) {
		t.Errorf("Size said %d, the batch has %d bytes", size, len(batch))
	}
	if b.Len() != 0 || b.Build(6) != nil {
		t.Error("Build did not reset the builder, or made a batch of nothing")
	}
	b.Add(7, []byte("again"), nil)
	if h, err := ParseHeader(b.Build(6)); err != nil || h.BaseOffset != 6 || h.Count != 1 || h.ProducerID != 9 || h.BaseTimestamp != 7 {
		t.Errorf("second batch %+v, %v", h, err)
	}
}

func TestHeaderIsParsed(t *testing.T) {
	raw, err := hex.DecodeString(goldenBatch)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseHeader(raw)
	want := Header{BaseOffset: 5, Length: 68, LeaderEpoch: 3, Magic: 2, CRC: 0x63598d6f, Attributes: 16, LastOffsetDelta: 1,
		BaseTimestamp: 1000, MaxTimestamp: 1001, ProducerID: 9, ProducerEpoch: 1, BaseSequence: 10, Count: 2}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got.Size() != len(raw) || got.LastOffset() != 6 || got.NextOffset() != 7 || got.LastSequence() != 11 ||
		!got.Transactional() || got.Control() || got.LogAppendTime() || got.HasDeleteHorizon() || got.Codec() != None {
		t.Errorf("accessors of %+v", got)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = ParseHeader(raw) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestHeaderOfWhatIsNoBatchIsCorrupt(t *testing.T) {
	good := plainBatch(1)
	for name, b := range map[string][]byte{
		"nothing":          nil,
		"60 bytes":         good[:60],
		"magic 1":          func() []byte { b := bytes.Clone(good); b[atMagic] = 1; return b }(),
		"length 48":        setLength(bytes.Clone(good), 48),
		"negative length":  setLength(bytes.Clone(good), -7),
		"length overflows": setLength(bytes.Clone(good), math.MaxInt32),
	} {
		if _, err := ParseHeader(b); kindOf(t, err) != KindCorrupt {
			t.Errorf("%s: %v", name, err)
		}
		if name != "magic 1" && VerifyCRC(b) { // the magic is outside the checksum
			t.Errorf("%s: the checksum holds", name)
		}
	}
	if _, err := ParseHeader(good[:HeaderSize]); err != nil {
		t.Errorf("a header alone is enough: %v", err)
	}
}

func TestSequencesWrap(t *testing.T) {
	for _, c := range []struct{ base, delta, want int32 }{
		{0, 0, 0}, {5, 3, 8}, {math.MaxInt32, 0, math.MaxInt32}, {math.MaxInt32, 1, 0}, {math.MaxInt32 - 1, 4, 2}, {-1, 4, -1},
	} {
		h := Header{BaseSequence: c.base, LastOffsetDelta: c.delta}
		if got := h.LastSequence(); got != c.want {
			t.Errorf("%d + %d = %d, want %d", c.base, c.delta, got, c.want)
		}
	}
}

func TestLeaderPatchesInPlace(t *testing.T) {
	b := plainBatch(3)
	SetBaseOffset(b, 1<<40)
	SetLeaderEpoch(b, 12)
	h, err := ParseHeader(b)
	if err != nil || h.BaseOffset != 1<<40 || h.LeaderEpoch != 12 || !VerifyCRC(b) {
		t.Errorf("%+v, %v, crc %v: offset and epoch lie outside the checksum", h, err, VerifyCRC(b))
	}
	base := h.BaseTimestamp
	SetTimestamps(b, 777, true)
	h, err = ParseHeader(b)
	if err != nil || h.BaseTimestamp != base || h.MaxTimestamp != 777 || !h.LogAppendTime() || !VerifyCRC(b) {
		t.Errorf("append time: %+v, %v, crc %v", h, err, VerifyCRC(b))
	}
	SetTimestamps(b, 888, false)
	h, err = ParseHeader(b)
	if err != nil || h.BaseTimestamp != base || h.MaxTimestamp != 888 || h.LogAppendTime() || !VerifyCRC(b) {
		t.Errorf("create time: %+v, %v, crc %v", h, err, VerifyCRC(b))
	}
	if VerifyCRC(b[:len(b)-1]) || !VerifyCRC(append(bytes.Clone(b), 1, 2, 3)) {
		t.Error("VerifyCRC looks at the batch at the start, which must be whole")
	}
	b[len(b)-1] ^= 4
	if VerifyCRC(b) {
		t.Error("a flipped bit goes unseen")
	}
}

func TestVarintsComeBack(t *testing.T) {
	for shift := range 64 {
		for _, v := range []int64{1 << shift, -(1 << shift), 1<<shift - 1, 1<<shift + 1} {
			b := appendVarlong(nil, v)
			if got, n := readVarlong(b, 0); got != v || n != len(b) || n != sizeVarlong(v) {
				t.Errorf("varlong %d: %d, %d bytes of %d", v, got, n, len(b))
			}
			if _, n := readVarlong(b[:len(b)-1], 0); n != 0 {
				t.Errorf("varlong %d cut short: %d", v, n)
			}
			w := int32(v)
			b = appendVarint(nil, w)
			if got, n := readVarint(b, 0); got != w || n != len(b) || n != sizeVarint(w) {
				t.Errorf("varint %d: %d, %d bytes of %d", w, got, n, len(b))
			}
		}
	}
	if _, n := readVarint(bytes.Repeat([]byte{0x80}, 9), 0); n != -1 {
		t.Errorf("a varint that never ends: %d", n)
	}
	if _, n := readVarlong(bytes.Repeat([]byte{0x80}, 19), 0); n != -1 {
		t.Errorf("a varlong that never ends: %d", n)
	}
}

func TestCodecsHaveKafkasNames(t *testing.T) {
	var names []string
	for _, c := range append(codecs, 6) {
		names = append(names, c.String())
	}
	if want := []string{"none", "gzip", "snappy", "lz4", "zstd", "codec 6"}; !reflect.DeepEqual(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// plainBatch has n records, the i-th of timestamp 1000+i.
func plainBatch(n int) []byte {
	b := NewBuilder()
	for i := range n {
		b.Add(int64(1000+i), []byte("key"), []byte("value"))
	}
	return b.Build(0)
}
