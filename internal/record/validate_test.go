package record

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// What a leader answers to a produced batch, as measured on Kafka 4.4.0 unless
// a row says that we differ.
func TestBatchesAreJudgedAsKafkaDoes(t *testing.T) {
	ok := func() []byte { return craft(None, 3, raw(some(3)...), nil) }
	header := func(edit func(*Header)) []byte { return craft(None, 3, raw(some(3)...), edit) }
	compacted := rules()
	compacted.RequireKeys = true
	early, late := rules(), rules()
	early.AfterMaxMs = 10
	late.BeforeMaxMs = 10
	appendTime := rules()
	appendTime.AppendTime, appendTime.AfterMaxMs = true, 0
	noZstd := rules()
	noZstd.AllowZstd = false
	exact, below := rules(), rules()
	exact.MaxBatchBytes = len(ok())
	below.MaxBatchBytes = len(ok()) - 1

	for _, c := range []struct {
		name  string
		batch []byte
		rules *Rules
		want  Kind
	}{
		{"good", ok(), rules(), 0},
		{"wrong crc", func() []byte { b := ok(); b[len(b)-1] ^= 1; return b }(), rules(), KindCorrupt},
		{"wrong crc field", func() []byte { b := ok(); b[atCRC] ^= 1; return b }(), rules(), KindCorrupt},
		{"magic 3", func() []byte { b := ok(); b[atMagic] = 3; return b }(), rules(), KindCorrupt},
		{"magic -1", func() []byte { b := ok(); b[atMagic] = 0xff; return b }(), rules(), KindCorrupt},
		{"magic 0", func() []byte { b := ok(); b[atMagic] = 0; return b }(), rules(), KindInvalid},
		{"magic 1", func() []byte { b := ok(); b[atMagic] = 1; return b }(), rules(), KindInvalid},
		{"empty bytes", []byte{}, rules(), KindInvalid},
		{"null", nil, rules(), KindInvalid},
		{"truncated before the magic", ok()[:16], rules(), KindInvalid},
		{"truncated in the header", ok()[:40], rules(), KindInvalid},
		{"truncated in the records", ok()[:70], rules(), KindInvalid},
		{"trailing byte", append(ok(), 0), rules(), KindInvalid},
		{"two batches", append(ok(), ok()...), rules(), KindInvalid},
		{"length below the header", setLength(ok(), 48), rules(), KindCorrupt},
		{"negative length", setLength(ok(), -1), rules(), KindCorrupt},
		{"huge length", setLength(ok(), math.MaxInt32), rules(), KindInvalid},
		{"count 0", header(func(h *Header) { h.Count, h.LastOffsetDelta = 0, -1 }), rules(), KindInvalid},
		{"negative count", header(func(h *Header) { h.Count, h.LastOffsetDelta = -3, -4 }), rules(), KindInvalid},
		{"count above the records", header(func(h *Header) { h.Count, h.LastOffsetDelta = 4, 3 }), rules(), KindInvalid},
		{"count below the records", header(func(h *Header) { h.Count, h.LastOffsetDelta = 2, 1 }), rules(), KindInvalid},
		{"lastOffsetDelta above count-1", header(func(h *Header) { h.LastOffsetDelta = 3 }), rules(), KindInvalid},
		{"lastOffsetDelta below count-1", header(func(h *Header) { h.LastOffsetDelta = 1 }), rules(), KindInvalid},
		{"base offset", header(func(h *Header) { h.BaseOffset = 1 }), rules(), KindInvalid},
		{"control batch", header(func(h *Header) { h.Attributes |= bitControl }), rules(), KindInvalid},
		{"producer without sequence", header(func(h *Header) { h.ProducerID, h.ProducerEpoch = 5, 0 }), rules(), KindInvalid},
		{"producer", header(func(h *Header) { h.ProducerID, h.ProducerEpoch, h.BaseSequence = 5, 0, 0 }), rules(), 0},
		{"larger than the topic takes", ok(), below, KindTooLarge},
		{"as large as the topic takes", ok(), exact, 0},
		{"timestamp too new", header(func(h *Header) { h.BaseTimestamp = 1_000_011 }), early, KindTimestamp},
		{"timestamp just not too new", header(func(h *Header) { h.BaseTimestamp = 1_000_010 }), early, 0},
		{"timestamp too old", header(func(h *Header) { h.BaseTimestamp = 999_989 }), late, KindTimestamp},
		{"timestamp just not too old", header(func(h *Header) { h.BaseTimestamp = 999_990 }), late, 0},
		{"no timestamp", header(func(h *Header) { h.BaseTimestamp = -1 }), late, 0},
		{"log append time does not judge", header(func(h *Header) { h.BaseTimestamp = math.MaxInt64 }), appendTime, 0},
		{"log append time claimed where the leader sets it", header(func(h *Header) { h.Attributes |= bitAppendTime }), appendTime, KindTimestamp},
		{"zstd before Produce v7", craft(Zstd, 3, foreign(t, Zstd, raw(some(3)...)), nil), noZstd, KindUnsupported},
		{"zstd", craft(Zstd, 3, foreign(t, Zstd, raw(some(3)...)), nil), rules(), 0},
		{"codec 5 (Kafka: UNKNOWN_SERVER_ERROR)", header(func(h *Header) { h.Attributes = 5 }), rules(), KindInvalid},
		{"codec 7", header(func(h *Header) { h.Attributes = 7 }), rules(), KindInvalid},
		{"attribute bit 7", header(func(h *Header) { h.Attributes |= 1 << 7 }), rules(), 0},
		{"delete horizon", header(func(h *Header) { h.Attributes |= bitDeleteHorizon }), rules(), 0},
		{"log append time bit", header(func(h *Header) { h.Attributes |= bitAppendTime }), rules(), 0},
		{"timestamps below 0", header(func(h *Header) { h.BaseTimestamp = -5000 }), rules(), 0},
		{"any leader epoch", header(func(h *Header) { h.LeaderEpoch = 77 }), rules(), 0},
		{"null key where keys are needed", craft(None, 1, raw(Record{Value: []byte("v")}), nil), compacted, KindInvalid},
		{"null value where keys are needed", craft(None, 1, raw(Record{Key: []byte("k")}), nil), compacted, 0},
		{"empty key where keys are needed", craft(None, 1, raw(Record{Key: []byte{}}), nil), compacted, 0},
		// Kafka stores this one, whose record then lies beyond its batch.
		{"first offset delta 3", craft(None, 1, raw(Record{OffsetDelta: 3}), nil), rules(), KindInvalid},
		{"offset deltas go back", craft(None, 3, raw(Record{OffsetDelta: 0}, Record{OffsetDelta: 2}, Record{OffsetDelta: 1}), nil), rules(), KindInvalid},
		{"an offset delta twice", craft(None, 2, raw(Record{}, Record{}), nil), rules(), KindInvalid},
		{"negative offset delta", craft(None, 1, raw(Record{OffsetDelta: -1}), nil), rules(), KindInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := slices.Clone(c.batch)
			var h Header
			err := Validate(c.batch, c.rules, &h)
			if got := kindOf(t, err); got != c.want {
				t.Errorf("kind %d (%v), want %d", got, err, c.want)
			}
			if !bytes.Equal(before, c.batch) {
				t.Error("Validate changed the batch")
			}
		})
	}
}

