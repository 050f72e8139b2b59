package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/config"
	"ottla/internal/event/queue"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// backlog is how many messages are written at a time; they are of all groups in
// turn, or nearly all of one.
const backlog = 200_000

// BenchmarkGroups takes and acknowledges ten messages at a time out of a backlog of
// few groups and of many, in memory: what a group costs. With "noisy", 99 of 100
// messages are of one group.
func BenchmarkGroups(b *testing.B) {
	for _, kind := range []string{"fifo", "standard"} {
		for _, groups := range []int{10, 100_000} {
			b.Run(fmt.Sprintf("%s/groups=%d", kind, groups), func(b *testing.B) {
				takeAll(b, kind, func(i int) string { return fmt.Sprint("group ", i%groups) })
			})
		}
	}
	b.Run("standard/noisy", func(b *testing.B) {
		takeAll(b, "standard", func(i int) string {
			if i%100 == 0 {
				return fmt.Sprint("group ", i/100%1000)
			}
			return "noisy"
		})
	})
	b.Run("standard/none", func(b *testing.B) { takeAll(b, "standard", func(int) string { return "" }) })
}

func takeAll(b *testing.B, kind string, groupOf func(int) string) {
	ctx := context.Background()
	static, err := config.StaticOf("the benchmark", map[string]string{"log.dirs": "/data"})
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.Start(ctx, server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}},
		Static: static, Now: time.Now, Live: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: server.DefaultVerifyAge,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	name, spec := "orders", queue.DefaultSpec()
	if kind == "fifo" {
		name, spec.FIFO = "orders.fifo", true
	}
	if _, _, err := s.Queues().Create(ctx, queue.Ref{Name: name}, spec); err != nil {
		b.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.DefaultProduceTopic(name))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	value := []byte(strings.Repeat("x", 256))
	left := 0
	var spent time.Duration
	mark := cpu(b)
	for b.Loop() {
		if left == 0 {
			b.StopTimer()
			spent += cpu(b) - mark
			for i := range backlog {
				r := &kgo.Record{Value: value}
				if g := groupOf(i); g != "" {
					r.Key = []byte(g)
				}
				c.Produce(ctx, r, nil)
			}
			if err := c.Flush(ctx); err != nil {
				b.Fatal(err)
			}
			left = backlog
			mark = cpu(b)
			b.StartTimer()
		}
		got, err := s.Queues().Take(ctx, queue.Ref{Name: name}, queue.TakeOptions{Max: 10, VisibilityMs: -1})
		if err != nil || len(got) == 0 {
			b.Fatalf("%d messages, %v; %d are left", len(got), err, left)
		}
		for _, err := range s.Queues().Ack(ctx, queue.Ref{Name: name}, receipts(got)) {
			if err != nil {
				b.Fatal(err)
			}
		}
		left -= len(got)
	}
	spent += cpu(b) - mark
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N)/10, "cpu-µs/message")
}

// cpu is the processor time that this process has had: on a busy machine it tells
// more than the clock.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
