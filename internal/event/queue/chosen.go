package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
	"ottla/internal/kafka/queues"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// chosen is how far a move of chosen messages is. It looks at each message once,
// up to where the queue ended when it began; those that somebody has when it comes
// by stay where they are.
type chosen struct {
	filter letter.Filter
	next   map[int32]int64 // by partition: the offset to look at next
	end    map[int32]int64
}

// choose makes the next step of a move of chosen messages; over when there is none.
func (r *moving) choose(ctx context.Context, q *opened) (over bool, err error) {
	if r.chosen == nil {
		f, err := letter.Parse(r.move.Where)
		if err != nil {
			return false, fmt.Errorf("%w: %w", errFinal, err)
		}
		r.chosen, r.move.Looked = &chosen{f, map[int32]int64{}, map[int32]int64{}}, 0
	}
	for _, p := range q.parts() {
		end, known := r.chosen.end[p.Index]
		if !known {
			c, err := r.s.contents(ctx, q, p, 0, 1)
			if err != nil {
				return false, err
			}
			end = c.Bound
			r.chosen.end[p.Index] = end
		}
		if r.chosen.next[p.Index] < end {
			return false, r.step(ctx, q, p, end)
		}
	}
	return true, nil
}

// step looks at some messages of a partition and moves those that are wanted.
func (r *moving) step(ctx context.Context, q *opened, p queues.Part, end int64) error {
	began, most, rate := time.Now(), mostMoved, int(r.move.RatePerSecond)
	if rate > 0 {
		most = min(most, max(1, rate/4))
	}
	found, next, looked, err := r.find(ctx, q, p, end, most)
	if err != nil {
		return err
	}
	moved, err := r.carry(ctx, q, p, found)
	if err != nil {
		return err
	}
	r.chosen.next[p.Index] = next
	r.move.Looked += int64(looked)
	if n := len(moved); rate > 0 && n > 0 {
		sleep(ctx, time.Duration(n)*time.Second/time.Duration(rate)-time.Since(began))
	}
	return nil
}

// find looks at messages until there are enough that are wanted.
func (r *moving) find(ctx context.Context, q *opened, p queues.Part, end int64, most int) (found []*kgo.Record, next int64, looked int, err error) {
	next = end
	now, bytes := r.s.o.Now(), 0
	err = r.s.walk(ctx, q, p, r.chosen.next[p.Index], func(x *kgo.Record, u *share.Undone) (bool, error) {
		if x.Offset >= end {
			return false, nil
		}
		looked++
		if c, _ := conditionOf(u); (c == Free || c == Behind) && r.chosen.filter.Takes(letter.Read(x), now) {
			found = append(found, x)
			bytes += len(x.Key) + len(x.Value)
		}
		if len(found) == most || looked == mostLooked || bytes >= takeBytes {
			next = x.Offset + 1
			return false, nil
		}
		return true, nil
	})
	return found, next, looked, err
}

// carry moves messages of one partition, those of them that nobody has: holds them,
// writes them and the progress in one transaction, acknowledges them. It gives the
// records that were written.
func (r *moving) carry(ctx context.Context, q *opened, p queues.Part, found []*kgo.Record) ([]*kgo.Record, error) {
	if len(found) == 0 {
		return nil, nil
	}
	of, wanted := map[int64]*kgo.Record{}, []int64(nil)
	for _, x := range found {
		of[x.Offset], wanted = x, append(wanted, x.Offset)
	}
	held, err := r.s.o.Leases.Hold(ctx, p, wanted, queues.Want{LockMs: lockMovedMs, Holder: r.holder})
	if errors.Is(err, wire.InvalidRequest) {
		return nil, fmt.Errorf("%w: %w", errFinal, err)
	}
	if err != nil {
		return nil, err
	}
	b := batch{words: acceptAll(&held)}
	for i := range b.words {
		offset := b.words[i].Offset
		if x := of[offset]; x != nil && !r.done[p.Index][offset] {
			r.put(ctx, &b, q, p, offset, plain(x))
		}
	}
	return b.records, r.finish(ctx, q, p, &b)
}
