package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Crew is all clients of a run. It is used by one goroutine.
type Crew struct {
	*Cluster
	Producers int
	// Transactions is how many transactional producers there are beside them.
	Transactions int
	Rate         int // records a second, of all producers together
	Size         int // bytes of a value
	Readers      int // by assignment, every other at read_committed
	Members      int // of each of two groups, an eager and a cooperative one
	Lifetime     time.Duration
	Silent       bool     // members end without leaving their groups
	Watched      []string // groups of others whose offsets in the topic are watched too
	// Stable watches only offsets that wait for no transaction: Kafka answers
	// the end of a transaction before all see it.
	Stable bool

	stopProducers, stopRest context.CancelFunc
	producers, rest         sync.WaitGroup

	mu   sync.Mutex // guards errs
	errs []error
}

// watchEvery is how often a crew looks at ends and committed offsets.
const watchEvery = 200 * time.Millisecond

// Start begins all of them.
func (c *Crew) Start(ctx context.Context) {
	ctx, c.stopRest = context.WithCancel(ctx)
	produce, stop := context.WithCancel(ctx)
	c.stopProducers = stop
	for range c.Producers {
		c.run(&c.producers, func() error { return c.produce(produce, c.Rate/c.Producers, c.Size) })
	}
	for i := range c.Transactions {
		c.run(&c.producers, func() error { return c.transact(produce, fmt.Sprintf("%s-txn-%d", c.Topic, i), uint64(i), c.Size) })
	}
	for i := range c.Readers {
		c.run(&c.rest, func() error { return c.read(ctx, i%2 == 0, c.Lifetime+time.Duration(i)*time.Second) })
	}
	groups := map[string]kgo.GroupBalancer{
		c.Topic + "-eager":       kgo.RangeBalancer(),
		c.Topic + "-cooperative": kgo.CooperativeStickyBalancer(),
	}
	for group, balancer := range groups {
		for i := range c.Members {
			c.run(&c.rest, func() error {
				return c.consume(ctx, group, balancer, c.Lifetime+time.Duration(i)*time.Second, c.Silent)
			})
		}
		if c.Members > 0 {
			c.run(&c.rest, func() error { return c.watchGroup(c.committedView(ctx), group, watchEvery) })
		}
	}
	for _, group := range c.Watched {
		c.run(&c.rest, func() error { return c.watchGroup(c.committedView(ctx), group, watchEvery) })
	}
	c.run(&c.rest, func() error { return c.watchEnds(ctx, watchEvery) })
}

func (c *Crew) committedView(ctx context.Context) context.Context {
	if c.Stable {
		return kadm.RequireStable(ctx)
	}
	return ctx
}

func (c *Crew) run(wg *sync.WaitGroup, what func() error) {
	wg.Go(func() {
		if err := what(); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.errs = append(c.errs, err)
		}
	})
}

// StopProducers ends the producers when all is answered.
func (c *Crew) StopProducers() error {
	c.stopProducers()
	c.producers.Wait()
	return c.failures()
}

// Stop ends the producers when all is answered, then the rest.
func (c *Crew) Stop() error {
	c.stopProducers()
	c.producers.Wait()
	c.stopRest()
	c.rest.Wait()
	return c.failures()
}

func (c *Crew) failures() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.errs...)
}

// Final reads everything at both isolation levels.
func (c *Crew) Final(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, committed := range []bool{true, false} {
		if err := c.final(ctx, committed); err != nil {
			return fmt.Errorf("the final polls: %w", err)
		}
	}
	return nil
}
