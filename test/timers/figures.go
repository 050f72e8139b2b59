package main

import (
	"cmp"
	"context"
	wire "encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/config"
	"ottla/internal/server"
	"ottla/internal/timer"
	"ottla/internal/vfs"
)

// figures measures what timers cost, on a node in this process: how fast they are
// set, what those that wait take of memory, how late they are, how long a restart
// takes.
func figures(ctx context.Context, dir string) error {
	sync, err := syncTimes(dir)
	if err != nil {
		return err
	}
	fmt.Printf("a sync of this disk: p50 %v, p99 %v\n", percentile(sync, 0.5), percentile(sync, 0.99))
	node, err := startNode(ctx, dir)
	if err != nil {
		return err
	}
	err = errors.Join(measure(ctx, node, sync), node.Close())
	if err != nil {
		return err
	}
	began := time.Now()
	if node, err = startNode(ctx, dir); err != nil {
		return err
	}
	serves := time.Since(began)
	_, _, err = node.Timers().Get(ctx, "far/0") // answered when its coordinator has loaded
	for i := 1; i < 60 && err == nil; i++ {     // and those of all others
		_, _, err = node.Timers().Get(ctx, fmt.Sprint("far/", i))
	}
	fmt.Printf("restart with %d timers: serves after %v, all coordinators after %v\n", *pending, serves.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	return errors.Join(err, node.Close())
}

// syncTimes are those of a small file, sorted.
func syncTimes(dir string) (all []time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return nil, err
	}
	block := make([]byte, 4096)
	for range 500 {
		if _, err := f.Write(block); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		began := time.Now()
		if err := f.Sync(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all, f.Close()
}

func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

func startNode(ctx context.Context, dir string) (*server.Server, error) {
	static, err := config.StaticOf("test/timers", nil)
	if err != nil {
		return nil, err
	}
	return server.Start(ctx, server.Options{
		FS: vfs.NewOS(), Dirs: []string{filepath.Join(dir, "data")}, NodeID: -1, Static: static, Now: time.Now, Live: time.Now,
		Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, VerifyAge: server.DefaultVerifyAge,
		Logger: slog.New(slog.DiscardHandler),
	})
}

// measure sets timers that wait, then some that come.
func measure(ctx context.Context, node *server.Server, sync []time.Duration) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(node.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return node.Dial(ctx) }),
		kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(time.Second))
	if err != nil {
		return err
	}
	defer client.Close()
	if r, err := kadm.NewClient(client).CreateTopic(ctx, 3, 1, nil, topic); err != nil || r.Err != nil {
		return errors.Join(err, r.Err)
	}
	before := heap()
	far := time.Now().Add(1000 * time.Hour).UnixMilli()
	began := time.Now()
	err = setAll(ctx, node.Timers(), *pending, func(i int) timer.Timer {
		return timer.Timer{Key: fmt.Sprint("far/", i), Topic: topic, Partition: -1, DueMs: far + int64(i*7919%1_000_000), Value: make([]byte, 100)}
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("%d timers of 100 bytes set in %v: %.0f/s, durable; they take %.1f MB of memory\n",
		*pending, took.Round(time.Millisecond), float64(*pending)/took.Seconds(), float64(heap()-before)/1e6)
	return lateness(ctx, node, client, sync)
}

// heap is what is alive, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// setters is how many set timers at once.
const setters = 8

// setAll sets n timers, a thousand at a time.
func setAll(ctx context.Context, timers timer.Timers, n int, make1 func(i int) timer.Timer) error {
	var wg sync.WaitGroup
	errs := make([]error, setters)
	for w := range setters {
		wg.Go(func() {
			for at := w * 1000; at < n && errs[w] == nil; at += setters * 1000 {
				var some []timer.Timer
				for i := at; i < min(at+1000, n); i++ {
					some = append(some, make1(i))
				}
				errs[w] = errors.Join(timers.Set(ctx, some)...)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// lateness lets timers come at a rate, and tells how long after its time a consumer
// had each.
func lateness(ctx context.Context, node *server.Server, client *kgo.Client, sync []time.Duration) error {
	const seconds = 5
	n := seconds * *fires
	first := time.Now().Add(2*time.Second + time.Duration(n/20_000)*time.Second)
	due := func(i int) time.Time {
		return first.Add(time.Duration(i) * time.Second / time.Duration(*fires)).Truncate(time.Millisecond)
	}
	err := setAll(ctx, node.Timers(), n, func(i int) timer.Timer {
		return timer.Timer{Key: fmt.Sprint("near/", i), Topic: topic, Partition: -1, DueMs: due(i).UnixMilli(), Value: wire.BigEndian.AppendUint64(make([]byte, 0, 100), uint64(due(i).UnixMilli()))[:100]}
	})
	if err != nil {
		return err
	}
	if time.Now().After(first) {
		return fmt.Errorf("the timers were not set before the first was due; ask for fewer")
	}
	stop, err := profiled()
	if err != nil {
		return err
	}
	late, err := arrivals(ctx, client, n)
	if err := errors.Join(err, stop()); err != nil {
		return err
	}
	fmt.Printf("%d timers at %d/s: a consumer has them after their time by p50 %v, p99 %v, at most %v\n",
		n, *fires, percentile(late, 0.5).Round(10*time.Microsecond), percentile(late, 0.99).Round(10*time.Microsecond), percentile(late, 1).Round(10*time.Microsecond))
	bound := 2*percentile(sync, 0.99) + 5*time.Millisecond
	fmt.Printf("two sync times (p99) and 5 ms are %v: p99 is %.2f of that\n", bound.Round(10*time.Microsecond), float64(percentile(late, 0.99))/float64(bound))
	return nil
}

// profiled begins a CPU profile, if one is wanted, and gives what ends it.
func profiled() (stop func() error, err error) {
	if *profile == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(*profile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// arrivals tells of n timers how long after its time a consumer has each, sorted.
func arrivals(ctx context.Context, client *kgo.Client, n int) (late []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for len(late) < n {
		f := client.PollFetches(ctx)
		if err := f.Err0(); err != nil {
			return nil, fmt.Errorf("%d of %d timers came: %w", len(late), n, err)
		}
		now := time.Now()
		f.EachRecord(func(r *kgo.Record) {
			late = append(late, now.Sub(time.UnixMilli(int64(wire.BigEndian.Uint64(r.Value)))))
		})
	}
	slices.SortFunc(late, cmp.Compare)
	return late, nil
}
