package record

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

var codecs = []Codec{None, Gzip, Snappy, LZ4, Zstd}

// craft makes a batch of the given bytes of records, as a client would send
// it, and lets edit change the header before length and CRC are set.
func craft(codec Codec, count int32, payload []byte, edit func(*Header)) []byte {
	h := Header{LeaderEpoch: -1, Magic: 2, Attributes: int16(codec), LastOffsetDelta: count - 1,
		BaseTimestamp: 1000, MaxTimestamp: 1000, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1, Count: count}
	if edit != nil {
		edit(&h)
	}
	b := append(make([]byte, HeaderSize), payload...)
	seal(&h, b)
	return b
}

// raw encodes records one after another.
func raw(records ...Record) []byte {
	var b []byte
	for i := range records {
		b = appendRecord(b, &records[i])
	}
	return b
}

// some is n small records with deltas that count up.
func some(n int) []Record {
	rs := make([]Record, n)
	for i := range rs {
		rs[i] = Record{OffsetDelta: int32(i), Key: []byte("k"), Value: []byte("value")}
	}
	return rs
}

// foreign compresses with the libraries' own writers, as other clients do.
func foreign(t testing.TB, codec Codec, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	switch codec {
	case None:
		return b
	case Gzip:
		w := gzip.NewWriter(&out)
		must(t, w, b)
	case Snappy:
		return s2.EncodeSnappy(nil, b)
	case LZ4:
		must(t, lz4.NewWriter(&out), b)
	case Zstd:
		w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		must(t, w, b)
	}
	return out.Bytes()
}

func must(t testing.TB, w interface {
	Write([]byte) (int, error)
	Close() error
}, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func rules() *Rules {
	return &Rules{MaxBatchBytes: 1 << 20, AllowZstd: true, NowMs: 1_000_000, BeforeMaxMs: 1<<63 - 1, AfterMaxMs: 3_600_000}
}

// kindOf is the Kind of an error that must be an *Error; 0 for nil.
func kindOf(t testing.TB, err error) Kind {
	t.Helper()
	if err == nil {
		return 0
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T) is no *Error", err, err)
	}
	if e.Reason == "" {
		t.Errorf("kind %d comes without a reason", e.Kind)
	}
	return e.Kind
}

func setLength(b []byte, n int32) []byte {
	binary.BigEndian.PutUint32(b[atLength:], uint32(n))
	return b
}
