package schedule

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/schedule/course"
)

const (
	// mostKeys bounds the schedules of one turn, which is one transaction.
	mostKeys = 500
	// mostCalls bounds the calls that a runner has under way, and mostCallsTo those of
	// one place: a few places that do not answer hold up no others.
	mostCalls   = 128
	mostCallsTo = 16
	// lookWithin bounds what a turn asks about queues, all in all.
	lookWithin = 5 * time.Second
	// restPause is how long a runner rests that lost its place or its topics.
	restPause = 250 * time.Millisecond
	// mostFailures in a row are told to those who wait.
	mostFailures = 3
)

// runner runs the schedules of one partition. What is below mu is for anybody;
// the rest belongs to the goroutine of run.
type runner struct {
	s          *Service
	partition  int32
	partitions int
	ctx        context.Context
	stop       context.CancelFunc
	bell       chan struct{} // rung when there is something to do

	mu     sync.Mutex
	marked map[string]bool // schedules to look at; true when a timer said so
	ended  []ended         // calls that are over
	done   []finished      // errands that are over
	asking []chan<- error  // who waits until all that is due is done

	client *kgo.Client
	states map[string]course.State
	wakes  map[string]int64 // timers that were set, by schedule
	queued []call           // calls that wait for room
	// flying are the calls under way, flyingTo by place.
	flying   int
	flyingTo map[string]int
	// leaving are the schedules that are being deleted because they are complete.
	leaving map[string]bool
	looking context.Context // of what this turn asks about queues
	// failures are how often it was broken off since it last took a turn.
	failures int
}

func newRunner(s *Service, partition int32, partitions int) *runner {
	r := &runner{s: s, partition: partition, partitions: partitions, bell: make(chan struct{}, 1), marked: map[string]bool{}}
	r.ctx, r.stop = context.WithCancel(s.ctx)
	return r
}

// mark has schedules looked at.
func (r *runner) mark(keys ...string) {
	r.mu.Lock()
	r.markHeld(keys)
	r.mu.Unlock()
	r.ring()
}

// markHeld is mark for who holds mu.
func (r *runner) markHeld(keys []string) {
	for _, key := range keys {
		if !r.marked[key] { // what a timer said stays
			r.marked[key] = false
		}
	}
}

// woken is mark for schedules whose timers have fired.
func (r *runner) woken(keys []string) {
	r.mu.Lock()
	for _, key := range keys {
		r.marked[key] = true
	}
	r.mu.Unlock()
	r.ring()
}

func (r *runner) ring() {
	select {
	case r.bell <- struct{}{}:
	default:
	}
}

// run lives until the runner is stopped: what it loses it loads again.
func (r *runner) run() {
	defer r.stop()
	for r.ctx.Err() == nil {
		err := r.live()
		// Who waits need not hear of a transaction that a moved clock ended, or of
		// one connection that broke.
		if r.failures++; r.failures >= mostFailures || r.ctx.Err() != nil {
			r.answer(err)
		}
		if r.ctx.Err() != nil {
			return
		}
		r.s.o.Logger.Warn("schedules are loaded again", "topic", StateTopic, "partition", r.partition, "err", err)
		select {
		case <-r.ctx.Done():
		case <-time.After(restPause):
		}
	}
}

// live loads what there is, and takes turns until something fails.
func (r *runner) live() error {
	ctx, cancel := context.WithCancel(r.ctx)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer cancel()
	if err := r.load(ctx); err != nil {
		return err
	}
	defer r.client.Close()
	c := r.client
	helpers.Go(func() { r.listen(ctx, c) })
	r.mark(r.everything()...)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.bell:
		}
		if err := r.turn(ctx, &helpers); err != nil {
			return err
		}
		r.failures = 0
	}
}

// everything are the keys of all schedules that are or were in the partition.
func (r *runner) everything() []string {
	keys := r.s.view.of(r.partition, r.partitions)
	return append(keys, slices.Collect(maps.Keys(r.states))...)
}

// listen reads which schedules are to be looked at.
func (r *runner) listen(ctx context.Context, c *kgo.Client) {
	for {
		got := c.PollFetches(ctx)
		if ctx.Err() != nil || got.IsClientClosed() {
			return
		}
		var keys []string
		got.EachRecord(func(rec *kgo.Record) { keys = append(keys, string(rec.Key)) })
		r.woken(keys)
		if err := got.Err(); err != nil {
			r.s.o.Logger.Warn("schedules are not woken at the moment; it is tried again", "topic", WakeTopic, "partition", r.partition, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(restPause):
			}
		}
	}
}

// errStopped is what those hear who wait for a runner that stops.
var errStopped = errors.New("the schedules of this node are stopped")

// answer tells those who wait for what is due how it went.
func (r *runner) answer(err error) {
	if err == nil || r.ctx.Err() != nil {
		err = errors.Join(err, r.stoppedErr())
	}
	r.mu.Lock()
	asking := r.asking
	r.asking = nil
	r.mu.Unlock()
	for _, a := range asking {
		a <- err
	}
}

func (r *runner) stoppedErr() error {
	if r.ctx.Err() != nil {
		return errStopped
	}
	return nil
}
