package record

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// assorted are records of every shape, one of them larger than any window.
func assorted() []Record {
	return []Record{
		{Key: []byte("k"), Value: []byte("v")},
		{OffsetDelta: 1, TimestampDelta: -4, Key: nil, Value: nil},
		{OffsetDelta: 2, TimestampDelta: 1 << 40, Key: []byte{}, Value: []byte{}},
		{OffsetDelta: 3, Key: []byte("big"), Value: text(3, 700_000)},
		{OffsetDelta: 4, TimestampDelta: 9, Attributes: 5, Key: text(4, 90_000), Headers: []RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "", Value: nil}, {Key: "a", Value: []byte{}}}},
		{OffsetDelta: 5, Value: []byte("last")},
	}
}

func clone(r *Record) Record {
	c := *r
	c.Key, c.Value, c.Headers = bytes.Clone(r.Key), bytes.Clone(r.Value), nil
	for _, h := range r.Headers {
		c.Headers = append(c.Headers, RecordHeader{h.Key, bytes.Clone(h.Value)})
	}
	return c
}

func collect(t *testing.T, b []byte) []Record {
	t.Helper()
	var got []Record
	if err := Walk(b, 0, func(r *Record) bool {
		got = append(got, clone(r))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestWalkGivesEveryRecordUnderEveryCodec(t *testing.T) {
	want := assorted()
	for _, codec := range codecs {
		for _, payload := range [][]byte{foreign(t, codec, raw(want...)), own(t, codec, raw(want...))} {
			if got := collect(t, craft(codec, int32(len(want)), payload, nil)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %d records, not what went in", codec, len(got))
			}
		}
	}
}

// kmsg is the codec that the Go client uses: an independent reader.
func TestAnotherDecoderSeesTheSameBatch(t *testing.T) {
	b := NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence = 7, 2, 40
	for _, r := range assorted() {
		b.Add(5000+r.TimestampDelta, r.Key, r.Value, r.Headers...)
	}
	batch := b.Build(100)
	var k kmsg.RecordBatch
	if err := k.ReadFrom(batch); err != nil {
		t.Fatal(err)
	}
	h, err := ParseHeader(batch)
	if err != nil {
		t.Fatal(err)
	}
	if k.FirstOffset != 100 || k.NumRecords != h.Count || uint32(k.CRC) != h.CRC || k.ProducerID != 7 || k.ProducerEpoch != 2 ||
		k.FirstSequence != 40 || k.MaxTimestamp != h.MaxTimestamp || k.LastOffsetDelta != h.LastOffsetDelta {
		t.Errorf("got %+v, want %+v", k, h)
	}
	rest := k.Records
	for i, want := range collect(t, batch) {
		size, n := readVarint(rest, 0)
		var r kmsg.Record
		if err := r.ReadFrom(rest[:n+int(size)]); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		rest = rest[n+int(size):]
		if !bytes.Equal(r.Key, want.Key) || !bytes.Equal(r.Value, want.Value) || r.OffsetDelta != want.OffsetDelta ||
			r.TimestampDelta64 != want.TimestampDelta || len(r.Headers) != len(want.Headers) {
			t.Errorf("record %d: got %+v, want %+v", i, r, want)
		}
	}
	if len(rest) != 0 {
		t.Errorf("%d bytes are left", len(rest))
	}
}

func TestWalkStopsWhenTold(t *testing.T) {
	for _, codec := range codecs {
		b := craft(codec, 40, own(t, codec, raw(some(40)...)), nil)
		n := 0
		if err := Walk(b, 0, func(*Record) bool { n++; return n < 3 }); err != nil || n != 3 {
			t.Errorf("%s: %d calls, %v", codec, n, err)
		}
	}
}

func TestWalksNest(t *testing.T) {
	b := craft(Zstd, 40, own(t, Zstd, raw(some(40)...)), nil)
	var nest func(depth int) int
	nest = func(depth int) int {
		n := 0
		if err := Walk(b, 0, func(*Record) bool {
			n++
			if depth > 0 && n == 1 {
				n += nest(depth - 1)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := nest(9); got != 400 {
		t.Errorf("%d records in ten walks, want 400", got)
	}
}

func TestWalkRefusesWhatItCannotRead(t *testing.T) {
	good := craft(None, 2, raw(some(2)...), nil)
	more := bytes.Clone(good)
	more[atCount+3] = 3
	for name, c := range map[string]struct {
		b    []byte
		max  int
		want Kind
	}{
		"cut":             {good[:len(good)-1], 0, KindCorrupt},
		"no batch":        {good[:10], 0, KindCorrupt},
		"fewer records":   {more, 0, KindInvalid},
		"unknown codec":   {craft(6, 2, raw(some(2)...), nil), 0, KindInvalid},
		"above the bound": {craft(Zstd, 1, foreign(t, Zstd, raw(Record{Value: text(1, 500_000)})), nil), 400_000, KindInvalid},
	} {
		if err := Walk(c.b, c.max, func(*Record) bool { return true }); kindOf(t, err) != c.want {
			t.Errorf("%s: %v, want kind %d", name, err, c.want)
		}
	}
}

func TestNextCutsBatchesOffABuffer(t *testing.T) {
	first, second := plainBatch(2), plainBatch(3)
	SetBaseOffset(second, 2)
	buf := append(bytes.Clone(first), second...)
	for cut := range len(second) {
		var offsets []int64
		rest := buf[:len(buf)-cut]
		var err error
		for err == nil {
			var h Header
			var batch []byte
			if h, batch, rest, err = Next(rest); err == nil {
				offsets = append(offsets, h.BaseOffset)
				if len(batch) != h.Size() {
					t.Fatalf("batch of %d bytes, want %d", len(batch), h.Size())
				}
			}
		}
		want := []int64{0, 2}
		if cut > 0 {
			want = want[:1]
		}
		if !errors.Is(err, ErrShort) || !reflect.DeepEqual(offsets, want) {
			t.Fatalf("%d bytes cut off: %v, %v, want %v and ErrShort", cut, offsets, err, want)
		}
	}
	if _, _, _, err := Next(make([]byte, 100)); kindOf(t, err) != KindCorrupt {
		t.Errorf("zeros: %v", err)
	}
}

func TestFindLooksByTime(t *testing.T) {
	rs := some(5)
	for i, ms := range []int64{10, 40, 20, 40, 5} {
		rs[i].TimestampDelta = ms
	}
	for _, codec := range codecs {
		b := craft(codec, 5, own(t, codec, raw(rs...)), func(h *Header) { h.BaseTimestamp, h.MaxTimestamp = 1000, 1040 })
		SetBaseOffset(b, 100)
		for ms, want := range map[int64]Found{0: {100, 1010}, 1010: {100, 1010}, 1011: {101, 1040}, 1040: {101, 1040}} {
			if got, ok, err := Find(b, 0, ms); got != want || !ok || err != nil {
				t.Errorf("%s: from %d: %+v %v %v, want %+v", codec, ms, got, ok, err, want)
			}
		}
		if got, ok, err := Find(b, 0, 1041); ok || err != nil {
			t.Errorf("%s: beyond the batch: %+v %v", codec, got, err)
		}
		if got, ok, err := FindMax(b, 0); got != (Found{101, 1040}) || !ok || err != nil {
			t.Errorf("%s: max %+v %v %v", codec, got, ok, err)
		}
		SetTimestamps(b, 3000, true)
		if got, ok, err := Find(b, 0, 2000); got != (Found{100, 3000}) || !ok || err != nil {
			t.Errorf("%s: log append time: %+v %v %v", codec, got, ok, err)
		}
		if got, ok, err := FindMax(b, 0); got != (Found{100, 3000}) || !ok || err != nil {
			t.Errorf("%s: max of log append time: %+v %v %v", codec, got, ok, err)
		}
	}
	empty := craft(None, 0, nil, func(h *Header) { h.LastOffsetDelta = 7 }) // as compaction leaves it
	if got, ok, err := FindMax(empty, 0); ok || err != nil {
		t.Errorf("no records: %+v %v", got, err)
	}
}
