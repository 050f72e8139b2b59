package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"ottla/test/realfault"
)

// one is a cluster of one node.
type one struct {
	setup realfault.Setup
	node  *realfault.Node
	log   *os.File
}

func openOne(ctx context.Context, dir string) (cluster, error) {
	log, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		return nil, err
	}
	c := &one{log: log}
	if c.setup, err = realfault.NewSetup(ctx, *binary, dir, filepath.Join(dir, "data"), log); err == nil {
		c.node, err = c.setup.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return c, nil
}

func (c *one) addrs() []string { return []string{c.setup.Address()} }
func (c *one) replicas() int16 { return 1 }

func (c *one) kill(ctx context.Context, _ *rand.Rand) error {
	if why, ended := c.node.Exited(); ended {
		return fmt.Errorf("the node ended by itself: %w", why)
	}
	c.node.Kill()
	next, err := c.setup.Start(ctx)
	if err == nil {
		c.node = next
	}
	return err
}

func (c *one) close(context.Context) error {
	c.node.Kill()
	return c.log.Close()
}
