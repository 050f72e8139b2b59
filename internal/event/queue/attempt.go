package queue

import (
	"context"
	"slices"
	"sync"

	"ottla/internal/uuid"
)

// attemptWindowMs is how long a Take may be asked again by its attempt id.
const attemptWindowMs = 300_000

// maxAttempts and maxAttemptBytes bound what is remembered of them; beyond, the
// oldest are forgotten.
const (
	maxAttempts     = 10_000
	maxAttemptBytes = 64 << 20
)

// attempts remember what Takes with an attempt id got, at this node.
type attempts struct {
	mu    sync.Mutex // guards all below
	of    map[attemptKey]attempt
	order []attemptKey // of all, the oldest first
	bytes int          // of all
}

type attemptKey struct{ queue, id string }

type attempt struct {
	atMs int64
	size int // bytes
	got  []Taken
}

// attemptSize is about what an attempt costs in memory.
func attemptSize(k attemptKey, got []Taken) int {
	n := 256 + len(k.id)
	for i := range got {
		t := &got[i]
		n += 512 + t.size() + len(t.Group) + len(t.DedupID) + len(t.ID) + len(t.DeadLetterSource)
		for name, value := range t.System {
			n += len(name) + len(value)
		}
	}
	return n
}

// find gives what the same Take got before; nil when it got nothing, or too
// long ago.
func (a *attempts) find(q *opened, o *TakeOptions, nowMs int64) []Taken {
	if o.AttemptID == "" {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	was, ok := a.of[attemptKey{q.ID, o.AttemptID}]
	if !ok || nowMs-was.atMs >= attemptWindowMs {
		return nil
	}
	return slices.Clone(was.got)
}

// note remembers what a Take got.
func (a *attempts) note(q *opened, o *TakeOptions, got []Taken, nowMs int64) {
	if o.AttemptID == "" || len(got) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[attemptKey]attempt{}
	}
	k := attemptKey{q.ID, o.AttemptID}
	if _, ok := a.of[k]; ok {
		a.forget(slices.Index(a.order, k))
	}
	x := attempt{nowMs, attemptSize(k, got), slices.Clone(got)}
	a.of[k], a.order, a.bytes = x, append(a.order, k), a.bytes+x.size
	for len(a.order) > maxAttempts || a.bytes > maxAttemptBytes || len(a.order) > 0 && nowMs-a.of[a.order[0]].atMs >= attemptWindowMs {
		a.forget(0)
	}
}

// forget forgets one, by its place in order. mu held.
func (a *attempts) forget(i int) {
	k := a.order[i]
	a.bytes -= a.of[k].size
	delete(a.of, k)
	if i == 0 {
		a.order = a.order[1:] // what the front leaves goes when it grows
		return
	}
	a.order = slices.Delete(a.order, i, i+1)
}

// renew holds messages anew that were taken before; false when one of them is
// not out any more, or was done something with.
func (s *Service) renew(ctx context.Context, q *opened, got []Taken, visibilityMs int64) bool {
	receipts := make([]Extension, len(got))
	for i := range got {
		receipts[i] = Extension{Receipt: got[i].Receipt, ForMs: max(visibilityMs, 1)}
	}
	for _, err := range s.Extend(ctx, q.Ref, receipts) {
		if err != nil {
			return false
		}
	}
	return true
}

// maxFirsts bounds how many times of first deliveries are remembered: the youngest
// so many at least, twice as many at most.
const maxFirsts = 1 << 15

// firsts remember when messages were taken first, at this node: two generations,
// of which the older is forgotten at once.
type firsts struct {
	mu       sync.Mutex // guards both
	now, old map[firstKey]int64
}

type firstKey struct {
	topic     uuid.UUID
	partition int32
	offset    int64
}

// note tells when a message was taken first, now or as it is remembered; 0 when
// it is not.
func (f *firsts) note(k firstKey, count int16, nowMs int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if count > 1 {
		if at, ok := f.now[k]; ok {
			return at
		}
		return f.old[k]
	}
	if f.now == nil {
		f.now = map[firstKey]int64{}
	}
	f.now[k] = nowMs
	if len(f.now) >= maxFirsts {
		f.now, f.old = f.old, f.now
		clear(f.now)
	}
	return nowMs
}
