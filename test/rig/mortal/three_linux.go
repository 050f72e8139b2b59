package mortal

import (
	"context"
	"math/rand/v2"
	"time"

	"ottla/test/realfault"
	"ottla/test/rig/several"
)

// three is a cluster of three nodes, each a process.
type three struct{ c *several.Cluster }

func openThree(ctx context.Context, o Options) (Cluster, error) {
	path, err := realfault.Binary(ctx, o.Binary, o.Dir)
	if err != nil {
		return nil, err
	}
	c, err := several.New(ctx, several.Options{Binary: path, Dir: o.Dir, Nodes: 3, Set: o.Set, HTTP: true})
	if err != nil {
		return nil, err
	}
	return &three{c}, nil
}

// Addrs implements Cluster.
func (t *three) Addrs() []string { return t.c.Addrs() }

// Replicas implements Cluster.
func (t *three) Replicas() int16 { return 3 }

// HTTPAddrs implements Cluster.
func (t *three) HTTPAddrs() (all []string) {
	for _, n := range t.c.Nodes {
		all = append(all, n.HTTPAddr())
	}
	return all
}

// Kill implements Cluster.
func (t *three) Kill(ctx context.Context, rng *rand.Rand) error {
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

// Close implements Cluster.
func (t *three) Close(ctx context.Context) error { return t.c.Close(ctx) }
