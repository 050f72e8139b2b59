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
	// Modern is how many members there are of a third group, of the consumer
	// protocol (KIP-848); Sharers of a share group; Streamers of a streams group.
	Modern, Sharers, Streamers int
	// Admin has topics made and deleted, settings changed, partitions moved, on so
	// many nodes; 0 for none of it.
	Admin int32

	admin *admin

	stopProducers, stopRest context.CancelFunc
	producers, rest         sync.WaitGroup

	mu   sync.Mutex // guards errs
	errs []error
}

// Prepare makes the topic with some settings, and what else the crew needs.
func (c *Crew) Prepare(ctx context.Context, settings map[string]*string) error {
	if err := c.Cluster.Prepare(ctx, settings); err != nil || c.Sharers == 0 {
		return err
	}
	return c.prepareShares(ctx)
}

// Topics is how many topics the admin made and deleted, for sure. After Stop.
func (c *Crew) Topics() (made, deleted int) {
	if c.admin == nil {
		return 0, 0
	}
	return c.admin.done()
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
	c.startKinds(ctx, produce)
	for _, group := range c.Watched {
		c.run(&c.rest, func() error { return c.watchGroup(c.committedView(ctx), group, watchEvery) })
	}
	c.run(&c.rest, func() error { return c.watchEnds(ctx, watchEvery) })
}

// startKinds begins the members of the newer kinds of groups, and the admin.
func (c *Crew) startKinds(ctx, produce context.Context) {
	modern := c.Topic + "-modern"
	for i := range c.Modern {
		c.run(&c.rest, func() error {
			return c.consume(ctx, modern, kgo.RangeBalancer(), c.Lifetime+time.Duration(i)*time.Second, c.Silent, kgo.ServerSideBalancer())
		})
	}
	if c.Modern > 0 {
		c.run(&c.rest, func() error { return c.watchGroup(c.committedView(ctx), modern, watchEvery) })
	}
	for i := range c.Sharers {
		c.run(&c.rest, func() error { return c.share(ctx, c.Lifetime+time.Duration(i)*time.Second, uint64(i)) })
	}
	for i := range c.Streamers {
		c.run(&c.rest, func() error {
			return c.stream(ctx, c.Topic+"-streams", c.Lifetime+time.Duration(i)*time.Second)
		})
	}
	if c.Admin > 0 {
		c.admin = c.newAdmin(1, c.Admin)
		c.run(&c.producers, func() error { return c.admin.run(produce) })
	}
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

// Final reads everything at both isolation levels, and looks for the topics that
// the admin made.
func (c *Crew) Final(ctx context.Context) error {
	for _, committed := range []bool{true, false} {
		if err := c.final(ctx, committed); err != nil {
			return fmt.Errorf("the final polls: %w", err)
		}
	}
	if c.admin != nil {
		return c.admin.judge(ctx)
	}
	return nil
}
