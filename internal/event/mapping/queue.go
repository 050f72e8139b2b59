package mapping

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/event/outbound"
	"ottla/internal/event/queue"
)

const (
	// mostBytes is what a call has of bodies and values, but for the last one: Lambda's
	// bound is 6 MB of JSON.
	mostBytes = 3 << 20
	// leaseMs is how long messages are leased at least, behind the window; they are leased
	// again when no more than leaseLeft of that is left and their call is still under way.
	// What a node had that was killed is free when its lease is over.
	leaseMs   = 30_000
	leaseLeft = 20 * time.Second
	// leaseAgain is when leasing is tried again that failed.
	leaseAgain = 2 * time.Second
	// saidWithin is how long it may take to say what came of a call, and lastWords that
	// when the runner has stopped.
	saidWithin = 30 * time.Second
	lastWords  = 5 * time.Second
	// fewFailures of calls in a row cost no pause: the messages themselves come back
	// later.
	fewFailures = 2
)

// taken are the messages of one call.
type taken struct {
	messages []queue.Taken
	at       time.Time
	leasedMs int64 // from then on
	// visibilityMs is how long the queue says that they are hidden, which may be less
	// than they are leased for.
	visibilityMs int64
}

// takeQueue takes messages as long as the runner lives.
func (r *runner) takeQueue() {
	of, _ := r.m.Queue()
	seats := make(chan struct{}, r.atOnce())
	var calling sync.WaitGroup
	defer calling.Wait()
	var failed atomic.Int64 // calls in a row
	only := &sieve{only: r.only}
	gathering := &task{s: r.s}
	defer gathering.idle()
	for failures := 0; ; {
		select {
		case seats <- struct{}{}:
		case <-r.ctx.Done():
			return
		}
		if n := int(failed.Load()); n > fewFailures && !r.rest(n-fewFailures) {
			return
		}
		batch, err := r.gather(of, only, gathering)
		if r.ctx.Err() != nil && (batch == nil || len(batch.messages) == 0) {
			return
		}
		if err != nil {
			r.trouble("messages cannot be taken at the moment", err)
			failures++
			if !r.rest(failures) {
				return
			}
		} else {
			failures = 0
		}
		if err != nil || len(batch.messages) == 0 {
			<-seats
			continue
		}
		call := &task{s: r.s}
		call.busy()
		gathering.idle()
		calling.Go(func() {
			defer func() { <-seats }()
			defer call.idle()
			if r.deliver(of, batch) {
				failed.Store(0)
			} else {
				failed.Add(1)
			}
		})
	}
}

// atOnce is how many calls are under way at most: what would only wait for the function
// stays in the queue.
func (r *runner) atOnce() int {
	return max(1, min(r.m.Concurrency, r.s.o.Functions.Seats(r.m.Function)))
}

// gather takes messages for one call: as many as are there, and with a window those
// that come within it.
func (r *runner) gather(of queue.Ref, only *sieve, t *task) (*taken, error) {
	q, err := r.s.o.Queues.Get(r.ctx, of)
	if err != nil {
		return nil, err
	}
	o := queue.TakeOptions{
		Max: min(r.m.Batch, queue.MostTaken), WaitMs: queue.MaxWaitMs, VisibilityMs: max(q.VisibilityMs, r.m.WindowMs+leaseMs),
	}
	first, err := r.s.o.Queues.Take(r.ctx, of, o)
	b := &taken{at: time.Now(), leasedMs: o.VisibilityMs, visibilityMs: q.VisibilityMs}
	b.messages = r.sift(of, only, first)
	if len(b.messages) == 0 {
		return b, err
	}
	since, window := r.s.moment(), time.Duration(r.m.WindowMs)*time.Millisecond
	t.waiting(since, window, r.m.WindowMs > 0)
	for r.ctx.Err() == nil && b.bytes() < mostBytes && len(b.messages) < r.m.Batch {
		turn := r.s.board.now()
		o.Max, o.WaitMs = min(r.m.Batch-len(b.messages), queue.MostTaken), min(queue.MaxWaitMs, r.s.left(since, window).Milliseconds())
		if o.WaitMs <= 0 || r.s.past(since, window) {
			break
		}
		waiting, end := within(r.ctx, turn)
		more, err := r.s.o.Queues.Take(waiting, of, o)
		end()
		if b.messages = append(b.messages, r.sift(of, only, more)...); err != nil && !r.rest(1) {
			break
		}
	}
	return b, nil
}

