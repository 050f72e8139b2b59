//go:build linux

package several

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"ottla/test/realfault"
)

// CutPower takes the power from nodes at the same moment: all stand still, then
// their disks are cut off, so that what was not synced is gone, and the
// processes end. The disks are mounted again, as after the power came back; the
// nodes are down. See realfault.StandStill for why they stand still.
func (c *Cluster) CutPower(ctx context.Context, numbers ...int) error {
	for _, number := range numbers {
		if c.Node(number).disk == nil {
			return fmt.Errorf("node %d has no disk of its own", number)
		}
	}
	errs := c.each(numbers, func(n *Node) error { return realfault.StandStill(ctx, n.PID()) })
	if errs == nil {
		errs = c.each(numbers, func(n *Node) error { return n.disk.Cut() })
	}
	for _, number := range numbers {
		c.Kill(number)
	}
	if errs != nil {
		return errs
	}
	return c.each(numbers, func(n *Node) error {
		if err := n.disk.Unmount(ctx); err != nil {
			return err
		}
		return n.disk.Mount(ctx)
	})
}

// each does something to nodes side by side.
func (c *Cluster) each(numbers []int, do func(n *Node) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(numbers))
	for i, number := range numbers {
		wg.Go(func() { errs[i] = do(c.Node(number)) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// LoseDisk kills a node and takes away all it had: the next Start joins the
// cluster anew, with the same number.
func (c *Cluster) LoseDisk(number int) error {
	c.Kill(number)
	n := c.Node(number)
	if err := os.RemoveAll(n.Data); err != nil {
		return fmt.Errorf("take away what node %d had: %w", number, err)
	}
	n.joined = false
	return nil
}
