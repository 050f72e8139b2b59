//go:build linux

package several

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ottla/test/realfault"
)

// Options make a cluster.
type Options struct {
	Binary string // of Ottla
	Dir    string
	Nodes  int
	// Spare is how many nodes there are beside them that New does not start: they
	// join when they are started for the first time.
	Spare int
	// Set are settings of every node, KEY=VALUE.
	Set []string
	// DiskMiB gives every node a disk of its own of that size; 0 gives it a
	// folder.
	DiskMiB int
	// Network gives every node a network of its own, so that packets can be lost.
	Network bool
	// HTTP has every node serve HTTP too: what it measures, its profiles.
	HTTP bool
}

// Node is one node.
type Node struct {
	Number int
	Data   string
	setup  realfault.Setup
	proc   *realfault.Node // nil when it does not run
	disk   *realfault.Image
	log    *os.File
	joined bool // its directory belongs to the cluster
	http   string
}

// Addr is where clients reach it.
func (n *Node) Addr() string { return n.setup.Address() }

// HTTPAddr is where it serves HTTP, empty unless Options.HTTP asks for it.
func (n *Node) HTTPAddr() string { return n.http }

// Running tells whether its process was started and not ended by this program.
func (n *Node) Running() bool { return n.proc != nil }

// PID is its process, 0 when it does not run.
func (n *Node) PID() int {
	if n.proc == nil {
		return 0
	}
	return n.proc.PID()
}

// Cluster is all of them, numbered from 1.
type Cluster struct {
	Nodes []*Node
	o     Options
	net   *network // nil on loopback
	token string
	// ports of Kafka and HTTP are the same for all nodes, whose addresses differ,
	// and others than those of clusters that other programs run.
	ports []int
}

// stopWithin is generous: how fast a stop must be is judged elsewhere.
const stopWithin = 30 * time.Second

// New makes a cluster and starts it, one node after the other. What was made is
// undone when it fails.
func New(ctx context.Context, o Options) (c *Cluster, err error) {
	c = &Cluster{o: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close(context.WithoutCancel(ctx)))
		}
	}()
	if c.ports, err = realfault.FreePorts(2); err != nil {
		return c, err
	}
	if o.Network {
		if c.net, err = newNetwork(ctx, o.Nodes+o.Spare); err != nil {
			return c, err
		}
	}
	for number := 1; number <= o.Nodes+o.Spare; number++ {
		n, err := c.make(ctx, number)
		if n != nil {
			c.Nodes = append(c.Nodes, n)
		}
		if err != nil {
			return c, err
		}
	}
	for number := 1; number <= o.Nodes; number++ {
		if err := c.Start(ctx, number); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *Cluster) make(ctx context.Context, number int) (*Node, error) {
	dir := filepath.Join(c.o.Dir, fmt.Sprintf("node-%d", number))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of node %d: %w", number, err)
	}
	n := &Node{Number: number, Data: filepath.Join(dir, "data")}
	log, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		return nil, fmt.Errorf("make the log of node %d: %w", number, err)
	}
	n.log = log
	if c.o.DiskMiB > 0 {
		if n.disk, err = realfault.NewImage(ctx, dir, c.o.DiskMiB); err != nil {
			return n, fmt.Errorf("make the disk of node %d: %w", number, err)
		}
		n.Data = filepath.Join(n.disk.Dir, "data")
	}
	n.setup = realfault.Setup{Binary: c.o.Binary, Data: n.Data, Host: fmt.Sprintf("127.0.0.%d", 10+number), Port: c.ports[0], Log: log, Set: c.o.Set,
		Flags: []string{"--node-id", strconv.Itoa(number)}}
	if c.net != nil {
		n.setup.Host, n.setup.Wrap = c.net.host(number), c.net.enter(number)
	}
	if c.o.HTTP {
		n.http = net.JoinHostPort(n.setup.Host, strconv.Itoa(c.ports[1]))
		n.setup.Flags = append(n.setup.Flags, "--http", n.http)
	}
	return n, nil
}

// Node is one by its number.
func (c *Cluster) Node(number int) *Node { return c.Nodes[number-1] }

// Addrs are the addresses of all nodes but the spare ones.
func (c *Cluster) Addrs() (all []string) {
	for _, n := range c.Nodes[:c.o.Nodes] {
		all = append(all, n.Addr())
	}
	return all
}

