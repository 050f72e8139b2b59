package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/plan"
)

// askAgainMs is when an endpoint is asked for again that could not be told.
const askAgainMs = 1_000

// currentTimeout bounds how long it may take to learn of all definitions.
const currentTimeout = 5 * time.Second

// heatUp has a target looked at in this turn or the next.
func (r *runner) heatUp(key string) {
	if !r.heat[key] {
		r.heat[key] = true
		r.hot = append(r.hot, key)
	}
}

// touch notes that a lane changed.
func (r *runner) touch(ln *lane) {
	r.dirty[ln.key] = true
	r.heatUp(ln.key)
}

// take takes records up that lie behind all that was read before.
func (r *runner) take(c chunk) {
	for _, rec := range c.records {
		if rec.Offset < r.at {
			continue
		}
		if ln := r.lanes[string(rec.Key)]; ln != nil && ln.Behind >= 0 {
			continue // it is read again
		}
		p, err := readParcel(rec)
		if err != nil {
			r.noParcel(rec, err)
			continue
		}
		ln := r.laneOf(p.target)
		if ln.Full() || !r.room(ln, p) {
			ln.Behind = p.offset
		} else {
			ln.Add(item(p))
			r.load(ln, p)
		}
		r.touch(ln)
	}
	r.at = max(r.at, c.at)
}

// noParcel tells of a record that is none, when it would have been taken up.
func (r *runner) noParcel(rec *kgo.Record, err error) {
	r.s.count.dropped.Inc()
	r.s.o.Logger.Error("a record is no delivery and is passed over", "topic", Topic, "partition", r.partition, "offset", rec.Offset, "err", err)
}

// collect takes up what others have brought: calls that are over, targets that are to
// be looked at, and the time.
func (r *runner) collect() {
	r.mu.Lock()
	over, marked, learned := r.ended, r.marked, r.known
	r.ended, r.marked, r.known = nil, nil, nil
	r.mu.Unlock()
	nowMs := r.s.nowMs()
	r.learn(learned, nowMs)
	for _, e := range over {
		r.flying--
		if r.busy[e.function]--; r.busy[e.function] <= 0 {
			delete(r.busy, e.function)
		}
		ln := e.lane
		if r.lanes[ln.key] != ln {
			continue // its target is no more
		}
		ln.Ended(e.call, e.result, ln.lim, nowMs)
		for _, offset := range e.call.Offsets {
			if ln.Find(offset) == nil {
				r.s.count.delivered.Inc()
				r.unload(ln, offset)
			}
		}
		r.attempts = append(r.attempts, e.attempts...)
		r.touch(ln)
	}
	if len(over)+len(learned) > 0 {
		for key := range r.starved {
			r.heatUp(key)
		}
		clear(r.starved)
	}
	for _, key := range marked {
		if r.lanes[key] != nil {
			r.heatUp(key)
		}
	}
	for _, key := range r.due.take(r.lanes, nowMs) {
		r.heatUp(key)
	}
}

// look decides for the targets that are hot, in the order in which they became so.
func (r *runner) look(ctx context.Context, helpers *sync.WaitGroup) {
	hot := r.hot
	r.hot = nil
	clear(r.heat)
	nowMs := r.s.nowMs()
	for _, key := range hot {
		if ln := r.lanes[key]; ln != nil {
			r.lookAt(ctx, helpers, ln, nowMs)
		}
	}
}

// known tells of a lane whether it is known what was defined of its target.
type known struct {
	lane *lane
	err  error
}

// inquire finds out whether a target is gone: it is when it still is where all is known
// that was defined anywhere. This node may hear of a target later than the one that put
// something down for it. Nobody else waits for that.
func (r *runner) inquire(ctx context.Context, helpers *sync.WaitGroup, ln *lane) {
	if ln.asking {
		return
	}
	ln.asking = true
	r.flying++ // Settle waits for it
	helpers.Go(func() {
		asked, cancel := context.WithTimeout(ctx, currentTimeout)
		defer cancel()
		err := r.s.o.Current(asked)
		r.mu.Lock()
		r.known = append(r.known, known{ln, err})
		r.mu.Unlock()
		r.ring()
	})
}

// learn takes up what came of inquiries.
func (r *runner) learn(all []known, nowMs int64) {
	for _, k := range all {
		r.flying--
		ln := k.lane
		ln.asking = false
		if r.lanes[ln.key] != ln {
			continue
		}
		if k.err != nil {
			r.s.o.Logger.Warn("whether there is such a target is not known at the moment; it is tried again", "target", ln.key, "err", k.err)
			r.due.set(ln, nowMs+askAgainMs)
			continue
		}
		ln.sure = true
		r.heatUp(ln.key)
	}
}

// roomFor is how many more calls of an endpoint there may be. Those of a function wait for
// one of its seats: there are no more of them than it has, so that one that hangs leaves
// room for others.
func (r *runner) roomFor(e *plan.Endpoint) int {
	room := r.mayCall()
	if e.Function == "" || r.s.o.Functions == nil {
		return room
	}
	seats := r.s.o.Functions.Seats(e.Function)
	if seats == 0 { // it is none: its calls fail at once
		return room
	}
	return min(room, min(seats, mostOfFunction)-r.busy[e.Function])
}

// lookAt decides for one target.
func (r *runner) lookAt(ctx context.Context, helpers *sync.WaitGroup, ln *lane, nowMs int64) {
	delete(r.wanting, ln.key)
	asked, cancel := context.WithTimeout(ctx, currentTimeout)
	e, err := r.s.o.Endpoints.Endpoint(asked, ln.key)
	cancel()
	sure := ln.sure || r.s.o.Current == nil
	ln.sure = false
	if errors.Is(err, plan.ErrGone) {
		if !sure {
			r.inquire(ctx, helpers, ln)
			return
		}
		r.s.o.Logger.Info("a target was removed; what waited for it is dropped", "target", ln.key, "deliveries", len(ln.Items))
		r.s.count.dropped.Add(len(ln.Items))
		r.forget(ln)
		return
	}
	if err != nil {
		r.s.o.Logger.Warn("a target is not known at the moment; it is tried again", "target", ln.key, "err", err)
		r.due.set(ln, nowMs+askAgainMs)
		return
	}
	ln.lim = limitsOf(ln.key, e)
	room := r.roomFor(e)
	calls, letters := ln.Step(ln.lim, nowMs, room)
	for _, c := range calls {
		r.launch(ctx, helpers, ln, e, c)
	}
	for _, l := range letters {
		r.letters = append(r.letters, lost{Letter: l, lane: ln, parcel: ln.loaded[l.Offset], endpoint: e})
		r.unload(ln, l.Offset)
		r.dirty[ln.key] = true
	}
	if len(calls) >= room {
		r.starved[ln.key] = true
	}
	for _, offset := range ln.Spare(nowMs, soonMs) {
		r.unload(ln, offset)
	}
	if w := ln.Wants(ln.lim, nowMs); w >= 0 && (!ln.crowded || ln.yields(w)) {
		r.wanting[ln.key] = true
	}
	r.due.set(ln, ln.Look(ln.lim, nowMs))
}
