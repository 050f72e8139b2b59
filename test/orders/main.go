package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"ottla/test/realfault"
	"ottla/test/rig/mortal"
)

var (
	nodes  = flag.Int("nodes", 1, "nodes of the cluster: 1 or 3")
	kills  = flag.Int("kill", 0, "how often a node is killed between put and take")
	only   = flag.String("only", "boto3,aws-cli,aws-go", "the clients, separated by commas")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of which node is killed")
	binary = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn = flag.String("dir", "", "where all is kept; without it a temporary folder")
)

func main() {
	flag.Parse()
	realfault.Main("orders", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir(*keepIn, "orders")
	if err != nil {
		return err
	}
	fmt.Printf("orders: %d nodes, %d kills, seed %d, in %s\n", *nodes, *kills, *seed, dir)
	if err := play(ctx, dir); err != nil {
		return fmt.Errorf("%w (all is kept in %s)", err, dir)
	}
	return clean()
}

// play runs the example with each client on one cluster.
func play(ctx context.Context, dir string) (err error) {
	c, err := mortal.Open(ctx, mortal.Options{Nodes: *nodes, Binary: *binary, Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	for name := range strings.SplitSeq(*only, ",") {
		i := slices.IndexFunc(clients, func(c client) bool { return c.name == name })
		if i < 0 {
			return fmt.Errorf("there is no client %q: want some of boto3, aws-cli, aws-go", name)
		}
		if err := shop(ctx, c, clients[i]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("orders: %s has seen all that it should\n", name)
	}
	return nil
}

// shop runs the example once: its parts at one node after the other, and nodes die
// before the last.
func shop(ctx context.Context, c mortal.Cluster, with client) error {
	p, err := with.prepare(ctx)
	if err != nil {
		return err
	}
	r, err := startReceiver(ctx, p.folder)
	if err != nil {
		return err
	}
	defer r.stop()
	rng := rand.New(rand.NewPCG(*seed, 0))
	addrs := c.HTTPAddrs()
	for i, part := range []string{"setup", "put", "take"} {
		for range *kills {
			if part != "take" {
				break
			}
			if err := c.Kill(ctx, rng); err != nil {
				return fmt.Errorf("kill a node: %w", err)
			}
		}
		fmt.Printf("orders: %s %s at %s\n", with.name, part, addrs[i%len(addrs)])
		if err := p.run(ctx, part, addrs[i%len(addrs)], r.addr); err != nil {
			return err
		}
	}
	return p.run(ctx, "clean", addrs[0], r.addr)
}
