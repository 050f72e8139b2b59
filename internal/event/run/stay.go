package run

import (
	"context"
	"errors"
	"time"
)

// leaving is how often a target has left the pass, and when it did last.
type leaving struct {
	times int
	last  time.Time
}

const (
	// calmAfter is after how long a target is taken for well that once left the pass.
	calmAfter = 10 * time.Minute
	// mostStay is how long a target stays out of the pass at most, that can be written
	// to but leaves the pass again and again.
	mostStay = 5 * time.Minute
)

// stay is how long a target stays out: not at all at first, then longer and longer.
func (l leaving) stay() time.Duration {
	if l.times < 2 {
		return 0
	}
	return min(time.Second<<min(l.times-2, 16), mostStay)
}

// leaves counts that a target holds the pass up. mu held.
func (r *runner) leaves(key string) {
	l := r.left[key]
	if time.Since(l.last) > calmAfter {
		l.times = 0
	}
	r.left[key] = leaving{l.times + 1, time.Now()}
}

// late counts that a branch walks that was to come to the pass's cursor, and did not:
// whoever is that slow would hold the pass up again and again, and stays out.
func (r *runner) late(b *branch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.walking[b.n] == b {
		r.leaves(b.n.Target)
	}
}

// stay is for how long the target stays out of the pass from now on.
func (b *branch) stay() time.Duration {
	b.r.mu.Lock()
	defer b.r.mu.Unlock()
	l := b.r.left[b.n.Target]
	return l.stay() - time.Since(l.last)
}

// takeTurn takes a token to walk; false when there is none in time. Those who only stay
// out of the pass hear of whoever waits.
func (r *runner) takeTurn(ctx context.Context) bool {
	select {
	case r.turns <- struct{}{}:
		return true
	default:
	}
	r.queued.Add(1)
	defer r.queued.Add(-1)
	r.wakeAll()
	select {
	case r.turns <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// errStays says that a branch has nothing to do but to stay out of the pass, while
// others wait for a turn.
var errStays = errors.New("the target stays out of the pass")

// stayOut waits, without a turn, until there are events for the branch or it has stayed
// out for long enough.
func (b *branch) stayOut(ctx context.Context) {
	over := time.After(b.stay())
	for b.r.passAt.Load() <= b.state.At {
		select {
		case <-ctx.Done():
			return
		case <-b.poke:
			return // who settles hears that there is nothing to try
		case <-over:
			return
		case <-b.bell:
		}
	}
}
