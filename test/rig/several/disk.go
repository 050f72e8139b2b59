//go:build linux

package several

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ottla/test/realfault"
)

// CutPower takes the power from nodes at the same moment: all stand still, then
// their disks are cut off, so that what was not synced is gone, and the
// processes end. The disks are mounted again, as after the power came back; the
// nodes are down. See realfault.StandStill for why they stand still.
func (c *Cluster) CutPower(ctx context.Context, numbers ...int) error {
	for _, number := range numbers {
		if c.Node(number).disk == nil {
			return noDisk(number)
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

// FillDisk takes all room on a node's disk that is left, until FreeDisk.
func (c *Cluster) FillDisk(number int) error {
	n := c.Node(number)
	if n.disk == nil {
		return noDisk(number)
	}
	name := filepath.Join(n.disk.Dir, filler)
	if err := reserve(name); err != nil {
		return err
	}
	return realfault.Fill(name)
}

// reserve takes most of the room without writing it; the rest is for Fill.
func reserve(name string) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("fill a disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	at := int64(0)
	for step := int64(256 << 20); step > 16<<20; {
		switch err := unix.Fallocate(int(f.Fd()), 0, at, step); {
		case err == nil:
			at += step
		case errors.Is(err, unix.ENOSPC):
			step /= 2
		case !errors.Is(err, unix.EINTR):
			return fmt.Errorf("fill a disk: %w", err)
		}
	}
	return nil
}

// FreeDisk gives the room back that FillDisk took.
func (c *Cluster) FreeDisk(number int) error {
	if err := os.Remove(filepath.Join(c.Node(number).disk.Dir, filler)); err != nil {
		return fmt.Errorf("give node %d its room back: %w", number, err)
	}
	return nil
}

// filler is the file that takes the room of a disk away.
const filler = "filler"

// SlowDisk lets a node write to its disk no faster than so many bytes and
// operations a second, until the function that it gives is called.
func (c *Cluster) SlowDisk(number, bytes, operations int) (release func() error, err error) {
	n := c.Node(number)
	if n.disk == nil {
		return nil, noDisk(number)
	}
	return n.disk.Throttle(n.PID(), bytes, operations)
}

// endsWithin is how long a node may take to end whose disk fails.
const endsWithin = time.Minute

// FailDisk lets every operation on a node's disk fail from now on, and waits for
// the node to end by itself, as it must: its metadata are there. The disk is
// mounted again, with all that was synced; the node is down. The failure begins
// while the node stands still, or syncs that the file system is busy with would
// be answered with success (realfault.StandStill).
func (c *Cluster) FailDisk(ctx context.Context, number int) error {
	n := c.Node(number)
	if n.disk == nil {
		return noDisk(number)
	}
	if err := realfault.StandStill(ctx, n.PID()); err != nil {
		return err
	}
	if err := errors.Join(n.disk.Cut(), c.Continue(number)); err != nil {
		return err
	}
	for began := time.Now(); ; {
		if _, ended := n.proc.Exited(); ended {
			break
		}
		if time.Since(began) > endsWithin {
			return fmt.Errorf("node %d runs on, %v after its disk has failed", number, endsWithin)
		}
		if err := realfault.Pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	n.proc = nil
	return errors.Join(n.disk.Unmount(ctx), n.disk.Mount(ctx))
}

func noDisk(number int) error {
	return &realfault.Impossible{Reason: fmt.Sprintf("node %d has no disk of its own", number)}
}
