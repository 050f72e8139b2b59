//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"ottla/test/realfault"
)

// killed is row 1: SIGKILL at random moments.
func killed(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for range times(30, 6) {
		if err := awhile(ctx); err != nil {
			return err
		}
		if err := s.up(); err != nil {
			return err
		}
		s.node.Kill()
		s.hits++
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("start after kill %d: %w", s.hits, err)
		}
	}
	return s.finish(ctx)
}

// awhile waits between 1 ms and a second, short times as often as long ones.
func awhile(ctx context.Context) error {
	return realfault.Pause(ctx, time.Millisecond<<rand.IntN(9)+rand.N(500*time.Millisecond))
}

// powerCut is row 2: the file system is cut off and comes back as after a loss
// of power. The node stands still first: a sync that is under way when ext4 is
// shut down may still be answered with success (see readOnly), and an answer
// after the cut is what no loss of power allows.
func powerCut(ctx context.Context, s *scene) error {
	if err := s.onImage(ctx, 512); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	for range times(20, 4) {
		if err := awhile(ctx); err != nil {
			return err
		}
		err := realfault.StandStill(ctx, s.node.PID())
		if err == nil {
			err = s.image.Cut()
		}
		s.node.Kill()
		if err != nil {
			return err
		}
		s.hits++
		if err := s.image.Unmount(ctx); err != nil {
			return err
		}
		if err := s.image.Mount(ctx); err != nil {
			return err
		}
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("start after cut %d: %w", s.hits, err)
		}
	}
	return s.finish(ctx)
}

// vanishing is row 19b: the members of the groups die without a word, one after
// the other, and new ones come. What nobody leaves is taken back when its
// session is over, and everything is read.
func vanishing(ctx context.Context, s *scene) error {
	s.silent = true
	if err := s.open(ctx); err != nil {
		return err
	}
	for n := int64(times(60, 12)); s.crew.Vanished() < n; {
		if err := s.up(); err != nil {
			return err
		}
		if err := realfault.Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	s.hits = int(s.crew.Vanished())
	s.crew.Calm()
	if err := s.caughtUp(ctx); err != nil {
		return err
	}
	return s.finish(ctx)
}

// paused is row 19a: the process stands still and goes on.
func paused(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for i := range times(10, 3) {
		if err := awhile(ctx); err != nil {
			return err
		}
		if err := syscall.Kill(s.node.PID(), syscall.SIGSTOP); err != nil {
			return fmt.Errorf("stop the process: %w", err)
		}
		err := realfault.Pause(ctx, 300*time.Millisecond) // answers on their way
		before := s.crew.Acked()
		if err == nil {
			err = realfault.Pause(ctx, time.Duration(1+i)*time.Second)
		}
		if s.crew.Acked() == before {
			s.hits++
		}
		if cerr := syscall.Kill(s.node.PID(), syscall.SIGCONT); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
		if err := s.flowing(ctx); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}
