package lead

import (
	"context"
	"errors"
	"sync"

	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// Survey counts the records of a share-partition that are not done. Records of
// open and aborted transactions are not counted where members do not see them.
type Survey struct {
	StateEpoch int32
	Waiting    int64 // can be given out
	InFlight   int64 // given out
	Delayed    int64 // wait for their time
	Dying      int64 // wait for their dead letters
	OldestMs   int64 // the time of the first of them; -1 without any
}

// surveyBytes is how much of the log is read at a time to count it.
const surveyBytes = 1 << 20

// tally is how many records members see in a range of the log that nobody has
// touched, counted before.
type tally struct {
	mu       sync.Mutex // guards all; held while the log is read
	log      *partition.Partition
	from, to int64
	records  int64
}

// Await returns when the part can be used, or with why it cannot.
func (p *Part) Await(ctx context.Context) error {
	for {
		var g Given
		p.mu.Lock()
		ok, err := p.serve()
		if g.Gen = p.gen; p.wake {
			g.Gen++
		}
		p.unlock()
		if ok || err != nil {
			return err
		}
		w := make(woken, 1)
		p.Watch(w, &g)
		select {
		case <-w:
		case <-ctx.Done():
			err = wire.Errorf(wire.RequestTimedOut, "the share-partition is being loaded: %w", ctx.Err())
		}
		p.Unwatch(w, &g)
		if err != nil {
			return err
		}
	}
}

// woken is told once.
type woken chan struct{}

// Wake implements Waiter.
func (w woken) Wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// Readable implements partition.FetchWaiter.
func (w woken) Readable(int) { w.Wake() }

// Survey counts; the part is loaded by then (Await), or it says why not.
func (p *Part) Survey() (Survey, error) {
	p.mu.Lock()
	ok, err := p.serve()
	if !ok {
		p.unlock()
		if err == nil {
			err = wire.CoordinatorLoadInProgress
		}
		return Survey{}, err
	}
	p.catchUp(p.nowMs())
	c := p.core.Census()
	log, set := p.log, p.set
	s := Survey{StateEpoch: p.state, Waiting: c.Back, InFlight: c.Locked, Delayed: c.Delayed, Dying: c.Dying, OldestMs: -1}
	p.unlock()
	for _, r := range c.Untouched {
		n, err := visible(log, &set, r.First, r.Last+1)
		if err != nil {
			return Survey{}, err
		}
		s.Waiting += n
	}
	n, err := p.tail.count(log, &set, c.End)
	if err != nil {
		return Survey{}, err
	}
	s.Waiting += n
	if s.Waiting+s.InFlight+s.Delayed+s.Dying > 0 {
		s.OldestMs, err = firstTime(log, &set, c.First)
	}
	return s, err
}

// bound is up to where members read.
func bound(log *partition.Partition, set *Settings) int64 {
	o := log.Offsets()
	if set.Isolation == partition.ReadCommitted {
		return o.LastStable
	}
	return o.HighWatermark
}

// count counts what members see from an offset on. Of what was counted before
// only the difference is read.
func (t *tally) count(log *partition.Partition, set *Settings, from int64) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	to := max(from, bound(log, set))
	if t.log != log || from < t.from || from > t.to || to < t.to {
		t.log, t.from, t.to, t.records = log, from, from, 0
	}
	gone, err := visible(log, set, t.from, from)
	if err != nil {
		return 0, err
	}
	come, err := visible(log, set, t.to, to)
	if err != nil {
		return 0, err
	}
	t.from, t.to, t.records = from, to, t.records-gone+come
	return t.records, nil
}

// visible counts the records of a range that members see.
func visible(log *partition.Partition, set *Settings, from, to int64) (int64, error) {
	total := int64(0)
	err := walkLog(log, set, from, to, func(r *reader, first, last int64) (bool, error) {
		h := &r.head
		if h.BaseOffset >= first && h.LastOffset() <= last || int64(h.Count) == h.LastOffset()-h.BaseOffset+1 {
			total += min(int64(h.Count), last-first+1)
			return true, nil
		}
		return true, r.records(func(h *record.Header, x *record.Record) bool {
			if at := h.BaseOffset + int64(x.OffsetDelta); at >= first && at <= last {
				total++
			}
			return true
		})
	})
	return total, err
}

// firstTime is the time of the first record from an offset on that members see,
// -1 when there is none.
func firstTime(log *partition.Partition, set *Settings, from int64) (int64, error) {
	at := int64(-1)
	err := walkLog(log, set, from, bound(log, set), func(r *reader, first, last int64) (bool, error) {
		err := r.records(func(h *record.Header, x *record.Record) bool {
			if o := h.BaseOffset + int64(x.OffsetDelta); o >= first && o <= last {
				at = x.TimeMs(h)
			}
			return at < 0
		})
		return at < 0, err
	})
	return at, err
}

// walkLog goes through the batches of a range that members see, each with the
// part of it that lies in the range, until each says that it is enough.
func walkLog(log *partition.Partition, set *Settings, from, to int64, each func(r *reader, first, last int64) (bool, error)) error {
	bare := *set
	bare.KeyOrdered, bare.Fair, bare.DedupMs = false, false, 0
	for from < to {
		var f partition.Fetched
		err := log.Fetch(&partition.FetchArgs{Offset: from, MaxBytes: surveyBytes, MinOne: true, Isolation: set.Isolation,
			CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
		if errors.Is(err, wire.OffsetOutOfRange) {
			if start := log.Offsets().LogStart; start > from {
				from = start
				continue
			}
			return nil
		}
		if err != nil || f.Slice.Len == 0 {
			return err
		}
		next, more, err := walkSlice(&f, &bare, from, to, each)
		f.Slice.Release()
		if err != nil || !more || next <= from {
			return err
		}
		from = next
	}
	return nil
}

func walkSlice(f *partition.Fetched, set *Settings, from, to int64, each func(r *reader, first, last int64) (bool, error)) (next int64, more bool, err error) {
	r := newReader(f, set)
	for from < to {
		b, _, ok, err := r.next()
		if err != nil || !ok {
			return from, true, err
		}
		first, last := max(b.First, from), min(b.Last, to-1)
		if first <= last && !b.Skip {
			if more, err := each(r, first, last); err != nil || !more {
				return from, false, err
			}
		}
		from = max(from, b.Last+1)
	}
	return from, true, nil
}

// records walks the batch at hand.
func (r *reader) records(fn func(*record.Header, *record.Record) bool) error {
	size := r.head.Size()
	whole, err := r.view(r.at-int64(size), size)
	if err != nil {
		return err
	}
	return record.Walk(whole, 0, func(x *record.Record) bool { return fn(&r.head, x) })
}

var _ Waiter = woken(nil)
