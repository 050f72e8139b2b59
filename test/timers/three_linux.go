package main

import (
	"context"
	"math/rand/v2"
	"time"

	"ottla/test/realfault"
	"ottla/test/rig/several"
)

// three is a cluster of three nodes, each a process.
type three struct{ c *several.Cluster }

func openThree(ctx context.Context, dir string) (cluster, error) {
	path, err := realfault.Binary(ctx, *binary, dir)
	if err != nil {
		return nil, err
	}
	c, err := several.New(ctx, several.Options{Binary: path, Dir: dir, Nodes: 3, HTTP: true})
	if err != nil {
		return nil, err
	}
	return &three{c}, nil
}

func (t *three) addrs() []string { return t.c.Addrs() }
func (t *three) doors() (all []string) {
	for _, n := range t.c.Nodes {
		all = append(all, n.HTTPAddr())
	}
	return all
}
func (t *three) replicas() int16 { return 3 }

// mostDown is how long a node is down at most: longer than others take to see it.
const mostDown = 4 * time.Second

// kill leaves the node down for a moment, so that others take over.
func (t *three) kill(ctx context.Context, rng *rand.Rand) error {
	if err := t.c.Up(); err != nil {
		return err
	}
	number := 1 + rng.IntN(3)
	t.c.Kill(number)
	if err := realfault.Pause(ctx, time.Duration(rng.Int64N(int64(mostDown)))); err != nil {
		return err
	}
	return t.c.Start(ctx, number)
}

func (t *three) close(ctx context.Context) error { return t.c.Close(ctx) }
