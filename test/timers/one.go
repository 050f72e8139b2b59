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
	http  string
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
		err = c.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return c, nil
}

// begin starts the node, with HTTP.
func (c *one) begin(ctx context.Context) error {
	ports, err := realfault.FreePorts(1)
	if err != nil {
		return err
	}
	c.http = fmt.Sprintf("127.0.0.1:%d", ports[0])
	c.setup.Flags = append(c.setup.Flags, "--http", c.http)
	c.node, err = c.setup.Start(ctx)
	return err
}

func (c *one) addrs() []string { return []string{c.setup.Address()} }
func (c *one) doors() []string { return []string{c.http} }
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
