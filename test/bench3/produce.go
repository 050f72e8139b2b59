//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ottla/test/beside"
	"ottla/test/beside/raw"
)

// inFlight is how many requests a connection has unanswered, as many as an
// idempotent producer may have. Kafka handles those of one connection one after
// the other, so each partition has a producer of its own.
const inFlight = 5

// load is a produce run that is under way.
type load struct {
	left    atomic.Int64 // batches still to be sent
	done    atomic.Int64 // batches that were acknowledged
	until   time.Time
	mu      sync.Mutex // guards delays
	delays  beside.Delays
	batches []byte
}

// produce sends so many bytes of records, within so long, to all partitions.
func produce(ctx context.Context, s *side, t topic, bytes int64, within time.Duration) (beside.Outcome, error) {
	l := &load{batches: encodeBatch()}
	l.left.Store(bytes / (perBatch * recordBytes))
	conns, err := l.dial(ctx, s, t)
	defer func() {
		for _, c := range conns {
			_ = c.Close() // nothing is under way any more, or the run has failed
		}
	}()
	if err != nil {
		return beside.Outcome{}, err
	}
	m, err := beside.StartMeter(s.pids)
	if err != nil {
		return beside.Outcome{}, err
	}
	l.until = time.Now().Add(within)
	errs := make([]error, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		all.Go(func() { errs[i] = l.drive(c, raw.Produce("bench3", t.name, int32(i), l.batches)) })
	}
	all.Wait()
	used, err := m.Stop()
	if err := errors.Join(append(errs, err)...); err != nil {
		return beside.Outcome{}, err
	}
	sent := float64(l.done.Load()) * perBatch * recordBytes
	return beside.Outcome{Others: used.Others, Seen: beside.Seen{
		figMBs: sent / 1e6 / used.Wall, figPerGB: used.CPU / (sent / 1e9),
		figP50: l.delays.Ms(0.50), figP99: l.delays.Ms(0.99),
	}}, nil
}

// dial connects each partition's producer to its leader.
func (l *load) dial(ctx context.Context, s *side, t topic) ([]net.Conn, error) {
	var out []net.Conn
	for _, leader := range t.leaders {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", s.addrs[leader-1])
		if err != nil {
			return out, fmt.Errorf("connect to node %d: %w", leader, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// drive sends one request again and again on one connection.
func (l *load) drive(c net.Conn, request []byte) error {
	_ = c.SetDeadline(l.until.Add(time.Minute))
	stamps := make(chan time.Time, inFlight-1) // the one that is being read for is out of it
	failed := make(chan error, 1)
	go func() { failed <- l.answers(c, stamps) }()
	for time.Now().Before(l.until) && l.left.Add(-1) >= 0 {
		select {
		case stamps <- time.Now():
		case err := <-failed:
			return err
		}
		if _, err := c.Write(request); err != nil {
			close(stamps)
			return errors.Join(fmt.Errorf("send a batch: %w", err), <-failed)
		}
	}
	close(stamps)
	return <-failed
}

// answers reads an answer for each stamp.
func (l *load) answers(c net.Conn, stamps <-chan time.Time) error {
	in := bufio.NewReader(c)
	var mine beside.Delays
	for at := range stamps {
		if err := raw.Answer(in); err != nil {
			return fmt.Errorf("answer to a batch: %w", err)
		}
		mine = append(mine, time.Since(at))
		l.done.Add(1)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delays = append(l.delays, mine...)
	return nil
}
