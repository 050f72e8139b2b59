package record

import "testing"

func plain(n int, size int) []byte {
	b := NewBuilder()
	for i := range n {
		b.Add(int64(1000+i), []byte("key"), make([]byte, size))
	}
	return b.Build(0)
}

func rules() *Rules {
	return &Rules{MaxBatchBytes: 1 << 20, AllowZstd: true, NowMs: 1000, BeforeMaxMs: 1 << 62, AfterMaxMs: 3_600_000}
}

func TestPlainBatchIsAcceptedWithoutAllocating(t *testing.T) {
	b, r := plain(100, 100), rules()
	var h Header
	if n := testing.AllocsPerRun(100, func() {
		if err := Validate(b, r, &h); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	if h.Count != 100 || h.MaxTimestamp != 1099 || NeedsTimestamps(b, &h) {
		t.Errorf("header %+v", h)
	}
}

func BenchmarkValidatePlain(b *testing.B) {
	batch, r := plain(1000, 90), rules()
	var h Header
	b.SetBytes(int64(len(batch)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Validate(batch, r, &h); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
}
