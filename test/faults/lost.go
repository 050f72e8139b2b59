//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"ottla/test/realfault"
)

// directoryFails is row 10b: of two log directories the second one's disk goes
// away under load. What lies in the first is written and read on, and a node
// that is started without the second serves it too; when the disk is back,
// everything is there. The node stands still for the moment of the cut, see
// powerCut.
func directoryFails(ctx context.Context, s *scene) error {
	if err := s.onImage(ctx, 512); err != nil {
		return err
	}
	second := s.data
	s.data = filepath.Join(s.dir, "data")
	s.settings = append(s.settings, "log.dirs="+s.data+","+second)
	if err := s.open(ctx); err != nil {
		return err
	}
	for n := range times(6, 2) {
		if err := s.loseDisk(ctx, n%2 == 1); err != nil {
			return err
		}
		s.node.Kill()
		if err := s.image.Unmount(ctx); err != nil {
			return err
		}
		if err := s.image.Mount(ctx); err != nil {
			return err
		}
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("start with the disk back: %w", err)
		}
		if err := s.flowing(ctx); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

// loseDisk cuts the second disk off and looks that the rest goes on; again with
// a node that starts without it, where restart says so.
func (s *scene) loseDisk(ctx context.Context, restart bool) error {
	if err := awhile(ctx); err != nil {
		return err
	}
	err := realfault.StandStill(ctx, s.node.PID())
	if err == nil {
		err = s.image.Cut()
	}
	if cerr := s.goOn(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	s.hits++
	if err := s.halfFlowing(ctx); err != nil {
		return err
	}
	if !restart {
		return nil
	}
	s.node.Kill()
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("start without the second disk: %w", err)
	}
	return s.halfFlowing(ctx)
}

// halfFlowing wants acknowledgements for a while, not just those that were on
// their way.
func (s *scene) halfFlowing(ctx context.Context) error {
	if err := realfault.Pause(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	for range 3 {
		if err := s.flowing(ctx); err != nil {
			return fmt.Errorf("with one of two disks gone: %w", err)
		}
		if err := realfault.Pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// goOn lets the node go on.
func (s *scene) goOn() error { return syscall.Kill(s.node.PID(), syscall.SIGCONT) }
