//go:build linux

package main

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// mostOthers is how many cores others may take during a pair.
const mostOthers = 0.5

// pair is one run of each.
type pair struct{ kafka, ottla outcome }

// busy tells that the machine did too much else.
func (p pair) busy() bool { return max(p.kafka.others, p.ottla.others) > mostOthers }

// gathered is what came of a measure.
type gathered struct {
	pairs  []pair
	thrown int
}

// alternate measures pairs until there are enough; as many may be thrown away.
func alternate(ctx context.Context, m measure, kafka, ottla *side) (gathered, error) {
	var g gathered
	for n := 0; len(g.pairs) < *pairs && g.thrown <= *pairs; n++ {
		var p pair
		for _, one := range []struct {
			side *side
			to   *outcome
		}{{kafka, &p.kafka}, {ottla, &p.ottla}} {
			syscall.Sync() // what ran before shall not be written meanwhile
			got, err := m.run(ctx, one.side, fmt.Sprintf("%s-%d", m.name, n))
			if err != nil {
				return g, err
			}
			*one.to = got
		}
		if p.busy() && !*keepBusy {
			g.thrown++
			continue
		}
		g.pairs = append(g.pairs, p)
	}
	return g, nil
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
		rate := got.seen[figMBs]
		if rate < best*steady {
			break
		}
		best = rate
	}
	return s.remove(ctx, "warm")
}
