package broker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"ottla/internal/vfs"
)

// BenchmarkCoordinator is commands with one record of about 100 bytes, each
// answered when it is synced on a real disk (that of TMPDIR): by one caller,
// and by many on one shard and on all.
func BenchmarkCoordinator(b *testing.B) {
	for _, c := range []struct{ callers, partitions int }{{1, 1}, {64, 1}, {1000, 1}, {1000, 50}} {
		b.Run(fmt.Sprintf("callers=%d/partitions=%d", c.callers, c.partitions), func(b *testing.B) {
			l := startLedgersIn(b, vfs.NewOS(), b.TempDir())
			defer l.stop()
			l.create(OffsetsTopic, int32(c.partitions))
			for i := range c.partitions {
				must(b, l.rt.Settle(b.Context(), string(rune('A'+i))))
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for i := range c.callers {
				wg.Go(func() {
					name := fmt.Sprintf("%090d", i)
					for n := uint64(0); left.Add(-1) >= 0; n++ {
						if _, err := l.rt.Do(context.Background(), name, setNumber{name, n}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
		})
	}
}