// Start starts a node and waits until it serves. A node of the cluster needs
// most of the others for that: StartAll starts those that are down together.
func (c *Cluster) Start(ctx context.Context, number int) error {
	n := c.Node(number)
	if n.proc != nil {
		return fmt.Errorf("node %d runs", number)
	}
	setup := n.setup
	if number > 1 && !n.joined || number == 1 && !n.joined && c.token != "" {
		if err := c.learnToken(ctx); err != nil {
			return err
		}
		setup.Flags = append(append([]string(nil), setup.Flags...), "--join", c.others(number), "--token", c.token)
	}
	// Once it serves it ends by Kill, Stop or Close, not by ctx.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, end)
	proc, err := setup.Start(life)
	forget()
	if err != nil {
		end()
		return fmt.Errorf("start node %d: %w", number, errors.Join(ctx.Err(), err))
	}
	n.proc, n.joined = proc, true
	return nil
}

// StartAll starts every node of the cluster that is down, at the same time.
func (c *Cluster) StartAll(ctx context.Context) error {
	var down []int
	for _, n := range c.Nodes {
		if n.proc == nil && n.joined {
			down = append(down, n.Number)
		}
	}
	return c.each(down, func(n *Node) error { return c.Start(ctx, n.Number) })
}

func (c *Cluster) others(number int) string {
	var all []string
	for _, n := range c.Nodes {
		if n.Number != number && n.joined {
			all = append(all, n.Addr())
		}
	}
	return strings.Join(all, ",")
}

// learnToken asks the first node's directory what others join with, while it is
// there.
func (c *Cluster) learnToken(ctx context.Context) error {
	if c.token != "" {
		return nil
	}
	out, err := exec.CommandContext(ctx, c.o.Binary, "cluster", "token", "--data", c.Node(1).Data).Output()
	if err != nil {
		return fmt.Errorf("ask for the token of the cluster: %w", err)
	}
	c.token = strings.TrimSpace(string(out))
	return nil
}

// Kill ends a node's process with SIGKILL.
func (c *Cluster) Kill(number int) {
	n := c.Node(number)
	if n.proc != nil {
		n.proc.Kill()
		n.proc = nil
	}
}

// Stop lets a node stop cleanly.
func (c *Cluster) Stop(number int) error {
	n := c.Node(number)
	if n.proc == nil {
		return fmt.Errorf("node %d does not run", number)
	}
	err := n.proc.Stop(stopWithin)
	n.proc = nil
	return err
}

// Pause lets a node stand still (SIGSTOP).
func (c *Cluster) Pause(number int) error { return c.signal(number, syscall.SIGSTOP) }

// Continue lets a node that stands still go on.
func (c *Cluster) Continue(number int) error { return c.signal(number, syscall.SIGCONT) }

func (c *Cluster) signal(number int, s syscall.Signal) error {
	if err := syscall.Kill(c.Node(number).PID(), s); err != nil {
		return fmt.Errorf("send %v to node %d: %w", s, number, err)
	}
	return nil
}

// Up fails when a node has ended by itself.
func (c *Cluster) Up() error {
	for _, n := range c.Nodes {
		if n.proc == nil {
			continue
		}
		if why, ended := n.proc.Exited(); ended {
			return fmt.Errorf("node %d ended by itself: %w", n.Number, why)
		}
	}
	return nil
}

// Said tells how often a node has logged a text so far, in all its lives.
func (c *Cluster) Said(number int, text string) (int, error) {
	log, err := os.ReadFile(c.Node(number).log.Name())
	if err != nil {
		return 0, fmt.Errorf("read the log of node %d: %w", number, err)
	}
	return bytes.Count(log, []byte(text)), nil
}

// Until looks again and again, every so often, until nothing is lacking, at most
// so long. It fails with look's error, and when a node has ended by itself.
func (c *Cluster) Until(ctx context.Context, every, within time.Duration, look func(context.Context) (lacking string, err error)) error {
	began := time.Now()
	for {
		if err := c.Up(); err != nil {
			return err
		}
		one, cancel := context.WithTimeout(ctx, 10*time.Second)
		lacking, err := look(one)
		cancel()
		if err != nil || lacking == "" {
			return err
		}
		if time.Since(began) > within {
			return fmt.Errorf("after %v still: %s", within, lacking)
		}
		if err := realfault.Pause(ctx, every); err != nil {
			return err
		}
	}
}

// Close ends everything, and waits for it.
func (c *Cluster) Close(ctx context.Context) error {
	var errs []error
	for _, n := range c.Nodes {
		c.Kill(n.Number)
		if n.disk != nil {
			errs = append(errs, n.disk.Unmount(ctx))
		}
		errs = append(errs, n.log.Close())
	}
	if c.net != nil {
		errs = append(errs, c.net.close(ctx))
	}
	return errors.Join(errs...)
}
