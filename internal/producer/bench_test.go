package producer

import (
	"fmt"
	"testing"
)

func BenchmarkCheckAndApply(b *testing.B) {
	for _, producers := range []int64{1, 1000, 100_000} {
		b.Run(fmt.Sprintf("%d producers", producers), func(b *testing.B) {
			s := NewState()
			h := header(0, 0, 0, 1, 0)
			step := func() {
				h.ProducerID = (h.ProducerID + 7919) % producers
				h.BaseSequence = int32(h.BaseOffset / producers)
				if v, _ := s.Check(h); v != Accept {
					b.Fatal(v)
				}
				if _, _, err := s.Apply(h, nil); err != nil {
					b.Fatal(err)
				}
				h.BaseOffset++
			}
			for range producers {
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}

func BenchmarkSnapshots(b *testing.B) {
	s := NewState()
	for i := range int64(1000) {
		for j := range int32(5) {
			if _, _, err := s.Apply(header(i*3, 0, j*10, 10, i*50+int64(j)*10), nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	var full []byte
	b.Run("kafka", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Snapshot()
		}
	})
	b.Run("full", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			full = s.AppendFull(full[:0])
		}
		b.ReportMetric(float64(len(full))/1000, "bytes/producer")
	})
	b.Run("restore full", func(b *testing.B) {
		full = s.AppendFull(full[:0])
		b.ReportAllocs()
		for b.Loop() {
			if err := s.RestoreFull(full); err != nil {
				b.Fatal(err)
			}
		}
	})
}
