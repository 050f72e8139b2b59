package rig

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"syscall"

	"ottla/test/oracle/apache"
	"ottla/test/realfault"
)

type kafkaRunner struct {
	dir      string
	settings map[string]string
	node     *apache.Node
}

// prepareKafka fixes the ports, which the oracle would choose anew at each
// start.
func (n *Node) prepareKafka(o Options) error {
	free, err := realfault.FreePorts(2)
	if err != nil {
		return err
	}
	// The oracle runs Kafka in its folder, so the folder must not be relative.
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return err
	}
	n.Addr, n.Data = local(free[0]), filepath.Join(dir, "data")
	settings := map[string]string{
		"listeners":                           "PLAINTEXT://" + n.Addr + ",CONTROLLER://" + local(free[1]),
		"controller.quorum.bootstrap.servers": local(free[1]),
	}
	maps.Copy(settings, o.Settings)
	n.run = &kafkaRunner{dir: dir, settings: settings}
	return nil
}

func (r *kafkaRunner) start(ctx context.Context) (err error) {
	if r.node != nil {
		return r.node.Restart(ctx)
	}
	r.node, err = apache.Start(ctx, r.dir, r.settings)
	return err
}

func (r *kafkaRunner) stop() error { return r.node.Stop() }

func (r *kafkaRunner) kill() error { return r.node.Kill() }

func (r *kafkaRunner) alive() error {
	p, err := os.FindProcess(r.node.PID())
	if err == nil {
		err = p.Signal(syscall.Signal(0)) // asks only whether it is there
	}
	if err != nil {
		return fmt.Errorf("the broker ended by itself: %w", err)
	}
	return nil
}
