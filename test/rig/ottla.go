package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ottla/test/realfault"
)

// stopWithin is generous: how fast a stop must be is judged elsewhere.
const stopWithin = 30 * time.Second

type ottlaRunner struct {
	setup realfault.Setup
	node  *realfault.Node
}

func (n *Node) prepareOttla(ctx context.Context, o Options) error {
	binary, err := realfault.Binary(ctx, o.Binary, o.Dir)
	if err != nil {
		return err
	}
	free, err := realfault.FreePorts(2)
	if err != nil {
		return err
	}
	log := o.Log
	if log == nil {
		f, err := os.Create(filepath.Join(o.Dir, "ottla.log")) // closed with the program
		if err != nil {
			return fmt.Errorf("make the node's log: %w", err)
		}
		log = f
	}
	r := &ottlaRunner{setup: realfault.Setup{Binary: binary, Data: n.Data, Port: free[0], Log: log}}
	for k, v := range o.Settings {
		r.setup.Set = append(r.setup.Set, k+"="+v)
	}
	slices.Sort(r.setup.Set)
	n.Addr, n.HTTP, n.run = local(free[0]), local(free[1]), r
	r.setup.Flags = append(r.setup.Flags, "--http", n.HTTP)
	return nil
}

func (r *ottlaRunner) start(ctx context.Context) (err error) {
	r.node, err = r.setup.Start(ctx)
	return err
}

func (r *ottlaRunner) stop() error { return r.node.Stop(stopWithin) }

func (r *ottlaRunner) kill() error {
	r.node.Kill()
	return nil
}

func (r *ottlaRunner) alive() error {
	if err, ended := r.node.Exited(); ended {
		return fmt.Errorf("the node ended by itself: %w", err)
	}
	return nil
}
