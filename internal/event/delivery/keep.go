package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/produce"
	"ottla/internal/event/queue"
)

const (
	// keepEvery is how often what changed is written at most, and keepMost how much
	// is written sooner: a transaction costs a sync, and what is not written yet is
	// done again after a crash.
	keepEvery = 50 * time.Millisecond
	keepMost  = 500
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

// keep writes what changed, if it is time.
func (r *runner) keep(ctx context.Context) error {
	if !r.unwritten() {
		r.rested()
		return nil
	}
	now := time.Now()
	if len(r.letters)+len(r.attempts) < keepMost && now.Before(r.committed.Add(keepEvery)) && !r.asked() {
		r.commitAt = r.committed.Add(keepEvery)
		return nil
	}
	for {
		refused, err := r.transaction(ctx)
		if err != nil {
			return err
		}
		if len(refused) == 0 {
			break
		}
		r.giveBack(refused)
	}
	r.written()
	r.committed = time.Now()
	return nil
}

// written takes up that all is written.
func (r *runner) written() {
	r.atKept = r.at
	for _, l := range r.letters {
		r.told(l)
	}
	for _, l := range r.letters {
		delete(r.ill, l.endpoint.DeadLetters)
	}
	r.letters, r.attempts = nil, nil
	clear(r.stale)
	for key := range r.dirty {
		if ln := r.lanes[key]; ln != nil {
			ln.kept = !ln.Empty()
		}
	}
	r.rested()
}

// rested lets go of targets of which nothing need be known.
func (r *runner) rested() {
	r.commitAt = time.Time{}
	nowMs := r.s.nowMs()
	for key := range r.dirty {
		ln := r.lanes[key]
		if ln != nil && !r.heat[key] && ln.Empty() && !ln.kept && ln.Flying() == 0 && ln.Breaker.Calm() && ln.HoldMs <= nowMs && ln.lim.Rate == 0 {
			r.forget(ln)
		}
	}
	clear(r.dirty)
}

// states are the records of what changed.
func (r *runner) states() ([]*kgo.Record, error) {
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
			_ = add(key, nil) // nothing of it can fail
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
		case ln.kept || r.stale[key]:
			_ = add(key, nil)
		}
	}
	return out, nil
}

// refusals are the dead letters that could not be written, by their places.
type refusals map[int]error

// transaction writes what changed, all of it or nothing. Letters that are refused are
// told, and then nothing is written. An error is one of ours: what is known is to be
// loaded anew.
func (r *runner) transaction(ctx context.Context) (refusals, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	own, err := r.states()
	if err != nil {
		return nil, err
	}
	letters, refused := r.letterRecords(ctx)
	if len(refused) > 0 {
		return refused, nil
	}
	own = append(own, r.attempts...)
	if err := r.client.BeginTransaction(); err != nil {
		return nil, fmt.Errorf("begin a transaction: %w", err)
	}
	var mu sync.Mutex // guards what promises write
	var ownErr error
	for _, rec := range own {
		produce.Within(ctx, r.client, writeTimeout, rec, func(_ *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			ownErr = errors.Join(ownErr, err)
		})
	}
	refused = refusals{}
	size := map[string]int{}
	for i, recs := range letters {
		for _, rec := range recs {
			n := len(rec.Value) + 1024
			if size[rec.Topic] += n; size[rec.Topic] > max(fewBytes, n) {
				if err := r.client.Flush(ctx); err != nil {
					return nil, fmt.Errorf("write dead letters: %w", err)
				}
				size[rec.Topic] = n
			}
			produce.Within(ctx, r.client, writeTimeout, rec, func(_ *kgo.Record, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					refused[i] = err
				}
			})
			own = append(own, rec)
		}
	}
	if err := r.client.Flush(ctx); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(refused) > 0 {
		if err := r.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
			return nil, fmt.Errorf("take back a transaction: %w", err)
		}
		r.client.PurgeTopicsFromProducing(renewed(letters, refused)...)
		return refused, nil
	}
	if ownErr != nil {
		return nil, fmt.Errorf("write to %s and %s: %w", StateTopic, AttemptsTopic, ownErr)
	}
	if err := commit.Commit(ctx, r.client, own...); err != nil {
		return nil, fmt.Errorf("end a transaction: %w", err)
	}
	return nil, nil
}

// renewed are topics that are others than the client takes them for: they were deleted
// and made again, which it does not find out by itself.
func renewed(letters map[int][]*kgo.Record, refused refusals) []string {
	var out []string
	for i, err := range refused {
		if !errors.Is(err, kerr.UnknownTopicID) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			continue
		}
		for _, rec := range letters[i] {
			if !slices.Contains(out, rec.Topic) {
				out = append(out, rec.Topic)
			}
		}
	}
	return out
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
