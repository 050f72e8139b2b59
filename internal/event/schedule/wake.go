package schedule

import (
	"context"
	"errors"
	"sync"
	"time"

	"ottla/internal/timer"
)

// errNoTimer is what those hear who wait until a runner has nothing to do.
var errNoTimer = errors.New("a schedule has no timer for its next run yet; it is tried again")

// wakeWithin is how long a turn may wait for timers: others are due meanwhile.
const wakeWithin = 10 * time.Second

// wake sets the timers by which schedules are looked at again, and takes those
// away that are not needed. It returns the schedules for which that failed.
func (r *runner) wake(ctx context.Context, plans []*plan, nowMs int64) (failed []string) {
	var set []timer.Timer
	var cancel []string
	for _, p := range plans {
		at := p.rest.WakeMs
		if at <= nowMs {
			at = 0 // at once, or never
		}
		switch {
		case at == r.wakes[p.key]:
		case at == 0:
			cancel = append(cancel, p.key)
		default:
			set = append(set, timer.Timer{Key: p.key, DueMs: at, Topic: WakeTopic, Partition: r.partition, RecordKey: []byte(p.key)})
		}
	}
	ctx, done := context.WithTimeout(ctx, wakeWithin)
	defer done()
	if len(set) > 0 {
		for _, t := range set {
			delete(r.wakes, t.Key) // where setting fails nobody knows which one there is
		}
		for i, err := range r.s.o.Timers.Set(ctx, set) {
			if err == nil {
				r.wakes[set[i].Key] = set[i].DueMs
				continue
			}
			if len(failed) == 0 {
				r.s.o.Logger.Warn("a schedule has no timer yet; it is tried again", "schedule", set[i].Key, "err", err)
			}
			failed = append(failed, set[i].Key)
		}
	}
	for _, key := range cancel {
		delete(r.wakes, key)
	}
	if len(cancel) > 0 {
		// One that fires all the same does no harm: it only says "look".
		_ = r.s.o.Timers.Cancel(ctx, cancel)
	}
	return failed
}

// later marks schedules again after a moment.
func (r *runner) later(ctx context.Context, helpers *sync.WaitGroup, keys []string) {
	helpers.Go(func() {
		select {
		case <-ctx.Done():
		case <-time.After(restPause):
			r.mark(keys...)
		}
	})
}
