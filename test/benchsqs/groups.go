//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"ottla/test/beside"
)

// backlog is how many messages wait in a FIFO queue while it is measured.
const backlog = 100_000

// grouped are the requests of a worker on a FIFO queue: each message goes to the
// next message group.
type grouped struct {
	plain
	groups int
	nth    *atomic.Int64 // message of the queue
}

func (g *grouped) entry() map[string]string {
	n := g.nth.Add(1)
	return map[string]string{"MessageBody": body, "MessageGroupId": "group-" + strconv.FormatInt(n%int64(g.groups), 10), "MessageDeduplicationId": "m" + strconv.FormatInt(n, 10)}
}

// next sends, receives and deletes one message.
func (g *grouped) next(c *caller) (int, error) {
	e := g.entry()
	e["QueueUrl"] = g.url
	if _, err := c.call(request(g.addr, "SendMessage", encode(e))); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	return g.takeAndRemove(c)
}

// fill sends ten messages.
func (g *grouped) fill(c *caller) error {
	var all []map[string]string
	for i := range mostEntries {
		e := g.entry()
		e["Id"] = strconv.Itoa(i)
		all = append(all, e)
	}
	answer, err := c.call(request(g.addr, "SendMessageBatch", encode(map[string]any{"QueueUrl": g.url, "Entries": all})))
	if err != nil {
		return fmt.Errorf("fill the queue: %w", err)
	}
	return refusedEntries(answer)
}

// groups measures a FIFO queue with so many message groups, in which many
// messages wait.
func (b *bench) groups(ctx context.Context, groups, n int) (beside.Outcome, error) {
	s, err := b.ottla(ctx)
	if err != nil {
		return beside.Outcome{}, err
	}
	url, err := s.create(ctx, fmt.Sprintf("groups-%d-%d.fifo", groups, n), map[string]string{"FifoQueue": "true"})
	if err != nil {
		return beside.Outcome{}, err
	}
	nth := &atomic.Int64{}
	one := func() *grouped { return &grouped{plain: *newPlain(s.addr, url, 1), groups: groups, nth: nth} }
	if err := fillAll(ctx, s, one); err != nil {
		return beside.Outcome{}, err
	}
	got, err := b.measured(ctx, s, b.length, func() worker { return one() })
	if err != nil {
		return got, fmt.Errorf("%d message groups: %w", groups, err)
	}
	return got, s.call(ctx, "DeleteQueue", map[string]any{"QueueUrl": url}, nil)
}

// fillAll sends the backlog.
func fillAll(ctx context.Context, s *side, one func() *grouped) error {
	errs := make([]error, *conns)
	var filling sync.WaitGroup
	for i := range errs {
		filling.Go(func() {
			c, err := dial(ctx, s.addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer c.close()
			for g := one(); g.nth.Load() < backlog && errs[i] == nil && ctx.Err() == nil; {
				errs[i] = g.fill(c)
			}
		})
	}
	filling.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}
