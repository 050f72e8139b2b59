package record

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// contents are the records of a batch, timestamps made absolute.
func contents(t *testing.T, b []byte) []Record {
	t.Helper()
	h, err := ParseHeader(b)
	if err != nil {
		t.Fatalf("header of a sifted batch: %v", err)
	}
	var out []Record
	err = Walk(b, 0, func(r *Record) bool {
		c := clone(r)
		c.TimestampDelta += h.BaseTimestamp
		out = append(out, c)
		return true
	})
	if err != nil {
		t.Fatalf("records of a sifted batch: %v", err)
	}
	return out
}

func TestSiftKeepsTheRecordsThatStayAndNothingElse(t *testing.T) {
	picks := map[string]func(i int64) bool{
		"first": func(i int64) bool { return i == 0 }, "last": func(i int64) bool { return i == 5 },
		"odd": func(i int64) bool { return i%2 == 1 }, "all but the big": func(i int64) bool { return i != 3 },
	}
	for _, codec := range codecs {
		b := craft(codec, 6, foreign(t, codec, raw(assorted()...)), func(h *Header) {
			h.BaseOffset, h.ProducerID, h.ProducerEpoch, h.BaseSequence = 100, 7, 3, 40
			h.LeaderEpoch, h.MaxTimestamp = 9, 1000+1<<40
			h.Attributes |= bitTransactional
		})
		before := bytes.Clone(b)
		all := contents(t, b)
		for name, pick := range picks {
			var want []Record
			maxMs := int64(-1)
			for i, r := range all {
				if pick(int64(i)) {
					want = append(want, r)
					maxMs = max(maxMs, r.TimestampDelta)
				}
			}
			s := Sifting{Keep: func(o int64, _ []byte, _ bool) bool { return pick(o - 100) }, HorizonMs: 777_777}
			out, err := Sift(nil, b, &s)
			if err != nil {
				t.Fatalf("%v, %s: %v", codec, name, err)
			}
			if !bytes.Equal(b, before) {
				t.Fatalf("%v, %s: Sift changed its input", codec, name)
			}
			if !VerifyCRC(out) {
				t.Fatalf("%v, %s: the CRC does not hold", codec, name)
			}
			if got := contents(t, out); !reflect.DeepEqual(got, want) {
				t.Errorf("%v, %s: %d records stay, want %d, or they differ", codec, name, len(got), len(want))
			}
			h, _ := ParseHeader(out)
			tomb := name == "odd" || name == "all but the big" // two of them have no value
			if h.BaseOffset != 100 || h.LastOffset() != 105 || h.ProducerID != 7 || h.ProducerEpoch != 3 || h.BaseSequence != 40 ||
				h.LeaderEpoch != 9 || h.Codec() != codec || !h.Transactional() || h.MaxTimestamp != maxMs || h.HasDeleteHorizon() != tomb {
				t.Errorf("%v, %s: header %+v does not say what it said (largest timestamp %d, horizon %v)", codec, name, h, maxMs, tomb)
			}
			if tomb && h.BaseTimestamp != 777_777 {
				t.Errorf("%v, %s: horizon %d, want 777777", codec, name, h.BaseTimestamp)
			}
		}
	}
}

func TestSiftGivesAnUnchangedBatchAsItIs(t *testing.T) {
	for _, codec := range codecs {
		rs := some(20)
		b := craft(codec, 20, foreign(t, codec, raw(rs...)), nil)
		out, err := Sift(nil, append(bytes.Clone(b), "what follows"...), &Sifting{HorizonMs: 5})
		if err != nil || !bytes.Equal(out, b) {
			t.Errorf("%v: a batch of which all stays came back changed (%v)", codec, err)
		}
		out, err = Sift(nil, b, &Sifting{Keep: func(int64, []byte, bool) bool { return false }})
		if err != nil || out != nil {
			t.Errorf("%v: a batch of which nothing stays gave %d bytes, %v", codec, len(out), err)
		}
	}
}

func TestSiftKeepsADeleteHorizonOnceSet(t *testing.T) {
	b := craft(None, 2, raw(Record{Key: []byte("a")}, Record{OffsetDelta: 1, TimestampDelta: 5, Key: []byte("b"), Value: []byte("v")}), nil)
	first, err := Sift(nil, b, &Sifting{HorizonMs: 500})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Sift(nil, first, &Sifting{HorizonMs: 900})
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the second cleaning moved the horizon (%v)", err)
	}
	less, err := Sift(nil, first, &Sifting{HorizonMs: 900, Keep: func(o int64, _ []byte, _ bool) bool { return o == 0 }})
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := ParseHeader(less); h.BaseTimestamp != 500 || !h.HasDeleteHorizon() || h.MaxTimestamp != 1000 {
		t.Errorf("header after a drop: %+v, want horizon 500 and largest timestamp 1000", h)
	}
	if got := contents(t, less); len(got) != 1 || got[0].TimestampDelta != 1000 {
		t.Errorf("records %+v, want one of time 1000", got)
	}
}

