//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"ottla/test/realfault"
)

// movesWithin is how long a group may commit nothing while it has something to
// read: several sessions and rebalances, of six seconds each, on a machine that
// does much else.
const movesWithin = time.Minute

// caughtUp waits until each of the crew's groups has committed, in each
// partition, more than was there when it was asked for.
func (s *scene) caughtUp(ctx context.Context) error {
	a, err := s.admin()
	if err != nil {
		return err
	}
	defer a.Close()
	ends, err := a.ListEndOffsets(ctx, s.crew.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("list the ends of %s: %w", s.crew.Topic, err)
	}
	for _, group := range []string{s.crew.Topic + "-eager", s.crew.Topic + "-cooperative"} {
		best, since := int64(-1), time.Now()
		for {
			got, err := a.FetchOffsets(ctx, group)
			if err != nil {
				return fmt.Errorf("read what %s has committed: %w", group, err)
			}
			sum, behind := int64(0), 0
			for p := range s.crew.Partitions {
				end, _ := ends.Lookup(s.crew.Topic, p)
				o, _ := got.Lookup(s.crew.Topic, p)
				sum += o.At
				if o.At < end.Offset {
					behind++
				}
			}
			if behind == 0 {
				break
			}
			if sum > best {
				best, since = sum, time.Now()
			}
			if time.Since(since) > movesWithin {
				return fmt.Errorf("%s commits nothing for %v, with %d partitions behind", group, movesWithin, behind)
			}
			if err := realfault.Pause(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}
