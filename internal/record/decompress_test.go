package record

import (
	"bytes"
	"errors"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// packed gives plain under a codec, from encoders that are not ours.
func packed(t *testing.T, codec Codec, plain []byte) []byte {
	t.Helper()
	switch codec {
	case Gzip:
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err := w.Write(plain)
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	case Zstd:
		e, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return e.EncodeAll(plain, nil)
	}
	return plain
}

func TestDecompressOpensUpToItsLimit(t *testing.T) {
	plain := bytes.Repeat([]byte("org.apache.kafka.producer."), 10_000)
	for _, codec := range []Codec{None, Gzip, Zstd} {
		b := packed(t, codec, plain)
		got, err := Decompress(codec, b, len(plain))
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%v: %d bytes, %v", codec, len(got), err)
		}
		_, err = Decompress(codec, b, len(plain)-1)
		var bad *Error
		if !errors.As(err, &bad) || bad.Kind != KindTooLarge {
			t.Errorf("%v beyond the limit: %v, want KindTooLarge", codec, err)
		}
	}
	for _, codec := range []Codec{Gzip, Snappy, LZ4, Zstd, 5} {
		var bad *Error
		if _, err := Decompress(codec, []byte("no such stream"), 1000); !errors.As(err, &bad) || bad.Kind == KindTooLarge {
			t.Errorf("%v of garbage: %v", codec, err)
		}
	}
}
