package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ottla/internal/kafka/queues"
	"ottla/internal/record"
	"ottla/internal/share"
	"ottla/internal/wire"
)

const (
	// takeBytes bounds what is read of the log for a Take.
	takeBytes = 4 << 20
	// patience is how long a Take that does not wait is kept until partitions
	// have leaders, and their states are loaded.
	patience = 10 * time.Second
	// pause is between two looks at partitions that have none.
	pause = 20 * time.Millisecond
	// returnWithin is how long it may take to give back what nobody waits for any more.
	returnWithin = 500 * time.Millisecond
)

// Take takes messages, and waits for some if it is told to; none and no error
// means that there were none. Nobody else gets what was taken before the
// visibility is over. When ctx was cancelled there is nobody to have it: what was taken
// by then is given back, and counts as never taken.
func (s *Service) Take(ctx context.Context, ref Ref, o TakeOptions) ([]Taken, error) {
	q, err := s.open(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := o.fill(q); err != nil {
		return nil, err
	}
	if again := s.attempts.find(q, &o, s.nowMs()); again != nil {
		if ok := s.renew(ctx, q, again, o.VisibilityMs); ok {
			return again, nil
		}
	}
	got, err := s.wait(ctx, q, &o)
	if len(got) > 0 && errors.Is(ctx.Err(), context.Canceled) {
		s.unTake(ctx, q, got)
		return nil, nil
	}
	s.counts.taken.Of(q.Name).Add(len(got))
	s.attempts.note(q, &o, got, s.nowMs())
	return got, err
}

// unTake gives back what was taken for somebody who has gone.
func (s *Service) unTake(ctx context.Context, q *opened, got []Taken) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnWithin)
	defer cancel()
	back := make([]Nack, len(got))
	for i := range got {
		back[i] = Nack{Receipt: got[i].Receipt, Unseen: true}
	}
	if err := errors.Join(s.Nack(ctx, q.Ref, back)...); err != nil {
		s.o.Logger.Debug("messages that nobody waited for any more come back when their time is over", "queue", q.Name, "err", err)
	}
}

// fill gives the options what the queue says, and checks them.
func (o *TakeOptions) fill(q *opened) error {
	o.Max = max(o.Max, 1)
	if o.WaitMs < 0 {
		o.WaitMs = q.WaitMs
	}
	if o.VisibilityMs < 0 {
		o.VisibilityMs = q.VisibilityMs
	}
	for _, b := range []bound{
		{"the number of messages", int64(o.Max), 1, MostTaken}, {"the wait in ms", o.WaitMs, 0, MaxWaitMs},
		{"the visibility timeout in ms", o.VisibilityMs, 0, MaxVisibilityMs},
	} {
		if err := b.check(); err != nil {
			return err
		}
	}
	if o.AttemptID != "" && !q.FIFO {
		return invalidf("receive request attempt ids are of FIFO queues")
	}
	return nil
}

// wait takes until there is something, or the time is over.
func (s *Service) wait(ctx context.Context, q *opened, o *TakeOptions) ([]Taken, error) {
	got, err := s.takeNow(ctx, q, o)
	if len(got) > 0 || err == nil && o.WaitMs == 0 {
		return got, nil
	}
	begun := time.Now()
	waiting, cancel := context.WithTimeout(ctx, time.Duration(o.WaitMs)*time.Millisecond)
	defer cancel()
	for ; ; got, err = s.takeNow(ctx, q, o) {
		switch {
		case len(got) > 0 || ctx.Err() != nil:
			return got, nil
		case err != nil && !passing(err):
			return nil, takeError(q, err)
		case err != nil && waiting.Err() != nil && time.Since(begun) > patience:
			return nil, takeError(q, err)
		case err != nil:
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		case waiting.Err() != nil:
			return nil, nil
		default:
			s.o.Leases.Watch(waiting, q.parts())
		}
	}
}

// passing tells of an error of a partition that it is due to a move of leaders
// or states, which passes.
func passing(err error) bool {
	switch wire.CodeOf(err) {
	case wire.NotLeaderOrFollower, wire.LeaderNotAvailable, wire.CoordinatorLoadInProgress, wire.CoordinatorNotAvailable, wire.NotCoordinator,
		wire.NetworkException, wire.FencedLeaderEpoch, wire.UnknownLeaderEpoch, wire.NotEnoughReplicas, wire.OffsetNotAvailable, wire.FencedStateEpoch:
		return true
	}
	return false
}

func takeError(q *opened, err error) error {
	return fmt.Errorf("take from %s: %w: %w", q.Full(), ErrUnavailable, err)
}

