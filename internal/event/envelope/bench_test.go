package envelope_test

import (
	"testing"

	"ottla/internal/event/envelope"
)

func TestADocumentCostsFewAllocations(t *testing.T) {
	e := order()
	dst := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { dst = e.AppendDocument(dst[:0]) }); n > 4 {
		t.Errorf("a document made %v allocations, want at most 4", n)
	}
}

func BenchmarkReadAndDocument(b *testing.B) {
	e := order()
	key, value, headers := e.Record()
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = envelope.Read("t", 0, 0, 0, key, value, headers).AppendDocument(dst[:0])
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkEnvelopeOf(b *testing.B) {
	e := order()
	doc := e.AppendDocument(nil)
	b.ReportAllocs()
	for b.Loop() {
		doc[0] = e.EnvelopeOf(doc)[0]
	}
}
