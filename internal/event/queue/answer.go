package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ottla/internal/kafka/queues"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// Ack deletes messages that were taken, with an error or nil for each.
func (s *Service) Ack(ctx context.Context, ref Ref, receipts []string) []error {
	return s.answer(ctx, ref, len(receipts), func(q *opened, i int) (string, share.Word, error) {
		return receipts[i], share.Word{Type: share.Accept, Late: !q.FIFO}, nil
	})
}

// Reject makes dead letters of messages that were taken; without a dead-letter
// queue they are gone.
func (s *Service) Reject(ctx context.Context, ref Ref, receipts []string) []error {
	return s.answer(ctx, ref, len(receipts), func(q *opened, i int) (string, share.Word, error) {
		return receipts[i], share.Word{Type: share.Reject, Late: !q.FIFO}, nil
	})
}

// Nack gives messages back that were taken, at once or later. A wait of more
// than a minute is one in which the message counts as in flight.
func (s *Service) Nack(ctx context.Context, ref Ref, nacks []Nack) []error {
	return s.answer(ctx, ref, len(nacks), func(q *opened, i int) (string, share.Word, error) {
		n := nacks[i]
		if n.Unseen {
			return n.Receipt, share.Word{Type: share.Return, Holder: s.taker}, nil
		}
		if err := (bound{"the delay in ms", n.DelayMs, -1, MaxVisibilityMs}).check(); err != nil {
			return "", share.Word{}, err
		}
		if n.DelayMs > share.MaxRetryMs {
			return n.Receipt, share.Word{Type: share.Renew, ForMs: n.DelayMs, Late: !q.FIFO}, nil
		}
		return n.Receipt, share.Word{Type: share.Release, ForMs: n.DelayMs, Late: !q.FIFO}, nil
	})
}

// Extend holds messages longer that were taken, or gives them back at once.
func (s *Service) Extend(ctx context.Context, ref Ref, extensions []Extension) []error {
	return s.answer(ctx, ref, len(extensions), func(q *opened, i int) (string, share.Word, error) {
		x := extensions[i]
		if err := (bound{"the visibility timeout in ms", x.ForMs, 0, MaxVisibilityMs}).check(); err != nil {
			return "", share.Word{}, err
		}
		if x.ForMs == 0 {
			return x.Receipt, share.Word{Type: share.Release, Late: !q.FIFO}, nil
		}
		return x.Receipt, share.Word{Type: share.Renew, ForMs: x.ForMs, Late: !q.FIFO}, nil
	})
}

// say is what is to be done with the message of one of n receipts.
type say func(q *opened, i int) (receipt string, w share.Word, err error)

// answer carries out what is said of n messages.
func (s *Service) answer(ctx context.Context, ref Ref, n int, of say) []error {
	errs := make([]error, n)
	q, err := s.open(ctx, ref)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	var parts []answers
	for i := range n {
		receipt, w, err := of(q, i)
		var t ticket
		if err == nil {
			t, err = readReceipt(q.key, q.Group, receipt)
		}
		if err == nil && t.topic != q.topic.ID {
			err = fmt.Errorf("%w: the queue was made anew since", ErrStale)
		}
		if err != nil {
			errs[i] = err
			continue
		}
		w.Receipt = t.Receipt
		to := answersOf(&parts, t.part(q.Group), n)
		to.words, to.places = append(to.words, w), append(to.places, i)
	}
	for _, p := range parts {
		for k, err := range s.redeem(ctx, p.part, p.words) {
			if errs[p.places[k]] = answerError(q, err); err == nil {
				s.counts.of(p.words[k].Type).Of(q.Name).Inc()
			}
		}
	}
	return errs
}

// answers are what is said of messages of one partition.
type answers struct {
	part   queues.Part
	words  []share.Word
	places []int // of the messages, in what was asked
}

// answersOf finds those of a partition, with room for n when they are the first.
func answersOf(all *[]answers, p queues.Part, n int) *answers {
	i := slices.IndexFunc(*all, func(a answers) bool { return a.part == p })
	if i < 0 {
		i, *all = len(*all), append(*all, answers{part: p, words: make([]share.Word, 0, n), places: make([]int, 0, n)})
	}
	return &(*all)[i]
}

// answerWithin is how long a partition is tried whose leader moves.
const answerWithin = 5 * time.Second

// redeem says words of one partition, again where it was certainly not heard or
// where to hear it twice does no harm: a word that counts makes its receipt void. But
// what was returned has the same receipt when it is taken next.
func (s *Service) redeem(ctx context.Context, p queues.Part, words []share.Word) []error {
	out := s.o.Leases.Redeem(ctx, p, words)
	for begun := time.Now(); time.Since(begun) <= answerWithin; {
		var left []int
		var again []share.Word
		for i, err := range out {
			if err != nil && passing(err) && words[i].Type != share.Return {
				left, again = append(left, i), append(again, words[i])
			}
		}
		if len(left) == 0 {
			return out
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return out
		}
		for k, err := range s.o.Leases.Redeem(ctx, p, again) {
			out[left[k]] = err
		}
	}
	return out
}

func answerError(q *opened, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wire.InvalidRecordState):
		return fmt.Errorf("%w: %w", ErrStale, err)
	case errors.Is(err, wire.InvalidRequest):
		return invalidf("%w", err)
	}
	return fmt.Errorf("%s: %w: what was said may count or not: %w", q.Full(), ErrUnavailable, err)
}
