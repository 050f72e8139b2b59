package rig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
)

// pairSettings are the same on both sides; the replication factors are what one
// Kafka node needs.
var pairSettings = map[string]string{
	"node.id": "1", "auto.create.topics.enable": "true",
	"offsets.topic.replication.factor": "1", "transaction.state.log.replication.factor": "1",
	"transaction.state.log.min.isr": "1", "share.coordinator.state.topic.replication.factor": "1",
	"share.coordinator.state.topic.min.isr": "1",
	// Open transactions that are left alone end soon.
	"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
	// What Ottla would adapt otherwise.
	"group.consumer.heartbeat.interval.ms": "5000", "group.consumer.assignment.interval.ms": "0",
}

// Pair is the real Kafka and Ottla with the same settings, side by side.
type Pair struct{ Kafka, Ottla *Node }

// StartPair starts both, in folders of their own below dir; "" as binary builds
// Ottla. After an error none is left running.
func StartPair(ctx context.Context, dir, binary string) (Pair, error) {
	kafka, err := StartLike(ctx, Kafka, filepath.Join(dir, string(Kafka)), binary)
	if err != nil {
		return Pair{}, err
	}
	ottla, err := StartLike(ctx, Ottla, filepath.Join(dir, string(Ottla)), binary)
	if err != nil {
		return Pair{}, errors.Join(err, kafka.Stop())
	}
	return Pair{kafka, ottla}, nil
}

// StartLike starts one node as those of a pair are.
func StartLike(ctx context.Context, kind Kind, dir, binary string) (*Node, error) {
	n, err := New(ctx, Options{Kind: kind, Dir: dir, Binary: binary, Settings: pairSettings})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", kind, err)
	}
	return n, nil
}

// ClusterLike starts so many nodes; a node alone is as those of a pair are. Of
// several, what is replicated is so by the programs' defaults.
func ClusterLike(ctx context.Context, kind Kind, dir, binary string, count int) (*Cluster, error) {
	if count == 1 {
		n, err := StartLike(ctx, kind, dir, binary)
		if err != nil {
			return nil, err
		}
		return &Cluster{Nodes: []*Node{n}}, nil
	}
	settings := maps.Clone(pairSettings)
	for name := range settings {
		if name == "node.id" || strings.HasSuffix(name, ".replication.factor") || strings.HasSuffix(name, ".min.isr") {
			delete(settings, name)
		}
	}
	// Nobody shall be thought away, or behind, because the machine does much else, and
	// leaders move when they are told to, not every five minutes.
	settings["replica.lag.time.max.ms"], settings["auto.leader.rebalance.enable"] = "120000", "false"
	if kind == Kafka {
		settings["initial.broker.registration.timeout.ms"], settings["broker.session.timeout.ms"] = "180000", "60000"
		settings["controller.quorum.fetch.timeout.ms"], settings["controller.quorum.election.timeout.ms"] = "20000", "2000"
	}
	return NewCluster(ctx, Options{Kind: kind, Dir: dir, Binary: binary, Settings: settings}, count)
}

// Stop ends both; the error also tells of one that had ended by itself.
func (p Pair) Stop() error {
	return errors.Join(p.Kafka.Alive(), p.Kafka.Stop(), p.Ottla.Alive(), p.Ottla.Stop())
}
