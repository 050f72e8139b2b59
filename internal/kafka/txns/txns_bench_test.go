package txns_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// BenchmarkTransactions runs transactions of ten records of 100 bytes, durably
// on the directory of temporary files, by one producer and by fifty.
func BenchmarkTransactions(b *testing.B) {
	for _, producers := range []int{1, 50} {
		b.Run(fmt.Sprintf("%d producers", producers), func(b *testing.B) {
			ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
			defer cancel()
			s, err := ottla.Start(ctx, ottla.Options{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			var clients []*kgo.Client
			for i := range producers {
				c, err := kgo.NewClient(kgo.SeedBrokers(s.Addr()), kgo.TransactionalID(fmt.Sprint("bench", i)), kgo.DefaultProduceTopic("bench"),
					kgo.RecordPartitioner(kgo.StickyPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				clients = append(clients, c)
			}
			if _, err := kadm.NewClient(clients[0]).CreateTopic(ctx, 10, 1, nil, "bench"); err != nil {
				b.Fatal(err)
			}
			for _, c := range clients { // first meetings are not measured
				if err := transactTen(ctx, c); err != nil {
					b.Fatal(err)
				}
			}
			var left atomic.Int64
			var wg sync.WaitGroup
			left.Store(int64(b.N))
			b.ResetTimer()
			for _, c := range clients {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if err := transactTen(ctx, c); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "txn/s")
		})
	}
}

func transactTen(ctx context.Context, c *kgo.Client) error {
	if err := c.BeginTransaction(); err != nil {
		return err
	}
	value := make([]byte, 100)
	for range 10 {
		c.Produce(ctx, &kgo.Record{Value: value}, nil)
	}
	if err := c.Flush(ctx); err != nil {
		return err
	}
	return c.EndTransaction(ctx, kgo.TryCommit)
}
