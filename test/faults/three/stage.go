//go:build linux

package three

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/history"
	"ottla/test/history/client"
	"ottla/test/realfault"
	"ottla/test/rig"
	"ottla/test/rig/several"
)

const (
	// backWithin ends the wait for writes after a fault, and wholeWithin that for
	// all replicas: a busy machine has time.
	backWithin  = time.Minute
	wholeWithin = 3 * time.Minute
	partitions  = 6
	diskMiB     = 1024
	topic       = "load"
)

// stage is where it happens.
type stage struct {
	o       Options
	r       *rand.Rand
	cluster *several.Cluster
	admin   *kadm.Client
	asks    *kgo.Client
	crew    *client.Crew

	counts    map[string]*count
	order     []string // of counts
	report    *history.Report
	committed int64
	made      int // topics, by the admin
	deleted   int
}

// count is how often a fault was done, and what came of it.
type count struct {
	done       int
	gaps       []time.Duration // without an acknowledged write, the longest of each
	impossible string
}

func (s *stage) historyFile() string { return filepath.Join(s.o.Dir, "history.jsonl") }

// settings are those of every node.
func (s *stage) settings() []string {
	replicas, least := min(s.o.Nodes, 3), min(s.o.Nodes, 2)
	set := []string{
		"group.initial.rebalance.delay.ms=0", "group.min.session.timeout.ms=1000",
		"transaction.abort.timed.out.transaction.cleanup.interval.ms=500",
		"offsets.topic.num.partitions=6", "transaction.state.log.num.partitions=6",
		fmt.Sprintf("min.insync.replicas=%d", least), fmt.Sprintf("transaction.state.log.min.isr=%d", least),
	}
	for _, name := range []string{"default.replication.factor", "offsets.topic.replication.factor", "transaction.state.log.replication.factor"} {
		set = append(set, fmt.Sprintf("%s=%d", name, replicas))
	}
	return append(set, s.o.Set...)
}

// raise starts the cluster and its load.
func (s *stage) raise(ctx context.Context) error {
	o := several.Options{Binary: s.o.Binary, Dir: s.o.Dir, Nodes: s.o.Nodes, Set: s.settings(), DiskMiB: diskMiB, Network: s.o.Nodes > 1}
	if s.o.Nodes > 1 {
		o.Spare = 1
	}
	c, err := several.New(ctx, o)
	var no *realfault.Impossible
	if errors.As(err, &no) { // without disks and networks of their own some faults are left out
		s.o.Say("%v; going on without", no)
		o.DiskMiB, o.Network = 0, false
		c, err = several.New(ctx, o)
	}
	if err != nil {
		return err
	}
	s.cluster = c
	if s.asks, err = kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.AlwaysRetryEOF(),
		kgo.MetadataMinAge(50*time.Millisecond), kgo.DialTimeout(time.Second), kgo.RetryTimeout(5*time.Second)); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	s.admin = kadm.NewClient(s.asks)
	if err := s.serving(ctx); err != nil {
		return err
	}
	w, err := history.Create(s.historyFile())
	if err != nil {
		return err
	}
	s.crew = &client.Crew{
		Cluster:   &client.Cluster{Address: strings.Join(c.Addrs(), ","), Topic: topic, Partitions: partitions, Replicas: int16(min(s.o.Nodes, 3)), History: w},
		Producers: 3, Transactions: 3, Rate: 1000, Size: 100, Readers: 2, Members: 2, Lifetime: 20 * time.Second,
	}
	if s.o.Nodes > 1 {
		s.crew.Modern, s.crew.Sharers, s.crew.Streamers, s.crew.Admin = 2, 2, 2, int32(s.o.Nodes)
	}
	if s.o.For > 5*time.Minute { // who begins anew reads everything again, and the history has it all
		s.crew.Rate, s.crew.Lifetime = 300, s.o.For/10
	}
	if err := s.crew.Prepare(ctx, map[string]*string{"segment.ms": kadm.StringPtr("10000")}); err != nil {
		return err
	}
	s.crew.Start(context.WithoutCancel(ctx)) // until finish, whatever ctx does
	if err := s.flowing(ctx); err != nil {
		return err
	}
	return s.whole(ctx)
}

// serving waits until all nodes are told of to clients.
func (s *stage) serving(ctx context.Context) error {
	return s.until(ctx, backWithin, func(ctx context.Context) (string, error) {
		m, err := rig.Metadata(ctx, s.asks)
		if err != nil {
			return err.Error(), nil
		}
		if len(m.Brokers) < s.o.Nodes {
			return fmt.Sprintf("%d of %d nodes serve", len(m.Brokers), s.o.Nodes), nil
		}
		return "", nil
	})
}

// whole waits until every node votes and every partition has all its replicas in
// sync.
func (s *stage) whole(ctx context.Context) error {
	if s.o.Nodes > 1 {
		if err := s.until(ctx, wholeWithin, s.voting); err != nil {
			return err
		}
	}
	return s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		for _, number := range s.everybody() {
			if lacking := s.lackingBy(ctx, number); lacking != "" {
				return fmt.Sprintf("by node %d %s", number, lacking), nil
			}
		}
		return "", nil
	})
}

// lackingBy tells what is not whole by the metadata of a node, "" when all is: who
// was cut off tells an old story for some moments, so each is asked.
func (s *stage) lackingBy(ctx context.Context, number int) string {
	m, err := rig.Metadata(ctx, s.asks.Broker(number))
	if err != nil {
		return err.Error()
	}
	if len(m.Brokers) < s.o.Nodes {
		return fmt.Sprintf("%d of %d nodes serve", len(m.Brokers), s.o.Nodes)
	}
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
				return fmt.Sprintf("%s-%d: leader %d, replicas %v, in sync %v", *t.Topic, p.Partition, p.Leader, p.Replicas, p.ISR)
			}
		}
	}
	return ""
}

// until looks again and again until nothing is lacking.
func (s *stage) until(ctx context.Context, within time.Duration, look func(context.Context) (lacking string, err error)) error {
	return s.cluster.Until(ctx, 50*time.Millisecond, within, look)
}

// flowing waits until records are acknowledged again.
func (s *stage) flowing(ctx context.Context) error {
	before := s.crew.Acked()
	return s.until(ctx, backWithin, func(context.Context) (string, error) {
		if s.crew.Acked() == before {
			return "no write is taken", nil
		}
		return "", nil
	})
}

// watchWrites measures the longest time without an acknowledged write until it
// is asked.
func (s *stage) watchWrites() (longest func() time.Duration) {
	quit, done := make(chan struct{}), make(chan time.Duration)
	crew := s.crew
	go func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		last, at, most := crew.Acked(), time.Now(), time.Duration(0)
		for {
			select {
			case <-quit:
				done <- max(most, time.Since(at))
				return
			case <-tick.C:
			}
			if n := crew.Acked(); n != last {
				most = max(most, time.Since(at))
				last, at = n, time.Now()
			}
		}
	}()
	return func() time.Duration {
		close(quit)
		return <-done
	}
}

// close ends whatever is left.
func (s *stage) close(ctx context.Context) error {
	if s.asks != nil {
		s.asks.Close()
	}
	if s.crew != nil { // after a failure
		go func(c *client.Crew) { _ = c.Stop() }(s.crew) // its producers would wait for nodes that are gone
	}
	if s.cluster == nil {
		return nil
	}
	return s.cluster.Close(ctx)
}

func runOut(ctx context.Context, binary string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, binary, args...).Output()
	return string(out), err
}