// takeNow takes what is free at the moment: from partitions of this node first,
// each time from another. The error is that of a partition, where nothing was
// taken.
func (s *Service) takeNow(ctx context.Context, q *opened, o *TakeOptions) (out []Taken, failed error) {
	parts := q.parts()
	turn := int(s.turn.Add(1))
	for _, near := range []bool{true, false} {
		for i := range parts {
			p := parts[(i+turn)%len(parts)]
			if len(out) >= o.Max || s.o.Leases.Near(p) != near {
				continue
			}
			got, err := s.takeFrom(ctx, q, p, o.Max-len(out), o.VisibilityMs)
			if err != nil {
				failed = err
			}
			if out == nil {
				out = got
				continue
			}
			out = append(out, got...)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return nil, failed
}

// takeFrom takes from one partition. What retention should have taken, and
// offsets that have no record, are done with; when there was nothing else, it
// looks again.
func (s *Service) takeFrom(ctx context.Context, q *opened, p queues.Part, most int, visibilityMs int64) ([]Taken, error) {
	for {
		lock := visibilityMs
		if lock == 0 {
			lock = 1 // 0 would be the group's setting
		}
		l, err := s.o.Leases.Take(ctx, p, queues.Want{Max: most, MaxBytes: takeBytes, LockMs: lock, Holder: s.taker})
		if err != nil || len(l.Acquired) == 0 {
			return nil, err
		}
		out, done, err := s.read(q, p, &l)
		if len(done) > 0 {
			for _, lost := range s.o.Leases.Redeem(ctx, p, done) {
				if lost != nil && !errors.Is(lost, wire.InvalidRecordState) {
					s.o.Logger.Debug("messages that are gone come back once more", "queue", q.Name, "err", lost)
				}
			}
		}
		if err != nil || len(out) > 0 {
			return out, err
		}
	}
}

// read makes messages of what was leased, and says what is to be done with the
// rest of it.
func (s *Service) read(q *opened, p queues.Part, l *queues.Lease) (out []Taken, done []share.Word, err error) {
	now := s.nowMs()
	out = make([]Taken, 0, min(l.Count(), MostTaken))
	err = eachLeased(l, func(h *record.Header, r *record.Record, offset int64, count int16) {
		if r == nil {
			done = append(done, accept(l.Epoch, offset, count))
			return
		}
		at := r.TimeMs(h)
		if q.RetentionMs > 0 && now-at >= q.RetentionMs {
			done = append(done, accept(l.Epoch, offset, count))
			return
		}
		out = append(out, s.taken(q, p, l.Epoch, offset, count, r, at, now))
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s-%d: %w", q.Topic, p.Index, err)
	}
	return out, done, nil
}

func accept(epoch int32, offset int64, count int16) share.Word {
	return share.Word{Receipt: share.Receipt{Epoch: epoch, Offset: offset, Count: count}, Type: share.Accept}
}

// taken makes a message of a record.
func (s *Service) taken(q *opened, p queues.Part, epoch int32, offset int64, count int16, r *record.Record, atMs, nowMs int64) Taken {
	t := Taken{Count: int32(count), Partition: p.Index, Offset: offset}
	t.read(r, atMs)
	if t.ID == "" {
		t.ID = queues.MessageID(p.Topic, p.Index, offset)
	}
	if q.FIFO {
		t.Sequence = sequence(offset)
	}
	t.FirstTakenMs = s.firsts.note(firstKey{p.Topic, p.Index, offset}, count, nowMs)
	n := ticket{topic: p.Topic, partition: p.Index, Receipt: share.Receipt{Epoch: epoch, Offset: offset, Count: count}}
	t.Receipt = n.write(q.key, q.Group)
	return t
}

// leased are the offsets of a lease that no record was found for yet.
type leased struct {
	ranges []share.Range
	at     int   // the range at hand
	next   int64 // in it
	holes  []share.Range
}

func newLeased(l *queues.Lease) *leased {
	out := &leased{ranges: l.Acquired}
	if len(l.Acquired) > 0 {
		out.next = l.Acquired[0].First
	}
	return out
}

// overlaps tells whether any leased offset lies in a range.
func (l *leased) overlaps(first, last int64) bool {
	return l.at < len(l.ranges) && max(first, l.next) <= last && l.next <= last && l.ranges[len(l.ranges)-1].Last >= first
}

// take tells how often the record at an offset was delivered, if it is leased.
// Offsets come in order; those that are passed over have no record.
func (l *leased) take(offset int64) (int16, bool) {
	for l.at < len(l.ranges) {
		r := &l.ranges[l.at]
		switch {
		case offset < l.next:
			return 0, false
		case offset <= r.Last:
			if offset > l.next {
				l.holes = append(l.holes, share.Range{First: l.next, Last: offset - 1, Count: r.Count})
			}
			l.next = offset + 1
			count := r.Count
			if l.next > r.Last {
				l.step()
			}
			return count, true
		}
		l.holes = append(l.holes, share.Range{First: l.next, Last: r.Last, Count: r.Count})
		l.step()
	}
	return 0, false
}

func (l *leased) step() {
	if l.at++; l.at < len(l.ranges) {
		l.next = l.ranges[l.at].First
	}
}

// over tells that no offset is left.
func (l *leased) over() bool { return l.at == len(l.ranges) }

// rest goes through the offsets that had no record.
func (l *leased) rest(fn func(offset int64, count int16)) {
	for l.at < len(l.ranges) {
		r := &l.ranges[l.at]
		l.holes = append(l.holes, share.Range{First: l.next, Last: r.Last, Count: r.Count})
		l.step()
	}
	for _, h := range l.holes {
		for at := h.First; at <= h.Last; at++ {
			fn(at, h.Count)
		}
	}
}

// eachLeased goes through what was leased, in order; x is nil for offsets
// without a record. Records are views, good during the call.
func eachLeased(l *queues.Lease, fn func(h *record.Header, x *record.Record, offset int64, count int16)) error {
	counts := newLeased(l)
	for rest := l.Batches; len(rest) > 0; {
		h, batch, tail, err := record.Next(rest)
		if err != nil {
			return fmt.Errorf("read what was taken: %w", err)
		}
		rest = tail
		if h.Control() || !counts.overlaps(h.BaseOffset, h.LastOffset()) {
			continue
		}
		err = record.Walk(batch, 0, func(x *record.Record) bool {
			offset := h.BaseOffset + int64(x.OffsetDelta)
			if count, ok := counts.take(offset); ok {
				fn(&h, x, offset, count)
			}
			return !counts.over()
		})
		if err != nil {
			return fmt.Errorf("read what was taken: %w", err)
		}
	}
	counts.rest(func(offset int64, count int16) { fn(nil, nil, offset, count) })
	return nil
}
