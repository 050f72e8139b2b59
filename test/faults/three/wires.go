//go:build linux

package three

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ottla/test/realfault"
	"ottla/test/rig/several"
)

// The faults of the network.

// partition holds links cut for a while.
func (s *stage) partition(ctx context.Context, most time.Duration, links ...several.Link) error {
	mend, err := s.cluster.Apart(ctx, links...)
	if err != nil {
		return err
	}
	return errors.Join(realfault.Pause(ctx, s.between(time.Second, most)), mend())
}

// longCut is the longest partition: longer than a node is waited for before the
// others go on without it.
const longCut = 15 * time.Second

// links are those between one node and the others: what it sends, what it gets.
func (s *stage) links(one int, from, to bool) (out []several.Link) {
	for _, other := range s.others(one) {
		if from {
			out = append(out, several.Link{From: one, To: other})
		}
		if to {
			out = append(out, several.Link{From: other, To: one})
		}
	}
	return out
}

func cutOff(ctx context.Context, s *stage) error {
	return s.partition(ctx, s.longest(longCut), s.links(s.any(), true, true)...)
}

func deaf(ctx context.Context, s *stage) error {
	return s.partition(ctx, s.longest(longCut), s.links(s.any(), false, true)...)
}

func mute(ctx context.Context, s *stage) error {
	return s.partition(ctx, s.longest(longCut), s.links(s.any(), true, false)...)
}

func bridge(ctx context.Context, s *stage) error {
	ends := s.others(s.any())
	return s.partition(ctx, s.longest(longCut), several.Link{From: ends[0], To: ends[1]}, several.Link{From: ends[1], To: ends[0]})
}

func flapping(ctx context.Context, s *stage) error {
	one := s.any()
	for range 4 + s.r.IntN(s.few(6)) {
		if err := s.partition(ctx, s.longest(2*time.Second)+time.Second, s.links(one, true, true)...); err != nil {
			return err
		}
		if err := realfault.Pause(ctx, s.between(100*time.Millisecond, time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// lossy loses 1 to 30 % of what a node sends and gets, of clients too.
func lossy(ctx context.Context, s *stage) error {
	percent := 1 + s.r.IntN(30)
	mend, err := s.cluster.Lossy(ctx, s.any(), percent)
	if err != nil {
		return err
	}
	return errors.Join(realfault.Pause(ctx, s.between(time.Second, s.longest(longCut))), mend())
}

// resets ends all of a node's connections again and again.
func resets(ctx context.Context, s *stage) error {
	one := s.any()
	for n := range 5 + s.r.IntN(s.few(20)) {
		if err := s.cluster.Reset(ctx, one); err != nil {
			return fmt.Errorf("reset %d: %w", n+1, err)
		}
		if err := realfault.Pause(ctx, s.between(20*time.Millisecond, 400*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}
