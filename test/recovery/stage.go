//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
	"ottla/test/rig/several"
)

const (
	nodes = 3
	// wholeWithin ends the wait for a cluster to be whole again: what takes so
	// long is no figure any more.
	wholeWithin = 2 * time.Minute
	look        = 10 * time.Millisecond
)

// stage is where it happens.
type stage struct {
	cluster *several.Cluster
	ask     *kgo.Client
	admin   *kadm.Client
	spaces  bool // the nodes have networks of their own
	figures *figures
	load    *load
}

// raise starts the cluster, in networks of its own where the machine allows it.
// The stage is to be closed when it fails too.
func raise(ctx context.Context, binary, dir string) (*stage, error) {
	s := &stage{figures: newFigures(), spaces: true}
	o := several.Options{Binary: binary, Dir: dir, Nodes: nodes, Network: true, HTTP: true}
	var err error
	s.cluster, err = several.New(ctx, o)
	var no *realfault.Impossible
	if errors.As(err, &no) {
		s.spaces, o.Network = false, false
		s.cluster, err = several.New(ctx, o)
	}
	if err != nil {
		return s, err
	}
	if s.ask, err = s.client(impatient...); err != nil {
		return s, err
	}
	s.admin = kadm.NewClient(s.ask)
	return s, s.whole(ctx)
}

// client makes a client of the cluster.
func (s *stage) client(opts ...kgo.Opt) (*kgo.Client, error) {
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.cluster.Addrs()...)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	return c, nil
}

// impatient are the options of clients that goals are judged by.
var impatient = []kgo.Opt{
	kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(20 * time.Millisecond), kgo.DialTimeout(time.Second),
	kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
}

func (s *stage) close(ctx context.Context) error {
	s.load.stop()
	if s.ask != nil {
		s.ask.Close()
	}
	if s.cluster == nil {
		return nil
	}
	return s.cluster.Close(ctx)
}

func (s *stage) about() string {
	where := "on one loopback"
	if s.spaces {
		where = "each in a network namespace"
	}
	return fmt.Sprintf("%d nodes, default settings, %s; %d trials", nodes, where, *trials)
}

// from sends a request to one node, past what the client knows.
func from[R kmsg.Response](ctx context.Context, s *stage, node int, req kmsg.Request) (R, error) {
	resp, err := s.ask.SeedBrokers()[node-1].Request(ctx, req)
	if err != nil {
		var none R
		return none, fmt.Errorf("ask node %d: %w", node, err)
	}
	return resp.(R), nil
}

// whole waits until every node that runs tells of all of them, with all replicas in
// sync.
func (s *stage) whole(ctx context.Context) error {
	return s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		for number := 1; number <= nodes; number++ {
			if lacking := s.lacking(ctx, number); lacking != "" {
				return fmt.Sprintf("node %d: %s", number, lacking), nil
			}
		}
		return "", nil
	})
}

// lacking is what a node says that the cluster lacks.
func (s *stage) lacking(ctx context.Context, node int) string {
	m, err := from[*kmsg.MetadataResponse](ctx, s, node, kmsg.NewPtrMetadataRequest())
	if err != nil {
		return err.Error()
	}
	if len(m.Brokers) < nodes {
		return fmt.Sprintf("%d of %d nodes serve", len(m.Brokers), nodes)
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

// home has every partition led where it belongs.
func (s *stage) home(ctx context.Context) error {
	return s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		if _, err := s.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, nil); err != nil {
			return fmt.Sprintf("elect preferred leaders: %v", err), nil
		}
		for number := 1; number <= nodes; number++ {
			m, err := from[*kmsg.MetadataResponse](ctx, s, number, kmsg.NewPtrMetadataRequest())
			if err != nil {
				return err.Error(), nil
			}
			for _, t := range m.Topics {
				away := func(p kmsg.MetadataResponseTopicPartition) bool { return p.Leader != p.Replicas[0] }
				if i := slices.IndexFunc(t.Partitions, away); i >= 0 {
					p := t.Partitions[i]
					return fmt.Sprintf("node %d has %s-%d led by %d, not by %d", number, *t.Topic, p.Partition, p.Leader, p.Replicas[0]), nil
				}
			}
		}
		return "", nil
	})
}

// controller is the node that leads the metadata.
func (s *stage) controller(ctx context.Context) (leader int, err error) {
	err = s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		p, err := realfault.Quorum(ctx, s.ask.Request)
		if err != nil {
			return err.Error(), nil
		}
		if leader = int(p.LeaderID); leader < 1 || len(p.CurrentVoters) < nodes {
			return fmt.Sprintf("the metadata quorum has leader %d and %d voters", leader, len(p.CurrentVoters)), nil
		}
		return "", nil
	})
	return leader, err
}

// until looks again and again until nothing is lacking.
func (s *stage) until(ctx context.Context, within time.Duration, lack func(context.Context) (string, error)) error {
	return s.cluster.Until(ctx, look, within, lack)
}
