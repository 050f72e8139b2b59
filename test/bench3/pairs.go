//go:build linux

package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"ottla/test/beside"
)

// alternate measures pairs, Kafka first.
func alternate(ctx context.Context, m measure, kafka, ottla *side) (beside.Gathered, error) {
	on := func(s *side) beside.Run {
		return func(n int) (beside.Outcome, error) {
			syscall.Sync() // what ran before shall not be written meanwhile
			return m.run(ctx, s, fmt.Sprintf("%s-%d", m.name, n))
		}
	}
	return beside.Alternate(*pairs, *keepBusy, on(kafka), on(ottla))
}

// Rounds of warming up: a JVM compiles what is used often, again and again.
const (
	warmRounds = 6
	warmRound  = 6 * time.Second
	// steady is how much faster than any before a round must be to ask for another.
	steady = 1.1
)

// warm lets a side compile, grow and open what it will need: it produces until that
// gets no faster.
func warm(ctx context.Context, s *side) error {
	t, err := s.create(ctx, "warm", 8, "replicated")
	if err != nil {
		return fmt.Errorf("warm %s up: %w", s.name, err)
	}
	best := 0.0
	for range warmRounds {
		got, err := produce(ctx, s, t, int64(*gb*1e9), warmRound)
		if err != nil {
			return fmt.Errorf("warm %s up: %w", s.name, err)
		}
		rate := got.Seen[figMBs]
		if rate < best*steady {
			break
		}
		best = rate
	}
	return s.remove(ctx, "warm")
}
