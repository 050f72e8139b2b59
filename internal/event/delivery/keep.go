package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
)

const (
	// keepEvery is how often what changed is written at most, and keepMost how much
	// is written sooner: a transaction costs a sync, and what is not written yet is
	// done again after a crash.
	keepEvery = 50 * time.Millisecond
	keepMost  = 500
	// mostGathered bounds what is called while what came of other calls is being
	// written: it is called again if that fails.
	mostGathered = 1000
	// letterAgainMs is when a dead letter is tried again that could not be written, and
	// mostLetterAgainMs when at the latest: what is written to its queue's topic alone
	// may hold all targets for writeTimeout.
	letterAgainMs     = 30_000
	mostLetterAgainMs = 600_000
	// fewBytes is what goes to one queue without a pause: its topic may take no larger
	// batches.
	fewBytes = 48 << 10
)

// unwritten tells whether there is something to be written.
func (r *runner) unwritten() bool {
	if r.at != r.atKept || len(r.letters) > 0 || len(r.attempts) > 0 || len(r.stale) > 0 {
		return true
	}
	for key := range r.dirty {
		if ln := r.lanes[key]; ln != nil && (ln.kept || !ln.Empty()) {
			return true
		}
	}
	return false
}

// keep begins to write what changed, if it is time. One transaction is under way at
// once; meanwhile calls go on, and what comes of them is of the next.
func (r *runner) keep(ctx context.Context, helpers *sync.WaitGroup) error {
	r.commitAt = time.Time{}
	if r.writing != nil {
		return nil
	}
	if !r.unwritten() {
		r.idle()
		return nil
	}
	if len(r.letters)+len(r.attempts) < keepMost && time.Now().Before(r.committed.Add(keepEvery)) && !r.asked() {
		r.commitAt = r.committed.Add(keepEvery)
		return nil
	}
	w, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	r.writing = w
	client, done := r.client, r.writes
	helpers.Go(func() {
		refused, err := w.do(ctx, client)
		done <- wrote{refused, err} // it has room
	})
	return nil
}

// prepare gathers what is to be written. What it has is the transaction's from then on.
func (r *runner) prepare(ctx context.Context) (*writing, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	w := &writing{gone: map[string]bool{}}
	for {
		var refused refusals
		if w.records, refused = r.letterRecords(ctx); len(refused) == 0 {
			break
		}
		r.giveBack(refused) // which changes lanes
	}
	var err error
	if w.states, err = r.states(w.gone); err != nil {
		return nil, err
	}
	w.at, w.letters, w.attempts, w.dirty = r.at, r.letters, r.attempts, r.dirty
	r.letters, r.attempts, r.dirty, r.stale = nil, nil, map[string]bool{}, map[string]bool{}
	return w, nil
}

// written takes up what came of a transaction.
func (r *runner) written(o wrote) error {
	w := r.writing
	r.writing = nil
	for key := range r.starved { // there is room again
		r.heatUp(key)
	}
	clear(r.starved)
	switch {
	case o.err != nil:
		return o.err
	case len(o.refused) > 0:
		r.takeBack(w)
		r.giveBack(o.refused)
		r.committed = time.Time{} // what is left is written at once
		return nil
	}
	r.committed = time.Now()
	r.atKept = w.at
	for _, l := range w.letters {
		r.told(l)
		delete(r.ill, l.endpoint.DeadLetters)
	}
	for key := range w.gone {
		if ln := r.lanes[key]; ln != nil {
			ln.kept = false
		}
	}
	for key := range w.dirty {
		if !r.dirty[key] { // else it has changed again
			r.release(key)
		}
	}
	return nil
}

// takeBack has all of a transaction written again of which nothing is: what it had comes
// before what has gathered since, and its letters keep their places.
func (r *runner) takeBack(w *writing) {
	r.letters = append(w.letters, r.letters...)
	r.attempts = append(w.attempts, r.attempts...)
	for key := range w.dirty {
		r.dirty[key] = true
	}
	for key := range w.gone { // what is kept of it is there still
		if ln := r.lanes[key]; ln != nil {
			ln.kept = true
			r.dirty[key] = true
		} else {
			r.stale[key] = true
		}
	}
}

// idle lets go of targets when all is written.
func (r *runner) idle() {
	if len(r.dirty) == 0 {
		return
	}
	dirty := r.dirty
	r.dirty = map[string]bool{}
	for key := range dirty {
		r.release(key)
	}
}

