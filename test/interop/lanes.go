package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"ottla/test/rig"
)

// settings of every broker. The first members of a group wait for each other
// for a short time only: what takes time here are the clients' own timers.
var settings = map[string]string{
	"auto.create.topics.enable": "true", "num.partitions": "3", "group.initial.rebalance.delay.ms": "300",
}

// lanesOf tells how many clients run at once. Most of a client's time is
// waiting; a JVM for each broker would not be.
// Nor would three nodes for each.
func lanesOf(kind rig.Kind, nodes, clients int) int {
	if kind != rig.Ottla || nodes > 1 {
		return 1
	}
	return min(3, clients)
}

// replicated are more settings of brokers of several nodes.
var replicated = map[string]string{"default.replication.factor": "3", "min.insync.replicas": "2"}

// startBrokers starts a broker, of one node or several, for each lane: a client may
// restart its own.
func startBrokers(ctx context.Context, kind rig.Kind, dir, binary string, nodes, lanes int) ([]*rig.Cluster, error) {
	if nodes > 1 {
		all := maps.Clone(settings)
		maps.Copy(all, replicated)
		c, err := rig.NewCluster(ctx, rig.Options{Kind: kind, Dir: filepath.Join(dir, "broker"), Binary: binary, Settings: all}, nodes)
		return []*rig.Cluster{c}, err
	}
	var out []*rig.Cluster
	for i := range lanes {
		n, err := rig.New(ctx, rig.Options{Kind: kind, Dir: filepath.Join(dir, fmt.Sprintf("broker-%d", i)), Binary: binary, Settings: settings})
		if err != nil {
			for _, n := range out {
				_ = n.Stop() // the first failure is the one to tell
			}
			return nil, err
		}
		out = append(out, &rig.Cluster{Nodes: []*rig.Node{n}})
		if binary == "" && kind == rig.Ottla {
			binary = filepath.Join(dir, "broker-0", "ottla") // built by the first
		}
	}
	return out, nil
}

// runAll runs the clients, on as many lanes as there are brokers, and gives
// their rows in the clients' order. What they say on standard error goes to dir.
func runAll(ctx context.Context, dir string, brokers []*rig.Cluster, chosen []client) []row {
	cache, err := os.UserCacheDir()
	if err != nil {
		return []row{{client: "all", scenario: "install", why: err.Error()}}
	}
	cache = filepath.Join(cache, "ottla-interop")
	rows := make([][]row, len(chosen))
	next := make(chan int)
	var lanes sync.WaitGroup
	for _, broker := range brokers {
		lanes.Go(func() {
			for i := range next {
				rows[i] = runOne(ctx, session{client: chosen[i], nth: i, broker: broker, life: ctx, dir: dir}, cache)
			}
		})
	}
	for i := range chosen {
		if ctx.Err() == nil {
			next <- i
		}
	}
	close(next)
	lanes.Wait()
	var out []row
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

// installing is held while a client is installed: several share a folder.
var installing sync.Mutex

// runOne runs one client against its broker, which is left running.
func runOne(ctx context.Context, s session, cache string) []row {
	c := s.client
	installing.Lock()
	cmd, err := c.command(ctx, cache)
	installing.Unlock()
	if err != nil {
		return []row{{client: c.name, scenario: "install", why: err.Error()}}
	}
	fmt.Fprintf(os.Stderr, "interop: %s\n", c.name)
	rows := s.run(ctx, cmd)
	if ctx.Err() != nil {
		return rows
	}
	for _, node := range s.broker.Nodes {
		if err := node.Alive(); err != nil {
			rows = append(rows, row{client: c.name, scenario: "broker", why: err.Error()})
			if err := node.Start(ctx); err != nil {
				rows = append(rows, row{client: c.name, scenario: "broker", why: err.Error()})
			}
		}
	}
	return rows
}
