package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"ottla/test/realfault"
)

// storm kills the broker so often as told, evenly over the time and each at a
// random moment, and clients in between. Where a fault that must be made was not
// by the end, it lasts longer.
func (s *stage) storm(ctx context.Context) error {
	r := rand.New(rand.NewPCG(s.seed, 1))
	began := time.Now()
	span := s.lasts / time.Duration(s.brokerKills+1)
	next := began.Add(span/2 + rand64(r, span))
	for time.Since(began) < s.lasts || s.judged() && len(s.proxy.missing()) > 0 && time.Since(began) < 4*s.lasts {
		if err := realfault.Pause(ctx, 300*time.Millisecond+rand64(r, 2*time.Second)); err != nil {
			return err
		}
		if err := s.node.Alive(); err != nil {
			return err
		}
		if s.kills < s.brokerKills && time.Now().After(next) {
			if err := s.killBroker(ctx); err != nil {
				return err
			}
			next = next.Add(span/2 + rand64(r, span))
			continue
		}
		if s.clientKills {
			seats := s.team.seats // grown by begin alone
			if err := seats[r.IntN(len(seats))].kill(); err != nil {
				return err
			}
		}
	}
	return nil
}

// judged tells whether the run is long enough for all faults to be asked for.
func (s *stage) judged() bool { return s.lasts >= 30*time.Second }

// killBroker kills the broker and starts it again on what it left.
func (s *stage) killBroker(ctx context.Context) error {
	s.kills++
	if err := s.node.Kill(); err != nil {
		return fmt.Errorf("kill %d of the broker: %w", s.kills, err)
	}
	began := time.Now()
	if err := s.node.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start after kill %d: %w", s.kills, err)
	}
	s.slowest = max(s.slowest, time.Since(began))
	return nil
}

func rand64(r *rand.Rand, below time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(max(1, below))))
}
