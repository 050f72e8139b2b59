package coordinator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// memLog is a log in memory that outlives leaderships.
type memLog struct {
	mu        sync.Mutex
	batches   [][]byte
	end, high int64
	waiters   []memWaiter
	epoch     int32 // of the leadership that may write
	most      int
	small     bool  // too few replicas in sync
	refuse    error // what the next appends say
	unread    error // what reads say
	writes    int
	trace     *strings.Builder
	auto      bool // commit at once
	file      []byte
	kept      int
	cleaned   bool // the log does not continue what was kept
}

type memWaiter struct {
	w   Waiter
	end int64
}

// memTail is its tail for one leadership.
type memTail struct {
	*memLog
	led int32
}

func (l *memLog) tail(epoch int32) *memTail {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epoch = epoch
	return &memTail{l, epoch}
}

func (t *memTail) LeaderEpoch() int32 { return t.led }

func (t *memTail) End() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end
}

func (t *memTail) MaxBatchBytes() int { return t.most }

func (t *memTail) Check() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.check()
}

func (t *memTail) check() error {
	switch {
	case t.led != t.epoch:
		return wire.FencedLeaderEpoch
	case t.small:
		return wire.NotEnoughReplicas
	}
	return nil
}

func (t *memTail) Append(batch []byte, _ *Txn) (base, end int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.check(); err != nil {
		return 0, 0, err
	}
	if t.refuse != nil {
		return 0, 0, t.refuse
	}
	if len(batch) > t.most {
		return 0, 0, wire.MessageTooLarge
	}
	b := slices.Clone(batch)
	record.SetBaseOffset(b, t.end)
	record.SetLeaderEpoch(b, t.led)
	h, err := record.ParseHeader(b)
	if err != nil || !record.VerifyCRC(b) {
		return 0, 0, fmt.Errorf("not a batch: %w", err)
	}
	t.batches = append(t.batches, b)
	base, t.end = t.end, h.NextOffset()
	t.writes++
	if t.trace != nil {
		fmt.Fprintf(t.trace, "  write %s\n", batchText(b))
	}
	if t.auto {
		t.high = t.end
	}
	return base, t.end, nil
}

func (t *memTail) Await(w Waiter, end int64) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.led != t.epoch {
		return false, wire.FencedLeaderEpoch
	}
	if t.high >= end {
		return true, nil
	}
	t.waiters = append(t.waiters, memWaiter{w, end})
	return false, nil
}

func (t *memTail) Replay(ctx context.Context, from, to int64, fn func([]byte) error) error {
	t.mu.Lock()
	if t.trace != nil && from > 0 {
		fmt.Fprintf(t.trace, "  replay from %d\n", from)
	}
	batches, err := slices.Clone(t.batches), t.unread
	t.mu.Unlock()
	if err != nil {
		return err
	}
	for _, b := range batches {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		h, err := record.ParseHeader(b)
		if err != nil {
			return err
		}
		if h.NextOffset() <= from || h.BaseOffset >= to {
			continue
		}
		if err := fn(b); err != nil {
			return err
		}
	}
	return nil
}

// commit moves the high watermark to the end, and tells those who wait.
func (l *memLog) commit() { l.settle(func() { l.high = l.end }, nil) }

// lose drops what is not committed, as another leader's truncation does, and
// tells those who wait.
func (l *memLog) lose(err error) {
	l.settle(func() {
		for len(l.batches) > 0 {
			h, _ := record.ParseHeader(l.batches[len(l.batches)-1])
			if h.BaseOffset < l.high {
				break
			}
			l.batches = l.batches[:len(l.batches)-1]
		}
		l.end = l.high
	}, err)
}

func (l *memLog) settle(change func(), err error) {
	l.mu.Lock()
	change()
	var told []Waiter
	l.waiters = slices.DeleteFunc(l.waiters, func(w memWaiter) bool {
		if err != nil || w.end <= l.high {
			told = append(told, w.w)
			return true
		}
		return false
	})
	l.mu.Unlock()
	for _, w := range told {
		w.Committed(err)
	}
}

// batchText tells a batch in a line.
func batchText(b []byte) string {
	h, _ := record.ParseHeader(b)
	var s strings.Builder
	fmt.Fprintf(&s, "%d-%d epoch %d:", h.BaseOffset, h.NextOffset(), h.LeaderEpoch)
	switch {
	case h.Control():
		commit, _, err := record.ParseEndTxnMarker(b)
		fmt.Fprintf(&s, " end of %d, commit %v %v", h.ProducerID, commit, err)
		return s.String()
	case h.Transactional():
		fmt.Fprintf(&s, " in txn of %d", h.ProducerID)
	}
	err := record.Walk(b, 0, func(r *record.Record) bool {
		v := string(r.Value)
		if r.Value == nil {
			v = "-"
		} else if len(v) > 20 {
			v = fmt.Sprintf("(%d bytes)", len(v))
		}
		fmt.Fprintf(&s, " %s=%s", r.Key, v)
		return true
	})
	if err != nil {
		fmt.Fprintf(&s, " %v", err)
	}
	return s.String()
}

func (t *memTail) Identity() string { return "toys/3" }

func (t *memTail) Keep(file []byte, _ int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.file = slices.Clone(file)
	t.kept++
	return nil
}

func (t *memTail) Kept(int) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.file, nil
}

func (t *memTail) Continues(int64, int32) bool { return !t.cleaned }
