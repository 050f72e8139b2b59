//go:build linux

package three

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ottla/test/realfault"
)

// The faults of disks.

// startAnew starts a node that has lost its disk. Its number is taken until the
// others have given it up; whoever looks after processes starts it again.
func (s *stage) startAnew(ctx context.Context, number int) error {
	for began := time.Now(); ; {
		err := s.cluster.Start(ctx, number)
		if err == nil || time.Since(began) > backWithin {
			return err
		}
		if err := realfault.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

func diskLost(ctx context.Context, s *stage) error { return s.loseDisk(ctx, s.any()) }

func (s *stage) loseDisk(ctx context.Context, number int) error {
	if err := s.cluster.LoseDisk(number); err != nil {
		return err
	}
	if err := s.flowing(ctx); err != nil {
		return fmt.Errorf("with the disk of node %d lost: %w", number, err)
	}
	return s.startAnew(ctx, number)
}

// disksInTurn loses two disks, one when the other has been replaced.
func disksInTurn(ctx context.Context, s *stage) error {
	first := s.any()
	if err := s.loseDisk(ctx, first); err != nil {
		return err
	}
	if err := s.whole(ctx); err != nil {
		return fmt.Errorf("after the disk of node %d was replaced: %w", first, err)
	}
	return s.loseDisk(ctx, s.others(first)[s.r.IntN(2)])
}

// slowDisk makes the disk of a node that leads slow, its alone.
func slowDisk(ctx context.Context, s *stage) error {
	number, err := s.leader(ctx)
	if err != nil {
		return err
	}
	release, err := s.cluster.SlowDisk(number, 256<<10, 30)
	if err != nil {
		return err
	}
	err = realfault.Pause(ctx, s.between(2*time.Second, s.longest(longCut)))
	if err == nil {
		err = s.flowing(ctx)
	}
	return errors.Join(err, release())
}

// fullDisk fills the disk of a node: it goes on, without what needs room, and
// comes back by itself.
func fullDisk(ctx context.Context, s *stage) error {
	number := s.any()
	if err := s.cluster.FillDisk(number); err != nil {
		return err
	}
	err := realfault.Pause(ctx, s.between(2*time.Second, s.longest(longCut)))
	if err == nil {
		err = s.flowing(ctx)
	}
	return errors.Join(err, s.cluster.FreeDisk(number))
}

// failingDisk lets every operation on a node's disk fail. It ends, and comes
// back: on what it had synced, or on an empty disk.
func failingDisk(ctx context.Context, s *stage) error {
	number := s.any()
	if err := s.cluster.FailDisk(ctx, number); err != nil {
		return err
	}
	if err := s.flowing(ctx); err != nil {
		return fmt.Errorf("with the disk of node %d failed: %w", number, err)
	}
	if s.r.IntN(2) == 0 {
		return s.cluster.Start(ctx, number)
	}
	if err := s.cluster.LoseDisk(number); err != nil {
		return err
	}
	return s.startAnew(ctx, number)
}
