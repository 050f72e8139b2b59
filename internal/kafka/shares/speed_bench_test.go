package shares_test

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

// Ten members of a share group, every acknowledgement durable, against one
// plain consumer of the same partition. The figure that counts is their ratio
// in one run: go test -bench . -run '^$' ./internal/kafka/shares

const benchRecords = 300_000

// filled is a node with a topic of one partition and records of 100 bytes.
func filled(b *testing.B) string {
	b.Helper()
	ctx := context.Background()
	s, err := ottla.Start(ctx, ottla.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.Addr()), kgo.DefaultProduceTopic("t"), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, 1, 1, nil, "t"); err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 100)
	for range benchRecords {
		cl.Produce(ctx, &kgo.Record{Value: value}, nil)
	}
	if err := cl.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	return s.Addr()
}

func BenchmarkOnePlainConsumer(b *testing.B) {
	addr := filled(b)
	for b.Loop() {
		cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("t"))
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < benchRecords; {
			n += cl.PollFetches(context.Background()).NumRecords()
		}
		cl.Close()
	}
	b.ReportMetric(float64(benchRecords)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkTenMembersOfAShareGroup(b *testing.B) {
	addr := filled(b)
	round, took := 0, time.Duration(0)
	for b.Loop() {
		round++
		took += drink(b, addr, fmt.Sprint("g", round))
	}
	b.ReportMetric(float64(benchRecords)*float64(b.N)/took.Seconds(), "records/s")
}

// drink lets ten members take and acknowledge everything, and tells how long
// that took from the first record on: how fast they join is another matter.
func drink(b *testing.B, addr, group string) time.Duration {
	b.Helper()
	var began, ended atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var got atomic.Int64
	var all sync.WaitGroup
	set, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		b.Fatal(err)
	}
	defer set.Close()
	if err := setGroup(ctx, set, group, "share.auto.offset.reset", "earliest"); err != nil {
		b.Fatal(err)
	}
	for range 10 {
		cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ShareGroup(group), kgo.ConsumeTopics("t"))
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			defer cl.Close()
			for got.Load() < benchRecords && ctx.Err() == nil {
				fs := cl.PollFetches(ctx)
				if fs.NumRecords() == 0 {
					continue
				}
				began.CompareAndSwap(0, time.Now().UnixNano())
				fs.EachRecord(func(r *kgo.Record) { r.Ack(kgo.AckAccept) })
				if err := cl.FlushAcks(ctx); err != nil && ctx.Err() == nil {
					b.Error(err)
				}
				if got.Add(int64(fs.NumRecords())) >= benchRecords {
					ended.Store(time.Now().UnixNano())
					cancel()
				}
			}
		})
	}
	all.Wait()
	return time.Duration(ended.Load() - began.Load())
}
