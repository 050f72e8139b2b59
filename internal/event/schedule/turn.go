package schedule

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"ottla/internal/event/object"
)

// turn looks at the schedules that were marked: it decides, writes what it
// decided, and then does what follows from it.
func (r *runner) turn(ctx context.Context, helpers *sync.WaitGroup) error {
	marked, results := r.take()
	var plans []*plan
	nowMs := r.s.nowMs()
	looking, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	r.looking = looking
	for _, key := range slices.Sorted(maps.Keys(marked)) {
		if marked[key] {
			delete(r.wakes, key)
		}
		if p := r.plan(key, results[key], nowMs); p != nil {
			plans = append(plans, p)
		}
	}
	if err := r.commit(ctx, plans); err != nil {
		return err
	}
	var again []string
	for _, p := range plans {
		p.count(&r.s.count)
		p.tell(r.s.o.Logger)
		r.queued = append(r.queued, p.calls...)
		if p.more || p.rest.WakeMs > 0 && p.rest.WakeMs <= nowMs {
			again = append(again, p.key)
		}
	}
	r.launch(ctx, helpers)
	if failed := r.wake(ctx, plans, nowMs); len(failed) > 0 {
		r.later(ctx, helpers, failed)
		r.answer(errNoTimer) // what comes next is known to nobody
	}
	r.leave(ctx, helpers, plans)
	if len(again) > 0 {
		r.mark(again...)
	}
	r.settled()
	return nil
}

// take takes up what a turn is about: some of the marked schedules, and the calls
// that are over, by schedule.
func (r *runner) take() (marked map[string]bool, results map[string][]ended) {
	r.mu.Lock()
	defer r.mu.Unlock()
	marked, results = map[string]bool{}, map[string][]ended{}
	for _, e := range r.ended {
		r.flying--
		if r.flyingTo[e.place]--; r.flyingTo[e.place] == 0 {
			delete(r.flyingTo, e.place)
		}
		results[e.key] = append(results[e.key], e)
		marked[e.key] = r.marked[e.key]
		delete(r.marked, e.key)
	}
	r.ended = nil
	for _, f := range r.done {
		delete(r.leaving, f.key)
	}
	r.done = nil
	for key, woken := range r.marked {
		if len(marked) >= mostKeys {
			r.ring()
			break
		}
		marked[key] = woken
		delete(r.marked, key)
	}
	return marked, results
}

// finished is a schedule that was to be deleted.
type finished struct{ key string }

// leave deletes schedules that have no run any more, beside the turns: who keeps
// definitions may be out of reach.
func (r *runner) leave(ctx context.Context, helpers *sync.WaitGroup, plans []*plan) {
	var all []*plan
	for _, p := range plans {
		if p.def != nil && p.rest.Over && p.def.DeleteAfter && !r.leaving[p.key] {
			r.leaving[p.key] = true
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return
	}
	helpers.Go(func() {
		for _, p := range all {
			gone := r.finish(ctx, p)
			r.mu.Lock()
			r.done = append(r.done, finished{p.key})
			r.mu.Unlock()
			r.ring()
			if !gone {
				r.later(ctx, helpers, []string{p.key})
			}
		}
	})
}

// finish deletes a schedule that has no run any more, unless it was changed
// meanwhile; false when that has to be tried again.
func (r *runner) finish(ctx context.Context, p *plan) bool {
	err := r.s.o.Objects.DeleteOnce(ctx, p.def.Full(), p.def.Version, madeToken(p.def.MadeBy))
	switch {
	case err == nil:
		r.s.o.Logger.Info("a schedule is complete and was deleted", "schedule", p.def.Full().Name)
		return true
	case errors.Is(err, object.ErrNotFound), errors.Is(err, object.ErrConflict):
		return true // its news bring another turn
	}
	r.s.o.Logger.Warn("a schedule that is complete is not deleted yet", "schedule", p.def.Full().Name, "err", err)
	return false
}
