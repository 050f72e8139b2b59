package mortal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"ottla/test/realfault"
)

// one is a cluster of one node.
type one struct {
	setup realfault.Setup
	node  *realfault.Node
	http  string
	log   *os.File
}

func openOne(ctx context.Context, o Options) (Cluster, error) {
	log, err := os.Create(filepath.Join(o.Dir, "node.log"))
	if err != nil {
		return nil, fmt.Errorf("make the log of the node: %w", err)
	}
	c := &one{log: log}
	if err := c.open(ctx, o); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return c, nil
}

func (c *one) open(ctx context.Context, o Options) (err error) {
	if c.setup, err = realfault.NewSetup(ctx, o.Binary, o.Dir, filepath.Join(o.Dir, "data"), c.log); err != nil {
		return err
	}
	port, err := realfault.FreePorts(1)
	if err != nil {
		return err
	}
	c.http = net.JoinHostPort("127.0.0.1", strconv.Itoa(port[0]))
	c.setup.Set, c.setup.Flags = o.Set, []string{"--http", c.http}
	c.node, err = c.setup.Start(context.WithoutCancel(ctx))
	return err
}

// Addrs implements Cluster.
func (c *one) Addrs() []string { return []string{c.setup.Address()} }

// HTTPAddrs implements Cluster.
func (c *one) HTTPAddrs() []string { return []string{c.http} }

// Replicas implements Cluster.
func (c *one) Replicas() int16 { return 1 }

// Kill implements Cluster.
func (c *one) Kill(ctx context.Context, _ *rand.Rand) error {
	if why, ended := c.node.Exited(); ended {
		return fmt.Errorf("the node ended by itself: %w", why)
	}
	c.node.Kill()
	next, err := c.setup.Start(context.WithoutCancel(ctx))
	if err == nil {
		c.node = next
	}
	return err
}

// Close implements Cluster.
func (c *one) Close(context.Context) error {
	c.node.Kill()
	return c.log.Close()
}
