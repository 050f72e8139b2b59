//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"ottla/test/realfault"
)

// syncCalls are all by which the node could make something durable.
const syncCalls = "fsync,fdatasync,syncfs,sync_file_range,msync"

// syncFails is row 10a: a sync fails; from then on nothing is acknowledged until
// a new process has read the disk. This one ends by itself where it has no other
// log directory.
func syncFails(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for range times(5, 1) {
		if err := failOnce(ctx, s); err != nil {
			return err
		}
		s.node.Kill()
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("start after a failed sync: %w", err)
		}
		if err := s.flowing(ctx); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}

// failOnce lets syncs fail until one has, and then looks for acknowledgements
// that nothing stands behind.
func failOnce(ctx context.Context, s *scene) error {
	t, err := inject(ctx, s.dir, s.node.PID(), syncCalls, "error=EIO")
	if err != nil {
		return err
	}
	for began := time.Now(); t.hits() == 0; {
		if time.Since(began) > backWithin {
			_ = t.detach() // the failure is the finding
			return fmt.Errorf("no sync was made within %v", backWithin)
		}
		if err := realfault.Pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	if err := s.ebbed(ctx); err != nil {
		return fmt.Errorf("while syncs fail: %w", err)
	}
	before := s.crew.Acked()
	if err := t.detach(); err != nil {
		return err
	}
	s.hits += t.hits()
	if err := realfault.Pause(ctx, time.Second); err != nil {
		return err
	}
	if n := s.crew.Acked() - before; n > 0 {
		return fmt.Errorf("%d records were acknowledged after a sync had failed", n)
	}
	return nil
}

// slowDisk is row 14: every sync takes half a second longer.
func slowDisk(ctx context.Context, s *scene) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for range times(5, 1) {
		t, err := inject(ctx, s.dir, s.node.PID(), syncCalls, "delay_enter=500000")
		if err != nil {
			return err
		}
		before := s.crew.Acked()
		err = realfault.Pause(ctx, 4*time.Second)
		if err == nil && s.crew.Acked() == before { // on a busy machine it takes longer still
			err = s.flowing(ctx)
		}
		if derr := t.detach(); err == nil {
			err = derr
		}
		if err != nil {
			return err
		}
		s.hits += t.hits()
		if err := s.flowing(ctx); err != nil {
			return err
		}
		if err := realfault.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
	return s.finish(ctx)
}
