package queue

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"ottla/internal/kafka/queues"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// holderOf is the number under which somebody holds what he is about to move, by
// his name; see share.Want. Whoever goes on for him has the same.
func holderOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return max(1, h.Sum64())
}

// noHolder has settle give nothing back.
const noHolder = 0

// settle ends what somebody left who was killed, or did not hear how his last step
// ended: what that moved is acknowledged, in whatever delivery it is, and what else
// he holds is given back. The caller has kept him out, and knows what was moved.
func (s *Service) settle(ctx context.Context, q *opened, p queues.Part, holder uint64, moved map[int64]bool) error {
	v, err := patient(ctx, func() (int32, error) {
		v, err := s.o.Leases.Survey(ctx, p)
		return v.StateEpoch, err
	})
	if err != nil {
		return fmt.Errorf("look into %s: %w: %w", q.Full(), ErrUnavailable, err)
	}
	var words []share.Word
	for from, more := int64(0), true; more; {
		c, err := s.contents(ctx, q, p, from, mostRuns)
		if err != nil {
			return err
		}
		for i := range c.Undone {
			words = append(words, settling(&c.Undone[i], v, holder, slices.Sorted(maps.Keys(moved)))...)
		}
		if more = len(c.Undone) == mostRuns; more {
			from = c.Undone[mostRuns-1].Last + 1
		}
	}
	for _, err := range s.redeem(ctx, p, words) {
		if err != nil && !errors.Is(err, wire.InvalidRecordState) { // else it is done, or back
			return fmt.Errorf("settle what was moved before: %w", err)
		}
	}
	return nil
}

// settling are the words for a run of messages.
func settling(u *share.Undone, epoch int32, holder uint64, moved []int64) (out []share.Word) {
	if u.Member != "" || u.State != share.Acquired && u.State != share.Available {
		return nil
	}
	first, _ := slices.BinarySearch(moved, u.First)
	last, _ := slices.BinarySearch(moved, u.Last+1)
	moved = moved[first:last]
	for _, at := range moved {
		w := accept(epoch, at, u.Count)
		w.Late = true
		out = append(out, w)
	}
	if u.State != share.Acquired || holder == noHolder || u.Holder != holder {
		return out
	}
	for at := u.First; at <= u.Last; at++ {
		if _, done := slices.BinarySearch(moved, at); !done {
			w := accept(epoch, at, u.Count)
			w.Type, w.Holder = share.Return, holder
			out = append(out, w)
		}
	}
	return out
}
