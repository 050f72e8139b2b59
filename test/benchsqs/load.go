//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"ottla/test/beside"
)

// tally is what workers did.
type tally struct {
	mu     sync.Mutex // guards all
	done   int        // messages that were deleted
	delays beside.Delays
}

func (t *tally) add(done int, delays beside.Delays) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += done
	t.delays = append(t.delays, delays...)
}

// cycle measures messages that go through a queue of its own: every connection
// sends, receives as many and deletes what it got, until the time is over.
func (b *bench) cycle(ctx context.Context, s *side, name string, entries int, length time.Duration) (beside.Outcome, error) {
	url, err := s.create(ctx, name, nil)
	if err != nil {
		return beside.Outcome{}, err
	}
	got, err := b.measured(ctx, s, length, func() worker { return newPlain(s.addr, url, entries) })
	if err != nil {
		return got, fmt.Errorf("%s on %s: %w", name, s.name, err)
	}
	return got, s.call(ctx, "DeleteQueue", map[string]any{"QueueUrl": url}, nil)
}

// worker makes the requests of one connection.
type worker interface {
	// next is one cycle; it gives how many messages were deleted.
	next(c *caller) (int, error)
}

// measured runs a worker a connection and measures the server meanwhile.
func (b *bench) measured(ctx context.Context, s *side, length time.Duration, newWorker func() worker) (beside.Outcome, error) {
	var out beside.Outcome
	all := tally{}
	callers := []*caller{}
	defer func() {
		for _, c := range callers {
			c.close()
		}
	}()
	var workers []worker
	for range *conns {
		c, err := dial(ctx, s.addr)
		if err != nil {
			return out, err
		}
		callers, workers = append(callers, c), append(workers, newWorker())
	}
	quiet()
	m, err := beside.StartMeter([]int{s.pid})
	if err != nil {
		return out, err
	}
	until := time.Now().Add(length)
	errs := make([]error, len(workers))
	var running sync.WaitGroup
	for i, w := range workers {
		running.Go(func() { errs[i] = drive(ctx, callers[i], w, until, &all) })
	}
	running.Wait()
	used, err := m.Stop()
	if err := errors.Join(append(errs, err)...); err != nil {
		return out, err
	}
	if all.done == 0 {
		return out, errors.New("no message came through")
	}
	done := float64(all.done)
	return beside.Outcome{Others: used.Others, Seen: beside.Seen{
		figCPU: used.CPU * 1e6 / done, figRate: done / used.Wall, figP50: all.delays.Ms(0.5), figP99: all.delays.Ms(0.99),
	}}, nil
}

func drive(ctx context.Context, c *caller, w worker, until time.Time, all *tally) error {
	done, delays := 0, beside.Delays(nil)
	for at := time.Now(); at.Before(until) && ctx.Err() == nil; {
		n, err := w.next(c)
		if err != nil {
			return err
		}
		now := time.Now()
		done, delays, at = done+n, append(delays, now.Sub(at)), now
	}
	all.add(done, delays)
	return ctx.Err()
}

// next sends, receives and deletes.
func (p *plain) next(c *caller) (int, error) {
	answer, err := c.call(p.send)
	if err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	if bytes.Contains(answer, []byte(`"Failed":[{`)) {
		return 0, refusedEntries(answer)
	}
	return p.takeAndRemove(c)
}

func (p *plain) takeAndRemove(c *caller) (int, error) {
	answer, err := c.call(p.receive)
	if err != nil {
		return 0, fmt.Errorf("receive: %w", err)
	}
	got := receipts(answer, nil)
	if len(got) == 0 {
		return 0, nil
	}
	if answer, err = c.call(p.remove(got)); err != nil {
		return 0, fmt.Errorf("delete: %w", err)
	}
	if bytes.Contains(answer, []byte(`"Failed":[{`)) {
		return 0, refusedEntries(answer)
	}
	return len(got), nil
}

// call makes a call over a connection of its own.
func (s *side) call(ctx context.Context, op string, in map[string]any, out any) error {
	c, err := dial(ctx, s.addr)
	if err != nil {
		return err
	}
	defer c.close()
	answer, err := c.call(request(s.addr, op, encode(in)))
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: read the answer: %w", op, err)
	}
	return nil
}

// create makes a queue and gives its URL.
func (s *side) create(ctx context.Context, name string, attributes map[string]string) (string, error) {
	in := map[string]any{"QueueName": name}
	if attributes != nil {
		in["Attributes"] = attributes
	}
	var out struct{ QueueUrl string }
	if err := s.call(ctx, "CreateQueue", in, &out); err != nil {
		return "", err
	}
	return out.QueueUrl, nil
}