func TestMalformedRecordsAreInvalidUnderEveryCodec(t *testing.T) {
	good := raw(some(2)...)
	for _, c := range []struct {
		name string
		raw  []byte
	}{
		{"no bytes", nil},
		{"zero length", []byte{0}},
		{"length below a record", []byte{10, 0, 0, 0, 1, 1}},
		{"length beyond the end", append([]byte{40}, good[1:]...)},
		{"negative length", []byte{1, 0, 0, 0, 0, 0, 0}},
		{"length that never ends", bytes.Repeat([]byte{0xff}, 12)},
		{"key beyond the record", []byte{12, 0, 0, 0, 40, 1, 0}},
		{"key length -2", []byte{12, 0, 0, 0, 3, 1, 0}},
		{"value beyond the record", []byte{12, 0, 0, 0, 1, 40, 0}},
		{"value length -2", []byte{12, 0, 0, 0, 1, 3, 0}},
		{"negative header count", []byte{12, 0, 0, 0, 1, 1, 1}},
		{"more headers than bytes", []byte{12, 0, 0, 0, 1, 1, 40}},
		{"null header key", []byte{16, 0, 0, 0, 1, 1, 2, 1, 1}},
		{"header value beyond the record", []byte{16, 0, 0, 0, 1, 1, 2, 0, 40}},
		{"bytes after the headers", []byte{14, 0, 0, 0, 1, 1, 0, 0}},
		{"timestamp delta that never ends", append([]byte{40, 0}, bytes.Repeat([]byte{0xff}, 20)...)},
		{"half a record", good[:len(good)/4]},
	} {
		for _, codec := range codecs {
			t.Run(fmt.Sprintf("%s/%s", c.name, codec), func(t *testing.T) {
				b := craft(codec, 1, foreign(t, codec, c.raw), nil)
				var h Header
				if err := Validate(b, rules(), &h); kindOf(t, err) != KindInvalid {
					t.Errorf("%v, want an invalid record", err)
				}
				if err := Walk(b, 0, func(*Record) bool { return true }); err == nil {
					t.Error("Walk read it")
				}
			})
		}
	}
}