func (b *taken) bytes() int {
	n := 0
	for i := range b.messages {
		n += len(b.messages[i].Body)
		for called, a := range b.messages[i].Attributes {
			n += len(called) + len(a.Value)
		}
	}
	return n
}

// deliver has the function take messages, and says of each what came of it; it tells
// whether the function is well: it took all, or says itself which of them it did not.
func (r *runner) deliver(of queue.Ref, b *taken) bool {
	event, err := sqsEvent(of, b.messages)
	if err != nil { // there is nothing in it that JSON has not
		r.trouble("messages cannot be written as an event", err)
		return false
	}
	r.s.count.taken.Add(len(b.messages))
	release := r.hold(of, b)
	a := r.call(r.ctx, event)
	release()
	failed, err := r.failedOf(a, b)
	if err != nil {
		r.s.count.failed.Inc()
		r.trouble("the function failed, and gets the messages again", err)
	} else {
		r.tell("")
	}
	ctx, cancel := r.afterwards()
	defer cancel()
	var acks []string
	var nacks []queue.Nack
	for i := range b.messages {
		m := &b.messages[i]
		if !failed[m.ID] {
			acks = append(acks, m.Receipt)
			continue
		}
		hidden := max(0, b.visibilityMs-time.Since(b.at).Milliseconds())
		if r.calls.Err() != nil || errors.Is(a.Err, errNotCalled) {
			hidden = 0 // whoever goes on has it at once
		}
		nacks = append(nacks, queue.Nack{Receipt: m.Receipt, DelayMs: hidden, Unseen: errors.Is(a.Err, errNotCalled)})
	}
	if len(acks) > 0 {
		r.told("messages that the function took cannot be deleted, and come again", r.s.o.Queues.Ack(ctx, of, acks))
	}
	if len(nacks) > 0 {
		r.told("messages that the function did not take cannot be given back, and come again later", r.s.o.Queues.Nack(ctx, of, nacks))
	}
	return len(failed) == 0 || errors.Is(err, errReported) && len(failed) < len(b.messages)
}

// hold keeps messages leased, until what it returns is called.
func (r *runner) hold(of queue.Ref, b *taken) (release func()) {
	ctx, cancel := context.WithCancel(r.calls)
	var holding sync.WaitGroup
	holding.Go(func() {
		until := b.at.Add(time.Duration(b.leasedMs) * time.Millisecond)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(max(leaseAgain, time.Until(until)-leaseLeft)):
			}
			all := make([]queue.Extension, len(b.messages))
			for i := range b.messages {
				all[i] = queue.Extension{Receipt: b.messages[i].Receipt, ForMs: leaseMs}
			}
			begun := time.Now()
			err := errors.Join(r.s.o.Queues.Extend(ctx, of, all)...)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				until = begun.Add(leaseMs * time.Millisecond)
				continue
			}
			r.s.o.Logger.Warn("messages that a function has cannot be held, and may come again meanwhile", "mapping", r.m.Ref.Name, "source", r.m.Source, "err", err)
		}
	})
	return func() {
		cancel()
		holding.Wait()
	}
}

// failedOf are the ids of the messages that a call did not have taken, and why.
func (r *runner) failedOf(a outbound.Answer, b *taken) (map[string]bool, error) {
	ids := make([]string, len(b.messages))
	all := map[string]bool{}
	for i := range b.messages {
		ids[i] = b.messages[i].ID
		all[ids[i]] = true
	}
	if a.Judge() != outbound.Delivered {
		return all, errors.New(a.Why())
	}
	if !r.m.ReportFailures {
		return nil, nil
	}
	failed, err := failedMessages(a.Body, ids)
	if err != nil {
		return all, err
	}
	if len(failed) > 0 {
		return failed, errReported
	}
	return nil, nil
}

// errReported says that a function took a batch in part.
var errReported = errors.New("the function reported some of the batch as failed")

// told logs what could not be said of messages.
func (r *runner) told(what string, errs []error) {
	if err := errors.Join(errs...); err != nil {
		r.s.o.Logger.Warn(what, "mapping", r.m.Ref.Name, "source", r.m.Source, "err", err)
	}
}