// release lets go of a target of which nothing need be known.
func (r *runner) release(key string) {
	ln := r.lanes[key]
	if ln == nil || !ln.Empty() || ln.kept || ln.Flying() > 0 || !ln.Breaker.Calm() || ln.HoldMs > r.s.nowMs() || ln.lim.Rate != 0 {
		return
	}
	if r.heat[key] {
		r.dirty[key] = true // it is looked at first
		return
	}
	r.forget(ln)
}

// mayCall is how many calls may begin. While what came of others is being written, only as
// many as may be made again if that fails.
func (r *runner) mayCall() int {
	room := mostFlying - r.flying
	if r.writing != nil {
		room = min(room, mostGathered-len(r.attempts)-r.flying)
	}
	return room
}

// mayRead tells whether payloads may be taken up. While a transaction is under way what
// is given up is held beside those.
func (r *runner) mayRead() bool { return r.writing == nil || len(r.letters) == 0 }

// states are the records of what changed. They tell gone of which targets nothing is
// kept then, and lanes of which something is.
func (r *runner) states(gone map[string]bool) ([]*kgo.Record, error) {
	var out []*kgo.Record
	now := r.s.o.Now()
	add := func(key string, value any) error {
		rec := &kgo.Record{Topic: StateTopic, Partition: r.partition, Key: []byte(key), Timestamp: now}
		if value != nil {
			b, err := json.Marshal(value)
			if err != nil {
				return fmt.Errorf("write what is known of %s: %w", key, err)
			}
			rec.Value = b
		}
		out = append(out, rec)
		return nil
	}
	if r.at != r.atKept {
		if err := add(cursorKey, cursor{r.at}); err != nil {
			return nil, err
		}
	}
	for key := range r.stale {
		if r.lanes[key] == nil {
			gone[key] = true
		}
	}
	for key := range r.dirty {
		ln := r.lanes[key]
		switch {
		case ln == nil:
		case !ln.Empty():
			if err := add(key, ln.State()); err != nil {
				return nil, err
			}
			ln.kept = true
		case ln.kept || r.stale[key]:
			gone[key] = true
		}
	}
	for key := range gone {
		_ = add(key, nil) // nothing of it can fail
	}
	return out, nil
}

// illness is since when dead letters of a queue cannot be written.
type illness struct {
	untilMs int64 // they are tried again then
	waitMs  int64
}

// errIll says that dead letters of a queue could not be written a moment ago.
var errIll = errors.New("others could not be written a moment ago")

// sicken notes of the queues of what was refused when they are tried again.
func (r *runner) sicken(refused refusals, nowMs int64) {
	for i, l := range r.letters {
		queue := l.endpoint.DeadLetters
		known := r.ill[queue]
		if err := refused[i]; err == nil || hopeless(err) || known.untilMs > nowMs {
			continue
		}
		wait := min(max(2*known.waitMs, letterAgainMs), mostLetterAgainMs)
		r.ill[queue] = illness{nowMs + wait, wait}
	}
}

// giveBack puts dead letters off that could not be written, and drops those that never
// can be.
func (r *runner) giveBack(refused refusals) {
	nowMs := r.s.nowMs()
	r.sicken(refused, nowMs)
	var left []lost
	for i, l := range r.letters {
		err := refused[i]
		switch {
		case err == nil:
			left = append(left, l)
		case l.shorten(err): // it is written with the others
			left = append(left, l)
		case hopeless(err):
			l.err = err
			left = append(left, l)
		default:
			r.s.o.Logger.Warn("a dead letter cannot be written at the moment; it is tried again", "target", l.lane.key, "queue", l.endpoint.DeadLetters.Name, "err", err)
			if r.lanes[l.lane.key] == l.lane {
				l.lane.Keep(l.Letter, r.ill[l.endpoint.DeadLetters].untilMs)
				l.lane.Load(l.Offset, false)
				r.touch(l.lane)
			}
		}
	}
	r.letters = left
}

// hopeless tells that a dead letter will never be taken.
func hopeless(err error) bool {
	for _, final := range []error{kerr.MessageTooLarge, kerr.InvalidRecord, kerr.InvalidTopicException, queue.ErrInvalid, queue.ErrTooLarge, queue.ErrNotFound} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}
