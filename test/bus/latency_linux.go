package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/beside"
	"ottla/test/beside/raw"
	"ottla/test/realfault"
)

const (
	perSecond = 1000
	// warmUp is how long events are put before they count.
	warmUp = 2 * time.Second
	// arriveWithin bounds the wait for the last.
	arriveWithin = time.Minute
)

func latencyPlain(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	return n.endToEnd(ctx, "plain", "plain")
}

func latencyQueue(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	return n.endToEnd(ctx, "shop", "q")
}

// watch is the reader's side of an end-to-end run.
type watch struct {
	began time.Time

	mu     sync.Mutex // guards all below
	delays beside.Delays
	got    int
	failed error
}

// endToEnd puts an event at a time at a fixed rate into one topic, and measures from the
// moment it was due to the moment a reader of another has what became of it: that is when
// it can be received. Producer and reader are ordinary clients: acks=all, idempotent, no
// linger; the reader has what is committed.
func (n *node) endToEnd(ctx context.Context, in, out string) (beside.Outcome, error) {
	ends, err := n.ends(ctx, out)
	if err != nil {
		return beside.Outcome{}, err
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(n.kafka), kgo.ConsumePartitions(ends.KOffsets()),
		kgo.FetchMinBytes(1), kgo.FetchMaxWait(500*time.Millisecond), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.DisableClientMetrics())
	if err != nil {
		return beside.Outcome{}, err
	}
	defer reader.Close()
	writer, err := kgo.NewClient(kgo.SeedBrokers(n.kafka), kgo.DefaultProduceTopic(in), kgo.ProducerLinger(0), kgo.DisableClientMetrics())
	if err != nil {
		return beside.Outcome{}, err
	}
	defer writer.Close()
	w := &watch{}
	reading, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	w.began = time.Now().Add(200 * time.Millisecond)
	all.Go(func() { w.read(reading, reader) })
	defer all.Wait()
	defer stop()
	return w.send(ctx, n, writer)
}

// ends are where a topic ends, which may have been made a moment ago.
func (n *node) ends(ctx context.Context, topic string) (kadm.ListedOffsets, error) {
	for begun := time.Now(); ; {
		ends, err := kadm.NewClient(n.client).ListEndOffsets(ctx, topic)
		if err = errors.Join(err, ends.Error()); err == nil || !kerr.IsRetriable(err) && !errors.Is(err, kerr.UnknownTopicOrPartition) || time.Since(begun) > arriveWithin {
			return ends, err
		}
		if err := realfault.Pause(ctx, lookEvery); err != nil {
			return nil, err
		}
	}
}

// read notes when events come. Each tells when it was due, in nanoseconds after the
// beginning.
func (w *watch) read(ctx context.Context, cl *kgo.Client) {
	begin := []byte(`"due":"`)
	for ctx.Err() == nil {
		fetches := cl.PollFetches(ctx)
		now := time.Since(w.began)
		w.mu.Lock()
		if err := fetches.Err(); err != nil && ctx.Err() == nil && !kerr.IsRetriable(err) {
			w.failed = err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			_, text, ok := bytes.Cut(r.Value, begin)
			if !ok || len(text) < 16 {
				w.failed = fmt.Errorf("%s-%d@%d is no event of ours", r.Topic, r.Partition, r.Offset)
				return
			}
			due, err := strconv.ParseInt(string(bytes.TrimLeft(text[:16], "0")), 10, 64)
			if err != nil {
				w.failed = err
				return
			}
			if w.got++; time.Duration(due) > warmUp {
				w.delays = append(w.delays, now-time.Duration(due))
			}
		})
		w.mu.Unlock()
	}
}

// send sends at the rate; the meter counts from the end of the warm-up on.
func (w *watch) send(ctx context.Context, n *node, cl *kgo.Client) (beside.Outcome, error) {
	var headers []kgo.RecordHeader
	for _, h := range attributes("one") {
		headers = append(headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	note := func(_ *kgo.Record, err error) {
		if err != nil {
			w.mu.Lock()
			w.failed = errors.Join(w.failed, err)
			w.mu.Unlock()
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	counted := time.Duration(*seconds) * time.Second
	var m *beside.Meter
	sent, before := 0, 0
	for due := time.Millisecond; due < warmUp+counted; due += time.Second / perSecond {
		if m == nil && due > warmUp {
			var err error
			if m, err = beside.StartMeter([]int{n.proc.PID()}); err != nil {
				return beside.Outcome{}, err
			}
			before = sent
		}
		raw.SleepUntil(w.began.Add(due))
		cl.Produce(ctx, &kgo.Record{Value: order(rng, due), Headers: headers}, note)
		sent++
	}
	used, err := m.Stop()
	if err := errors.Join(err, cl.Flush(ctx)); err != nil {
		return beside.Outcome{}, err
	}
	return w.outcome(ctx, used, sent, sent-before)
}

// outcome waits for the last events and tells what was seen.
func (w *watch) outcome(ctx context.Context, used beside.Used, sent, counted int) (beside.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, arriveWithin)
	defer cancel()
	for {
		w.mu.Lock()
		got, all, failed := w.got, w.delays, w.failed
		w.mu.Unlock()
		if failed != nil {
			return beside.Outcome{}, failed
		}
		if got >= sent {
			return beside.Outcome{Others: used.Others, Seen: beside.Seen{
				figP50: all.Ms(0.50), figP99: all.Ms(0.99), figCPU: used.CPU * 1e6 / float64(counted),
			}}, nil
		}
		if err := realfault.Pause(ctx, 10*time.Millisecond); err != nil {
			return beside.Outcome{}, fmt.Errorf("%d of %d events came: %w", got, sent, err)
		}
	}
}
