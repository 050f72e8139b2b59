//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/oracle/apache"
	"ottla/test/realfault"
	"ottla/test/rig/several"
)

// nodes is how many each side has, and replicas a partition.
const nodes = 3

// side is one of the two clusters.
type side struct {
	name   string
	addrs  []string // of the nodes, in the order of their numbers from 1
	pids   []int
	http   []string // where the nodes tell about themselves; Ottla's only
	client *kgo.Client
	stop   func(ctx context.Context) error
}

// kafkaSettings are what a cluster of three is run with; the rest is as it comes.
var kafkaSettings = map[string]string{
	"min.insync.replicas": "2", "default.replication.factor": "3",
	"offsets.topic.replication.factor": "3",
}

func startKafka(ctx context.Context, work string) (*side, error) {
	c, err := apache.StartSeveral(ctx, filepath.Join(work, "kafka"), nodes, kafkaSettings)
	if err != nil {
		return nil, fmt.Errorf("start three nodes of Kafka: %w", err)
	}
	s := &side{name: "kafka", addrs: c.Addrs()}
	for _, n := range c.Nodes {
		s.pids = append(s.pids, n.PID())
	}
	return s.open(func(context.Context) error { return c.Stop() })
}

func startOttla(ctx context.Context, work string) (*side, error) {
	binary, err := realfault.Binary(ctx, *ottlaAt, work)
	if err != nil {
		return nil, err
	}
	c, err := several.New(ctx, several.Options{
		Binary: binary, Dir: filepath.Join(work, "ottla"), Nodes: nodes, HTTP: true,
		Set: []string{"min.insync.replicas=2", "default.replication.factor=3"},
	})
	if err != nil {
		return nil, fmt.Errorf("start three nodes of Ottla: %w", err)
	}
	s := &side{name: "ottla", addrs: c.Addrs()}
	for _, n := range c.Nodes {
		s.pids, s.http = append(s.pids, n.PID()), append(s.http, n.HTTPAddr())
	}
	return s.open(c.Close)
}

// open makes the client that topics are made with.
func (s *side) open(stop func(ctx context.Context) error) (*side, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.addrs...), kgo.DisableClientMetrics(), kgo.RequestTimeoutOverhead(30*time.Second))
	if err != nil {
		return nil, err
	}
	s.client = cl
	s.stop = func(ctx context.Context) error {
		cl.Close()
		return stop(ctx)
	}
	return s, nil
}
