//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"ottla/test/beside"
	"ottla/test/realfault"
)

const (
	// pollBytes is what a receive that waits may cost, with its connection.
	pollBytes = 4096
	// pollWait is how long they wait, the longest that SQS has.
	pollWait = 20 * time.Second
	// pollLanes is how many connections are opened side by side.
	pollLanes = 8
	// settled is how long nothing may grow before it is measured.
	settled = time.Second
)

// polls measures the memory of receives that wait for what does not come: what
// the process has in use beyond what it had with none.
func (b *bench) polls(ctx context.Context) (beside.Outcome, error) {
	s, err := b.ottla(ctx)
	if err != nil {
		return beside.Outcome{}, err
	}
	url, err := s.create(ctx, "polls", nil)
	if err != nil {
		return beside.Outcome{}, err
	}
	receive := request(s.addr, "ReceiveMessage", encode(map[string]any{"QueueUrl": url, "MaxNumberOfMessages": mostEntries, "WaitTimeSeconds": int(pollWait / time.Second)}))
	before, err := s.memory(ctx)
	if err != nil {
		return beside.Outcome{}, err
	}
	callers, err := openPolls(ctx, s, receive)
	defer func() {
		for _, c := range callers {
			if c != nil {
				c.close()
			}
		}
	}()
	if err != nil {
		return beside.Outcome{}, err
	}
	if err := realfault.Pause(ctx, settled); err != nil {
		return beside.Outcome{}, err
	}
	after, err := s.memory(ctx)
	if err != nil {
		return beside.Outcome{}, err
	}
	began := time.Now()
	for i, c := range callers {
		_ = c.conn.SetDeadline(time.Now().Add(callWithin))
		answer, err := c.answer()
		if err == nil && strings.Contains(string(answer), "Messages") {
			err = fmt.Errorf("it got %s", answer)
		}
		if err != nil {
			return beside.Outcome{}, fmt.Errorf("poll %d: %w", i, err)
		}
	}
	fmt.Printf("polls: %d wait: resident %d KB more, in use %d bytes a poll (%s); all were answered %.1f s after the first could be\n",
		*polls, (after.resident-before.resident)>>10, (after.inUse-before.inUse)/int64(*polls), after.told, time.Since(began).Seconds())
	return beside.Outcome{Seen: beside.Seen{figMemory: float64(after.resident-before.resident) / float64(*polls)}},
		s.call(ctx, "DeleteQueue", map[string]any{"QueueUrl": url}, nil)
}

// openPolls opens the connections, each with a receive that waits.
func openPolls(ctx context.Context, s *side, receive []byte) ([]*caller, error) {
	callers := make([]*caller, *polls)
	errs := make([]error, pollLanes)
	var lanes sync.WaitGroup
	for lane := range pollLanes {
		lanes.Go(func() {
			for i := lane; i < len(callers) && errs[lane] == nil; i += pollLanes {
				c, err := dial(ctx, s.addr)
				if err == nil {
					_, err = c.conn.Write(receive)
					callers[i] = c
				}
				errs[lane] = err
			}
		})
	}
	lanes.Wait()
	for _, err := range errs {
		if err != nil {
			return callers, fmt.Errorf("open the polls: %w", err)
		}
	}
	return callers, nil
}
