package record

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// fuzzLimit bounds what fuzzed batches may open to, so that a run stays quick.
const fuzzLimit = 4 << 20

// naive judges the records of an opened batch the slow way: deltas that count
// up from 0, nothing over.
func naive(content []byte, count int32) bool {
	for i := range count {
		size, n := readVarint(content, 0)
		if n <= 0 || size < 0 || int(size) > len(content)-n {
			return false
		}
		r, ok := naiveRecord(content[n : n+int(size)])
		if !ok || r.OffsetDelta != i {
			return false
		}
		content = content[n+int(size):]
	}
	return len(content) == 0 && count > 0
}

func naiveRecord(b []byte) (r Record, ok bool) {
	in := bytes.NewReader(b)
	bad := false
	number := func(bytes int) int64 {
		var v uint64
		for i := range bytes {
			c, err := in.ReadByte()
			if err != nil {
				break
			}
			v |= uint64(c&0x7f) << (7 * i)
			if c < 0x80 {
				if bytes == 5 {
					v &= 1<<32 - 1
				}
				return int64(v>>1) ^ -int64(v&1)
			}
		}
		bad = true
		return 0
	}
	piece := func(least int64) []byte {
		n := number(5)
		if bad || n < least || n > int64(in.Len()) {
			bad = true
			return nil
		}
		if n < 0 {
			return nil
		}
		p := make([]byte, n)
		_, err := io.ReadFull(in, p)
		bad = bad || err != nil
		return p
	}
	attributes, err := in.ReadByte()
	if err != nil {
		return r, false
	}
	r.Attributes = int8(attributes)
	r.TimestampDelta = number(10)
	r.OffsetDelta = int32(number(5))
	r.Key, r.Value = piece(-1), piece(-1)
	headers := number(5)
	for i := int64(0); i < headers && !bad; i++ {
		key := piece(0)
		r.Headers = append(r.Headers, RecordHeader{string(key), piece(-1)})
	}
	return r, !bad && headers >= 0 && in.Len() == 0
}

// FuzzValidate takes any bytes for a batch, as they are and with length and
// checksum made right.
func FuzzValidate(f *testing.F) {
	for _, codec := range codecs {
		f.Add(textBatch(codec, 3, 200))
		f.Add(craft(codec, 2, foreign(f, codec, raw(some(2)...)), nil))
	}
	f.Add(EndTxnMarker(1, 2, true, 3, 4))
	for _, c := range bombs {
		if c.codec == Zstd {
			f.Add(craft(c.codec, 1, c.make(f, 1<<20), nil))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Header
		r := rules()
		r.MaxDecompressed, r.AfterMaxMs = fuzzLimit, 1<<62
		kindOf(t, Validate(b, r, &h))
		if len(b) < HeaderSize {
			return
		}
		b = bytes.Clone(b)
		setLength(b, int32(len(b)-lengthOverhead))
		b[atMagic] = 2
		setCRC(b)
		SetBaseOffset(b, 0)
		err := Validate(b, r, &h)
		kindOf(t, err)
		if h.Codec() == None && !h.Control() && h.Count > 0 && h.LastOffsetDelta == h.Count-1 && (h.ProducerID < 0 || h.BaseSequence >= 0) {
			if kind := kindOf(t, err); kind != KindTooLarge && kind != KindTimestamp && (err == nil) != naive(b[HeaderSize:], h.Count) {
				t.Fatalf("got %v, the naive reader says %v", err, naive(b[HeaderSize:], h.Count))
			}
		}
		walked := int32(0)
		walkErr := Walk(b, fuzzLimit, func(*Record) bool { walked++; return true })
		if err == nil && (walkErr != nil || walked != h.Count) {
			t.Fatalf("valid, but a walk sees %d of %d records: %v", walked, h.Count, walkErr)
		}
		kindOf(t, walkErr)
		if _, _, err := Find(b, fuzzLimit, 0); err != nil {
			kindOf(t, err)
		}
		if _, _, err := ParseEndTxnMarker(b); err != nil {
			kindOf(t, err)
		}
	})
}

// FuzzOpen holds our readers to the libraries' own: what we open, they open to
// the same bytes.
func FuzzOpen(f *testing.F) {
	content := raw(some(30)...)
	for _, codec := range codecs[1:] {
		f.Add(int8(codec), foreign(f, codec, content))
		f.Add(int8(codec), own(f, codec, content))
	}
	f.Fuzz(func(t *testing.T, n int8, payload []byte) {
		codec := Gzip + Codec(uint8(n)%4)
		got, err := openAll(codec, payload, fuzzLimit)
		if err != nil {
			kindOf(t, err)
			return
		}
		if len(got) > fuzzLimit {
			t.Fatalf("opened to %d bytes", len(got))
		}
		want, err := reference(codec, payload)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %d bytes, the library has %d, %v", codec, len(got), len(want), err)
		}
	})
}

func reference(codec Codec, payload []byte) ([]byte, error) {
	switch codec {
	case Gzip:
		r, err := gzip.NewReader(bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	case Snappy:
		if len(payload) >= xerialHeader && [8]byte(payload[:8]) == xerialMagic {
			return referenceXerial(payload)
		}
		return s2.Decode(nil, payload)
	case LZ4:
		return io.ReadAll(lz4.NewReader(bytes.NewReader(payload)))
	default:
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return r.DecodeAll(payload, nil)
	}
}

// referenceXerial is readXerial for streams that follow each other.
func referenceXerial(b []byte) ([]byte, error) {
	parts := bytes.Split(b, xerialMagic[:])
	if len(parts) == 2 {
		return readXerial(b)
	}
	return openAll(Snappy, b, fuzzLimit)
}

// FuzzPack compresses anything in pieces of any size and opens it again.
func FuzzPack(f *testing.F) {
	f.Add(int8(0), uint16(7), text(1, 500))
	f.Add(int8(1), uint16(400), text(1, 900))
	f.Add(int8(2), uint16(1), []byte{})
	f.Fuzz(func(t *testing.T, n int8, piece uint16, content []byte) {
		codec := Gzip + Codec(uint8(n)%4)
		p, err := newPacker(codec, int(n)/4, nil, MaxDecompressed)
		if err != nil {
			t.Fatal(err)
		}
		for rest := content; len(rest) > 0; {
			size := min(len(rest), int(piece)+1)
			if err := p.write(rest[:size]); err != nil {
				t.Fatal(err)
			}
			rest = rest[size:]
		}
		packed, err := p.finish()
		p.close()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := openAll(codec, packed, 0); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%s: %d bytes of %d came back, %v", codec, len(got), len(content), err)
		}
	})
}
