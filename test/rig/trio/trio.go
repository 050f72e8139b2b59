package trio

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/test/realfault"
	"ottla/test/rig"
)

// settleWithin bounds the wait for a cluster to be whole; a machine that does
// much else needs some of it.
const settleWithin = 2 * time.Minute

// Options make a cluster.
type Options struct {
	// Nodes is how many; 3 when 0.
	Nodes int
	// Settings are those of every node, by Kafka's names.
	Settings map[string]string
	// Racks are the nodes' racks, in order; nil for none.
	Racks []string
	// NoVote is how many of the last nodes do not vote.
	NoVote int
	// Insecure has nodes come in without a token and followers fetch in the clear.
	Insecure bool
	// Faults break the disks and connections of nodes, by number; nil for none.
	Faults map[int]*ottla.Faults
	// HTTP gives every node an HTTP port.
	HTTP bool
	// First is called when the first node serves, before the others join; nil for
	// nothing.
	First func(*Cluster)
	// Logger takes the nodes' logs; nil gives them to the test.
	Logger *slog.Logger
}

// Cluster is the nodes, numbered from 1.
type Cluster struct {
	t     testing.TB
	o     Options
	dir   string
	nodes []*ottla.Server // nil where one is stopped
	addrs []string
	been  []bool // part of the cluster once
	asks  *kgo.Client
}

// Start starts a cluster and waits until it is whole.
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	c := &Cluster{t: t, o: o, dir: t.TempDir(), nodes: make([]*ottla.Server, o.Nodes), been: make([]bool, o.Nodes)}
	// A stopped node's port must not be one that the others, or clients, may get
	// when they try to reach it.
	ports, err := realfault.FreePorts(o.Nodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ports {
		c.addrs = append(c.addrs, fmt.Sprintf("127.0.0.1:%d", p))
	}
	t.Cleanup(c.close)
	for n := 1; n <= o.Nodes; n++ {
		c.start(n)
		if n == 1 && o.First != nil {
			o.First(c)
		}
	}
	c.Whole()
	return c
}

// Node is a running node.
func (c *Cluster) Node(n int) *ottla.Server {
	c.t.Helper()
	if c.nodes[n-1] == nil {
		c.t.Fatalf("node %d is stopped", n)
	}
	return c.nodes[n-1]
}

// Addrs are the Kafka addresses of all nodes, also of those that are stopped.
func (c *Cluster) Addrs() []string { return append([]string(nil), c.addrs...) }

// Bootstrap is Addrs as one word for -b.
func (c *Cluster) Bootstrap() string { return strings.Join(c.addrs, ",") }

// Dir is the data directory of a node, for tests that look at its files or damage
// them while it is stopped.
func (c *Cluster) Dir(n int) string { return filepath.Join(c.dir, fmt.Sprintf("node-%d", n)) }

// Client is a Kafka client of the cluster, closed when the test ends.
func (c *Cluster) Client(opts ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.addrs...), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(50 * time.Millisecond), kgo.DialTimeout(2 * time.Second),
	}, opts...)...)
	if err != nil {
		c.t.Fatalf("make a client: %v", err)
	}
	c.t.Cleanup(cl.Close)
	return cl
}

// Partition is what a node says of a partition when it is asked now. A client's own
// answers (kadm's Metadata) may be from before a node was stopped or started, and
// what they tell of leaders and replicas no longer true.
func (c *Cluster) Partition(topic string, partition int32) kmsg.MetadataResponseTopicPartition {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	defer cancel()
	if c.asks == nil {
		c.asks = c.Client()
	}
	resp, err := rig.Metadata(ctx, c.asks, topic)
	if err != nil {
		c.t.Fatalf("%s: %v", topic, err)
	}
	for _, p := range resp.Topics[0].Partitions {
		if p.Partition == partition {
			return p
		}
	}
	c.t.Fatalf("%s-%d is not there: %v", topic, partition, kerr.ErrorForCode(resp.Topics[0].ErrorCode))
	return kmsg.MetadataResponseTopicPartition{}
}

// Stop stops a node cleanly.
func (c *Cluster) Stop(n int) {
	c.t.Helper()
	if err := c.Bury(n); err != nil {
		c.t.Fatalf("stop node %d: %v", n, err)
	}
}

// Bury closes a node that failed, and gives the error of that.
func (c *Cluster) Bury(n int) error {
	c.t.Helper()
	node := c.Node(n)
	c.nodes[n-1] = nil
	return node.Close()
}

// Restart starts a stopped node on the data and address that it had, and waits
// until the cluster is whole.
func (c *Cluster) Restart(n int) {
	c.t.Helper()
	if c.nodes[n-1] != nil {
		c.t.Fatalf("node %d runs", n)
	}
	c.start(n)
	c.Whole()
}

