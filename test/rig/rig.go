package rig

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// Kind says which program a node runs.
type Kind string

// The two sides of a comparison.
const (
	Ottla Kind = "ottla"
	Kafka Kind = "kafka"
)

// Options make a node.
type Options struct {
	Kind Kind
	// Dir is made when it is missing; the node's data lie below it.
	Dir string
	// Binary is Ottla's program; "" builds ./cmd/ottla into Dir.
	Binary string
	// Settings are broker settings by their Kafka names.
	Settings map[string]string
	// Log takes Ottla's standard error; nil keeps it in Dir/ottla.log. Kafka's
	// is in Dir/server.log.
	Log io.Writer
}

// Node is one node, running or stopped.
type Node struct {
	Kind    Kind
	Addr    string // host:port for clients
	HTTP    string // host:port of the HTTP port; "" of Kafka
	Data    string // where the partitions' directories are
	run     runner
	stopped bool // by Stop or Kill
}

// runner is one of the two programs.
type runner interface {
	start(ctx context.Context) error
	stop() error
	kill() error
	alive() error
}

// New prepares a node and starts it. It returns when the node serves.
func New(ctx context.Context, o Options) (*Node, error) {
	n, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	return n, n.Start(ctx)
}

func prepare(ctx context.Context, o Options) (*Node, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the node's folder: %w", err)
	}
	n := &Node{Kind: o.Kind, Data: filepath.Join(o.Dir, "data")}
	var err error
	switch o.Kind {
	case Ottla:
		err = n.prepareOttla(ctx, o)
	case Kafka:
		err = n.prepareKafka(o)
	default:
		return nil, fmt.Errorf("a node is %q or %q, not %q", Ottla, Kafka, o.Kind)
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Start starts a stopped node on the address and data it had. Ottla is killed
// when ctx ends.
func (n *Node) Start(ctx context.Context) error {
	err := n.run.start(ctx)
	n.stopped = err != nil
	return err
}

// Alive tells why a started node does not run any more, nil when it does.
func (n *Node) Alive() error { return n.run.alive() }

// Stop ends the node cleanly; a node that was stopped stays so.
func (n *Node) Stop() error {
	if n.stopped {
		return nil
	}
	n.stopped = true
	return n.run.stop()
}

// Kill ends the node at once, as a crash would.
func (n *Node) Kill() error {
	n.stopped = true
	return n.run.kill()
}

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
