package record

import (
	"fmt"
	"testing"
)

// text is record-like content of n bytes that compresses about threefold.
func text(seed uint32, n int) []byte {
	words := []string{"order", "created", "customer", "amount", "EUR", "shipped", "2026-01-02T", `{"id":`, `","`, "warehouse"}
	b := make([]byte, 0, n+32)
	x := seed*2654435761 + 1
	for len(b) < n {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b = append(b, words[x%uint32(len(words))]...)
		if x&3 == 0 {
			b = fmt.Appendf(b, "%d", x>>8)
		}
	}
	return b[:n]
}

func textBatch(codec Codec, records, size int) []byte {
	b := NewBuilder()
	b.Codec = codec
	for i := range records {
		b.Add(int64(1000+i), []byte("key"), text(uint32(i), size))
	}
	return b.Build(0)
}

func BenchmarkValidate(b *testing.B) {
	for _, codec := range codecs {
		for _, shape := range []struct{ records, size int }{{150, 100}, {1000, 1 << 10}, {10, 100 << 10}} {
			b.Run(fmt.Sprintf("%s/%dx%d", codec, shape.records, shape.size), func(b *testing.B) {
				batch, r := textBatch(codec, shape.records, shape.size), rules()
				b.SetBytes(int64(shape.records * shape.size))
				b.ReportAllocs()
				var h Header
				for b.Loop() {
					if err := Validate(batch, r, &h); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(shape.records), "ns/record")
			})
		}
	}
}
