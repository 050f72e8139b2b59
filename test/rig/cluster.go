package rig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/oracle/apache"
	"ottla/test/realfault"
)

// wholeWithin bounds the wait for every node of a cluster to serve and to vote;
// a machine that does much else needs some of it.
const wholeWithin = 3 * time.Minute

// Cluster is several nodes of one program, numbered from 1.
type Cluster struct{ Nodes []*Node }

// NewCluster prepares so many nodes with folders of their own below o.Dir, starts
// them, and returns when each of them serves and votes. After an error none is
// left running.
func NewCluster(ctx context.Context, o Options, count int) (*Cluster, error) {
	c := &Cluster{}
	var err error
	if o.Kind == Kafka {
		err = c.startKafka(ctx, o, count)
	} else {
		err = c.startOttla(ctx, o, count)
	}
	if err == nil {
		err = c.Whole(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %d nodes of %s: %w", count, o.Kind, err), c.Stop())
	}
	return c, nil
}

func (c *Cluster) startKafka(ctx context.Context, o Options, count int) error {
	// The oracle runs Kafka in its folder, so the folder must not be relative.
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	nodes, err := apache.StartSeveral(ctx, dir, count, o.Settings)
	if err != nil {
		return err
	}
	for _, n := range nodes.Nodes {
		c.Nodes = append(c.Nodes, &Node{Kind: Kafka, Addr: n.Addr, Data: filepath.Join(n.Dir, "data"), run: &kafkaRunner{node: n}})
	}
	return nil
}

// startOttla starts the first node, which founds the cluster, and has the others
// join it.
func (c *Cluster) startOttla(ctx context.Context, o Options, count int) error {
	binary, err := realfault.Binary(ctx, o.Binary, o.Dir)
	if err != nil {
		return err
	}
	var token string
	for number := 1; number <= count; number++ {
		own := o
		own.Binary, own.Dir = binary, filepath.Join(o.Dir, fmt.Sprintf("node-%d", number))
		n, err := prepare(ctx, own)
		if err != nil {
			return err
		}
		id := []string{"--node-id", strconv.Itoa(number), "--http", n.HTTP}
		r := n.run.(*ottlaRunner)
		r.setup.Flags = id
		if number > 1 {
			r.setup.Flags = append(id, "--join", c.Nodes[0].Addr, "--token", token)
		}
		if err := n.Start(ctx); err != nil {
			return fmt.Errorf("start node %d: %w", number, err)
		}
		c.Nodes = append(c.Nodes, n)
		r.setup.Flags = id // it knows where it belongs from now on
		if number == 1 {
			out, err := exec.CommandContext(ctx, binary, "cluster", "token", "--data", n.Data).Output()
			if err != nil {
				return fmt.Errorf("ask for the token of the cluster: %w", err)
			}
			token = strings.TrimSpace(string(out))
		}
	}
	return nil
}

// Node is one by its number.
func (c *Cluster) Node(number int) *Node { return c.Nodes[number-1] }

// Bootstrap are the addresses of all nodes, comma-separated.
func (c *Cluster) Bootstrap() string {
	var all []string
	for _, n := range c.Nodes {
		all = append(all, n.Addr)
	}
	return strings.Join(all, ",")
}

// Whole waits until every node knows as many serving nodes and voters as there
// are nodes here. All of them must run.
func (c *Cluster) Whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wholeWithin)
	defer cancel()
	for _, n := range c.Nodes {
		if why := until(ctx, func() error { return n.knows(ctx, len(c.Nodes)) }); why != nil {
			return fmt.Errorf("%s did not see a whole cluster within %v: %w", n.Addr, wholeWithin, why)
		}
	}
	return nil
}

// until looks again and again until nothing is lacking, or gives what is when ctx
// ends.
func until(ctx context.Context, lacking func() error) error {
	for {
		why := lacking()
		if why == nil || realfault.Pause(ctx, 50*time.Millisecond) != nil {
			return why
		}
	}
}

// knows asks a node once whether it knows so many serving nodes and voters.
func (n *Node) knows(ctx context.Context, count int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.Addr))
	if err != nil {
		return err
	}
	defer cl.Close()
	served, err := Metadata(ctx, cl.SeedBrokers()[0])
	if err != nil {
		return err
	}
	if got := len(served.Brokers); got != count {
		return fmt.Errorf("it knows %d nodes", got)
	}
	quorum, err := realfault.Quorum(ctx, cl.SeedBrokers()[0].Request)
	if err != nil {
		return err
	}
	if got := len(quorum.CurrentVoters); got != count {
		return fmt.Errorf("it knows %d voters", got)
	}
	return nil
}

// InSync waits until the cluster is whole and no partition lacks a replica, as every
// node has it: others may not have heard yet what one that came back has missed.
func (c *Cluster) InSync(ctx context.Context) error {
	if err := c.Whole(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wholeWithin)
	defer cancel()
	for _, n := range c.Nodes {
		if why := until(ctx, func() error { return n.lacks(ctx) }); why != nil {
			return fmt.Errorf("%s after %v: %w", n.Addr, wholeWithin, why)
		}
	}
	return nil
}

// lacks tells of a partition with a replica that is not in sync.
func (n *Node) lacks(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.Addr))
	if err != nil {
		return err
	}
	defer cl.Close()
	m, err := Metadata(ctx, cl.SeedBrokers()[0])
	if err != nil {
		return err
	}
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) {
				return fmt.Errorf("%s-%d has %v of %v in sync", *t.Topic, p.Partition, p.ISR, p.Replicas)
			}
		}
	}
	return nil
}

// Alive tells of the nodes that do not run any more.
func (c *Cluster) Alive() error {
	return c.each((*Node).Alive)
}

// Stop ends all nodes at once: alone, the last ones would wait for the others.
// Nodes that are stopped already stay so.
func (c *Cluster) Stop() error { return c.each((*Node).Stop) }

func (c *Cluster) each(do func(*Node) error) error {
	errs := make([]error, len(c.Nodes))
	var all sync.WaitGroup
	for i, n := range c.Nodes {
		all.Go(func() { errs[i] = do(n) })
	}
	all.Wait()
	return errors.Join(errs...)
}