// Move gives a stopped node another address.
func (c *Cluster) Move(n int) {
	c.t.Helper()
	ports, err := realfault.FreePorts(1)
	if err != nil {
		c.t.Fatal(err)
	}
	c.addrs[n-1] = fmt.Sprintf("127.0.0.1:%d", ports[0])
}

func (c *Cluster) start(n int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	defer cancel()
	o := ottla.Options{
		Dir: c.Dir(n), NodeID: int32(n), Listen: c.addrs[n-1],
		Settings: maps.Clone(c.o.Settings), Logger: c.logger(n), NoVote: n > c.o.Nodes-c.o.NoVote, Faults: c.o.Faults[n],
		Insecure: c.o.Insecure,
	}
	if c.o.HTTP {
		o.HTTP = "127.0.0.1:0"
	}
	if n <= len(c.o.Racks) {
		o.Rack = c.o.Racks[n-1]
	}
	if n > 1 && !c.been[n-1] { // a node that was there before knows where it belongs
		o.Join = []string{c.addrs[0]}
		if first := c.nodes[0]; first != nil {
			token, err := first.Token()
			if err != nil {
				c.t.Fatalf("the token of the cluster: %v", err)
			}
			o.Token = token
		}
	}
	node, err := ottla.Start(ctx, o)
	if err != nil {
		c.t.Fatalf("start node %d: %v", n, err)
	}
	c.nodes[n-1], c.been[n-1] = node, true
}

// Whole waits until every running node knows every running node as serving where
// it is, and all that shall vote as voters.
func (c *Cluster) Whole() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		why := c.lacking()
		if why == "" {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("the cluster is not whole after %v: %s", settleWithin, why)
		case <-look.C:
		}
	}
}

// lacking says what the cluster lacks to be whole, "" when nothing.
func (c *Cluster) lacking() string {
	for i, node := range c.nodes {
		if node == nil {
			continue
		}
		known := map[int32]ottla.Member{}
		for _, m := range node.Members() {
			known[m.NodeID] = m
		}
		for j, other := range c.nodes {
			id := int32(j + 1)
			m, there := known[id]
			switch {
			case other == nil:
			case !there:
				return fmt.Sprintf("node %d does not know node %d", i+1, id)
			case !m.Serving:
				return fmt.Sprintf("node %d has node %d as fenced", i+1, id)
			case m.Addr != c.addrs[j]:
				return fmt.Sprintf("node %d has node %d at %s", i+1, id, m.Addr)
			case !m.Voter && j < c.o.Nodes-c.o.NoVote:
				return fmt.Sprintf("node %d does not know node %d as a voter", i+1, id)
			}
		}
	}
	return ""
}

// Agree waits until all running nodes have the same topics and nodes to tell of: a
// change is known to whoever was asked for it, and to the others a moment later.
func (c *Cluster) Agree() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	defer cancel()
	var clients []*kgo.Client
	for i, node := range c.nodes {
		if node == nil {
			continue
		}
		cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs[i]))
		if err != nil {
			c.t.Fatalf("make a client: %v", err)
		}
		defer cl.Close()
		clients = append(clients, cl)
	}
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		why := disagreement(ctx, clients)
		if why == nil {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Fatalf("the nodes do not agree after %v: %v", settleWithin, why)
		case <-look.C:
		}
	}
}

// disagreement asks each node once; nil when all tell the same.
func disagreement(ctx context.Context, clients []*kgo.Client) error {
	var first string
	for i, cl := range clients {
		m, err := rig.Metadata(ctx, cl.SeedBrokers()[0])
		if err != nil {
			return err
		}
		slices.SortFunc(m.Topics, func(a, b kmsg.MetadataResponseTopic) int { return strings.Compare(*a.Topic, *b.Topic) })
		said := fmt.Sprint(len(m.Brokers))
		for _, t := range m.Topics {
			said += " " + *t.Topic
			for _, p := range t.Partitions {
				said += fmt.Sprint(" ", p.Partition, p.Leader, p.LeaderEpoch, p.Replicas, p.ISR)
			}
		}
		if i > 0 && said != first {
			return fmt.Errorf("one says %s, another %s", first, said)
		}
		first = said
	}
	return nil
}

func (c *Cluster) close() {
	for i := len(c.nodes) - 1; i >= 0; i-- {
		if c.nodes[i] == nil {
			continue
		}
		if err := c.nodes[i].Close(); err != nil {
			c.t.Errorf("stop node %d: %v", i+1, err)
		}
	}
}

// logger gives a node's warnings to the test's output.
func (c *Cluster) logger(n int) *slog.Logger {
	if c.o.Logger != nil {
		return c.o.Logger.With("node", n)
	}
	return slog.New(slog.NewTextHandler(c.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("node", n)
}