func TestBadRecordsAreNamedByIndex(t *testing.T) {
	r := rules()
	r.RequireKeys, r.AfterMaxMs = true, 10
	rs := some(5)
	rs[1].Key, rs[3].Key = nil, nil
	for _, codec := range codecs {
		b := craft(codec, 5, foreign(t, codec, raw(rs...)), nil)
		var h Header
		err, _ := Validate(b, r, &h).(*Error)
		if err == nil || err.Kind != KindInvalid || len(err.Records) != 2 || err.Records[0].Index != 1 || err.Records[1].Index != 3 {
			t.Errorf("%s: %+v, want records 1 and 3 named", codec, err)
		}
	}
	rs[4].TimestampDelta = 5_000_000
	var h Header
	err, _ := Validate(craft(None, 5, raw(rs...), nil), r, &h).(*Error)
	if err == nil || err.Kind != KindTimestamp || len(err.Records) != 3 || !strings.Contains(err.Records[2].Reason, "5001000") {
		t.Errorf("%+v, want a timestamp error that names records 1, 3 and 4", err)
	}
}

func TestNamedRecordsAreBounded(t *testing.T) {
	r := rules()
	r.RequireKeys = true
	rs := some(5000)
	for i := range rs {
		rs[i].Key = nil
	}
	var h Header
	err, _ := Validate(craft(None, 5000, raw(rs...), nil), r, &h).(*Error)
	if err == nil || len(err.Records) != maxNamedRecords {
		t.Errorf("%v, want %d records named", err, maxNamedRecords)
	}
}

func TestHeaderComesBackAsItMustBeStored(t *testing.T) {
	rs := some(3)
	rs[1].TimestampDelta = 70
	appendTime := rules()
	appendTime.AppendTime = true
	for _, c := range []struct {
		name    string
		edit    func(*Header)
		rules   *Rules
		max     int64
		patched bool
	}{
		{"right maximum", func(h *Header) { h.MaxTimestamp = 1070 }, rules(), 1070, false},
		{"wrong maximum", func(h *Header) { h.MaxTimestamp = 5 }, rules(), 1070, true},
		{"claimed log append time", func(h *Header) { h.MaxTimestamp, h.Attributes = 1070, bitAppendTime }, rules(), 1070, true},
		{"all below 0", func(h *Header) { h.BaseTimestamp, h.MaxTimestamp = -5000, -4930 }, rules(), -1, true},
		{"log append time", func(h *Header) { h.MaxTimestamp = 5 }, appendTime, 5, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := craft(None, 3, raw(rs...), c.edit)
			var h Header
			if err := Validate(b, c.rules, &h); err != nil {
				t.Fatal(err)
			}
			if h.MaxTimestamp != c.max || h.LogAppendTime() || NeedsTimestamps(b, &h) != c.patched {
				t.Errorf("max %d, append time %v, patch %v; want %d, false, %v",
					h.MaxTimestamp, h.LogAppendTime(), NeedsTimestamps(b, &h), c.max, c.patched)
			}
			SetTimestamps(b, h.MaxTimestamp, false)
			if got, err := ParseHeader(b); err != nil || got.MaxTimestamp != c.max || !VerifyCRC(b) || NeedsTimestamps(b, &h) {
				t.Errorf("patched batch %+v, crc %v, %v", got, VerifyCRC(b), err)
			}
		})
	}
}

func TestDecompressedSizeIsBounded(t *testing.T) {
	content := raw(Record{Value: bytes.Repeat([]byte("x"), 300_000)})
	for _, codec := range codecs[1:] {
		for _, payload := range [][]byte{foreign(t, codec, content), own(t, codec, content)} {
			r := rules()
			r.MaxDecompressed = len(content)
			var h Header
			if err := Validate(craft(codec, 1, payload, nil), r, &h); err != nil {
				t.Errorf("%s: exactly the limit: %v", codec, err)
			}
			r.MaxDecompressed--
			err := Validate(craft(codec, 1, payload, nil), r, &h)
			if kindOf(t, err) != KindInvalid || !strings.Contains(err.Error(), "max.decompressed.message.bytes") {
				t.Errorf("%s: one byte above the limit: %v", codec, err)
			}
		}
	}
	r := rules()
	r.MaxDecompressed = 10
	var h Header
	if err := Validate(craft(None, 1, content, nil), r, &h); err != nil {
		t.Errorf("the limit is for compressed batches only: %v", err)
	}
}

func TestValidationOfSteadyTrafficAllocatesNothing(t *testing.T) {
	for _, codec := range codecs {
		for _, shape := range [][2]int{{100, 100}, {200, 1 << 10}, {3, 100 << 10}} {
			b, r := textBatch(codec, shape[0], shape[1]), rules()
			var h Header
			n := testing.AllocsPerRun(50, func() {
				if err := Validate(b, r, &h); err != nil {
					t.Fatal(err)
				}
			})
			if n >= allocsPerBatch || codec == None && n > 0 {
				t.Errorf("%s, %d records of %d bytes: %v allocations a batch, want none", codec, shape[0], shape[1], n)
			}
		}
	}
}
