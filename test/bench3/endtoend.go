//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/beside"
	"ottla/test/beside/raw"
	"ottla/test/realfault"
)

const (
	perSecond = 1000
	// warmUp is how long records are sent before they count.
	warmUp = 3 * time.Second
	// arriveWithin bounds the wait for the last records.
	arriveWithin = 30 * time.Second
)

// watch is the reader's side of an end-to-end run.
type watch struct {
	began time.Time

	mu     sync.Mutex // guards all below
	delays beside.Delays
	got    int
}

// endToEnd sends a record at a time at a fixed rate and measures from the moment it
// was due to the moment a reader has it. Producer and reader are ordinary clients:
// acks=all, idempotent, no linger; the reader waits for a single byte.
func endToEnd(ctx context.Context, s *side, t topic, counted time.Duration) (beside.Outcome, error) {
	offsets := map[string]map[int32]kgo.Offset{t.name: {}}
	for p := range t.leaders {
		offsets[t.name][int32(p)] = kgo.NewOffset().AtStart()
	}
	reader, err := s.clientOf(kgo.ConsumePartitions(offsets), kgo.FetchMinBytes(1), kgo.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		return beside.Outcome{}, err
	}
	defer reader.Close()
	writer, err := s.clientOf(kgo.DefaultProduceTopic(t.name), kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return beside.Outcome{}, err
	}
	defer writer.Close()
	if err := writer.ProduceSync(ctx, &kgo.Record{Value: make([]byte, recordBytes)}).FirstErr(); err != nil {
		return beside.Outcome{}, fmt.Errorf("produce a first record: %w", err)
	}
	w := &watch{}
	reading, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	w.began = time.Now().Add(100 * time.Millisecond)
	all.Go(func() { w.read(reading, reader) })
	defer all.Wait()
	defer stop()
	return w.send(ctx, s, writer, counted)
}

func (s *side) clientOf(opts ...kgo.Opt) (*kgo.Client, error) {
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.addrs...), kgo.DisableClientMetrics()}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return cl, nil
}

// read notes when records come. A record holds when it was due, in nanoseconds
// after the beginning, 0 before it.
func (w *watch) read(ctx context.Context, cl *kgo.Client) {
	for ctx.Err() == nil {
		fetches := cl.PollFetches(ctx)
		now := time.Since(w.began)
		w.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			due := time.Duration(binary.LittleEndian.Uint64(r.Value))
			if due == 0 {
				return
			}
			w.got++
			if due > warmUp {
				w.delays = append(w.delays, now-due)
			}
		})
		w.mu.Unlock()
	}
}

// send sends at the rate; the meter counts from the end of the warm-up on.
func (w *watch) send(ctx context.Context, s *side, cl *kgo.Client, counted time.Duration) (beside.Outcome, error) {
	var mu sync.Mutex
	var failed error
	note := func(_ *kgo.Record, err error) {
		if err != nil {
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
		}
	}
	var m *beside.Meter
	sent, before := 0, 0
	for due := time.Millisecond; due < warmUp+counted; due += time.Second / perSecond {
		if m == nil && due > warmUp {
			var err error
			if m, err = beside.StartMeter(s.pids); err != nil {
				return beside.Outcome{}, err
			}
			before = sent
		}
		raw.SleepUntil(w.began.Add(due))
		value := make([]byte, recordBytes)
		binary.LittleEndian.PutUint64(value, uint64(due))
		cl.Produce(ctx, &kgo.Record{Value: value}, note)
		sent++
	}
	used, err := m.Stop()
	err = errors.Join(err, cl.Flush(ctx))
	mu.Lock()
	err = errors.Join(err, failed)
	mu.Unlock()
	if err != nil {
		return beside.Outcome{}, err
	}
	return w.outcome(ctx, used, sent, sent-before)
}

// outcome waits for the last records and tells what was seen.
func (w *watch) outcome(ctx context.Context, used beside.Used, sent, counted int) (beside.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, arriveWithin)
	defer cancel()
	for {
		w.mu.Lock()
		got, all := w.got, w.delays
		w.mu.Unlock()
		if got >= sent {
			return beside.Outcome{Others: used.Others, Seen: beside.Seen{
				figP50: all.Ms(0.50), figP99: all.Ms(0.99), figPerRec: used.CPU * 1e6 / float64(counted),
			}}, nil
		}
		if err := realfault.Pause(ctx, 10*time.Millisecond); err != nil {
			return beside.Outcome{}, fmt.Errorf("%d of %d records came: %w", got, sent, err)
		}
	}
}