func TestSiftOfAMarkerSetsItsHorizon(t *testing.T) {
	m := EndTxnMarker(5, 2, true, 8, 4000)
	out, err := Sift(nil, m, &Sifting{HorizonMs: 9000, Always: true})
	if err != nil {
		t.Fatal(err)
	}
	h, _ := ParseHeader(out)
	commit, epoch, err := ParseEndTxnMarker(out)
	if err != nil || !commit || epoch != 8 || !h.HasDeleteHorizon() || h.BaseTimestamp != 9000 || h.MaxTimestamp != 4000 || !VerifyCRC(out) {
		t.Errorf("marker %+v, commit %v, coordinator epoch %d, %v", h, commit, epoch, err)
	}
	if rs := contents(t, out); rs[0].TimestampDelta != 4000 {
		t.Errorf("its time is %d, want 4000", rs[0].TimestampDelta)
	}
}

func TestSiftLeavesLogAppendTimeAlone(t *testing.T) {
	b := craft(None, 3, raw(some(3)...), func(h *Header) { h.Attributes |= bitAppendTime; h.MaxTimestamp = 5555 })
	out, err := Sift(nil, b, &Sifting{Keep: func(o int64, _ []byte, _ bool) bool { return o == 1 }})
	if h, _ := ParseHeader(out); err != nil || h.MaxTimestamp != 5555 || !h.LogAppendTime() {
		t.Errorf("header %+v, %v", h, err)
	}
}

func TestEmptyBatchKeepsWhatAProducerNeeds(t *testing.T) {
	b := craft(Zstd, 4, foreign(t, Zstd, raw(some(4)...)), func(h *Header) {
		h.BaseOffset, h.ProducerID, h.ProducerEpoch, h.BaseSequence, h.MaxTimestamp = 40, 6, 1, 12, 99
		h.Attributes |= bitTransactional | bitDeleteHorizon
	})
	was, _ := ParseHeader(b)
	out := EmptyBatch(nil, &was)
	h, err := ParseHeader(out)
	if err != nil || !VerifyCRC(out) || len(out) != HeaderSize || h.Size() != HeaderSize {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
	if h.BaseOffset != 40 || h.LastOffset() != 43 || h.LastSequence() != 15 || h.ProducerID != 6 || h.ProducerEpoch != 1 ||
		h.Count != 0 || h.MaxTimestamp != 99 || h.BaseTimestamp != -1 || h.Codec() != None || !h.Transactional() || h.HasDeleteHorizon() {
		t.Errorf("header %+v", h)
	}
	if rs := contents(t, out); len(rs) != 0 {
		t.Errorf("it holds %d records", len(rs))
	}
	if again, err := Sift(nil, out, &Sifting{}); again != nil || err != nil {
		t.Errorf("sifting it gives %d bytes, %v", len(again), err)
	}
}

func TestKeysTellsEveryRecord(t *testing.T) {
	b := craft(None, 6, raw(assorted()...), func(h *Header) { h.BaseOffset = 10 })
	var keys, tombs, nulls int
	err := Keys(b, func(o int64, key []byte, tombstone bool) bool {
		if o != int64(10+keys) {
			t.Errorf("record %d has offset %d", keys, o)
		}
		keys++
		if tombstone {
			tombs++
		}
		if key == nil {
			nulls++
		}
		return true
	})
	if err != nil || keys != 6 || tombs != 2 || nulls != 2 {
		t.Errorf("%d records, %d tombstones, %d without key, %v", keys, tombs, nulls, err)
	}
}

// FuzzSift: whatever the bytes, what stays is what was there.
func FuzzSift(f *testing.F) {
	for _, codec := range codecs {
		f.Add(craft(codec, 3, foreign(f, codec, raw(some(3)...)), nil), uint8(5), true)
	}
	f.Add(craft(None, 2, raw(Record{Key: []byte("a")}, Record{OffsetDelta: 1}), nil), uint8(1), false)
	f.Add(EndTxnMarker(1, 2, true, 3, 4), uint8(255), true)
	f.Fuzz(func(t *testing.T, b []byte, mask uint8, always bool) {
		keep := func(o int64, _ []byte, _ bool) bool { return mask>>(uint64(o)%8)&1 == 1 }
		out, err := Sift(nil, b, &Sifting{Keep: keep, HorizonMs: 12345, Always: always})
		if err != nil {
			if bad := (*Error)(nil); !errors.As(err, &bad) {
				t.Fatalf("error %v is not an *Error", err)
			}
			return
		}
		h, _ := ParseHeader(b)
		var want []Record
		for _, r := range contents(t, b) {
			if keep(h.BaseOffset+int64(r.OffsetDelta), nil, false) {
				want = append(want, r)
			}
		}
		if (out == nil) != (len(want) == 0) {
			t.Fatalf("%d bytes for %d records", len(out), len(want))
		}
		if out != nil && !reflect.DeepEqual(contents(t, out), want) {
			t.Fatal("what stays is not what was there")
		}
	})
}
