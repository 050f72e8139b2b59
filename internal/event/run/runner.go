package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

const (
	// restPause is how long a runner rests that lost its place or its topics.
	restPause = 250 * time.Millisecond
	// mostFailures in a row are told to those who wait.
	mostFailures = 3
	// mostBranches bounds the branches of a runner that walk at the same time: each has
	// clients of its own. Others wait for their turn.
	mostBranches = 64
)

// runner has one partition of a source: its pass, and the branches and replays beside
// it. What is below mu is for anybody; the rest belongs to the goroutine of run.
type runner struct {
	s              *Service
	seat           course.Seat
	topic          string
	statePartition int32
	ctx            context.Context
	stop           context.CancelFunc
	bell           chan struct{}
	src            atomic.Pointer[plan.Source]
	gone           atomic.Bool  // its source is no more
	passAt         atomic.Int64 // everything below is decided, and committed

	mu      sync.Mutex
	joins   map[course.Name]*branch // that have reached the pass, and walk
	asking  []ask                   // who waits until all is done
	walking map[course.Name]*branch
	again   []*replay     // replays that walk
	stopped []course.Name // branches that have ended by themselves
	stands  stands        // what is told of the runner

	ill      map[string]string // targets that failed in the pass, with why
	left     map[string]leaving
	turns    chan struct{} // a token for each branch that walks
	queued   atomic.Int32  // branches that wait for one
	helpers  sync.WaitGroup
	failures int
}

func newRunner(s *Service, seat course.Seat, src *plan.Source, statePartition int32) *runner {
	r := &runner{s: s, seat: seat, topic: src.Topic, statePartition: statePartition, bell: make(chan struct{}, 1),
		joins: map[course.Name]*branch{}, walking: map[course.Name]*branch{}, ill: map[string]string{},
		left: map[string]leaving{}, turns: make(chan struct{}, mostBranches)}
	r.src.Store(src)
	r.ctx, r.stop = context.WithCancel(s.ctx)
	return r
}

// publish gives the runner the source as it is now. One that was published before what
// it has is of no use: what that lacks would be forgotten.
func (r *runner) publish(src *plan.Source) {
	for {
		was := r.src.Load()
		if was == src || was.Version > src.Version {
			return
		}
		if r.src.CompareAndSwap(was, src) {
			r.ring()
			r.wakeAll()
			return
		}
	}
}

func (r *runner) ring() { ring(r.bell) }

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// wakeAll has all who walk beside the pass look at what is new.
func (r *runner) wakeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.walking {
		ring(b.bell)
	}
	for _, p := range r.again {
		ring(p.bell)
	}
}

// run lives until the runner is stopped: what it loses it loads again.
func (r *runner) run() {
	defer r.stop()
	for r.ctx.Err() == nil {
		err := r.live()
		if r.ctx.Err() != nil {
			break
		}
		var blamed *failedError
		if errors.As(err, &blamed) && r.blame(blamed) {
			continue
		}
		if r.failures++; r.failures >= mostFailures {
			r.answer(err)
		}
		r.s.o.Logger.Warn("the pass of a bus is loaded again", "source", r.src.Load().Ref.String(), "topic", r.topic, "partition", r.seat.Partition, "err", err)
		r.told(err)
		r.rest(restPause)
	}
	r.answer(errStopped)
	if r.gone.Load() {
		if err := r.erase(); err != nil {
			r.s.o.Logger.Warn("what was known of a bus that is no more is still there", "topic", StateTopic, "key", r.seat.Key(), "err", err)
		}
	}
}

// eraseWithin is how long it is tried to forget a source.
const eraseWithin = 10 * time.Second

// erase takes back all that is known of a source that is no more. One that is there
// again by then has a runner again: what that has written is not to be erased. Whoever
// begins later keeps us out.
func (r *runner) erase() error {
	ctx, cancel := context.WithTimeout(r.s.ctx, eraseWithin)
	defer cancel()
	w := &walk{r: r, txn: r.txn(), key: r.seat.Key(), patience: eraseWithin, alone: true}
	defer w.close()
	records, err := w.open(ctx)
	if err != nil {
		return err
	}
	if err := r.s.current(ctx); err != nil {
		return err
	}
	if r.s.published(r.seat.Source) != nil {
		return nil
	}
	var notes []course.Note
	for rest := range records {
		notes = append(notes, course.Note{Key: strings.TrimSuffix(r.seat.Key()+"/"+rest, "/")})
	}
	if err := w.write(ctx, &turn{}, notes); err != nil {
		return err
	}
	return w.finish()
}

// txn is the transactional id of the pass.
func (r *runner) txn() string { return fmt.Sprintf("ottla-bus-%s-%d", r.seat.Source, r.seat.Partition) }

// blame has targets that failed leave the pass; false when they are too many for it to
// be their fault, and nothing is known to be wrong with them.
func (r *runner) blame(f *failedError) bool {
	leave := f.leave(r.src.Load())
	if len(leave) == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range leave {
		x := f.of[key]
		r.leaves(key)
		r.ill[key] = x.err.Error()
		r.s.o.Logger.Warn("a target leaves the pass of its bus until it can be written to again", "target", key, "topic", r.topic,
			"partition", r.seat.Partition, "offset", x.offset, "err", x.err)
	}
	return true
}

// leave are the targets of a source that are to walk on their own; none where too many
// are slow at once for it to be their fault. What is the source's own, as its dead
// letters, can only be tried again.
func (e *failedError) leave(src *plan.Source) (keys []string) {
	slow := 0
	for key, x := range e.of {
		if errors.Is(x.err, errSlow) {
			slow++
		}
		if _, _, g := only(src, key); g != nil {
			keys = append(keys, key)
		}
	}
	if slow > mostBranches {
		return nil
	}
	return keys
}

// patience is how long the pass waits for what its targets write to: longer after each
// failure in a row. What one event comes to may be much.
func (r *runner) patience() time.Duration {
	first := r.s.o.Patience
	return max(first, min(first<<min(r.failures, 4), mostPatience))
}

// mostPatience bounds it.
const mostPatience = 10 * time.Second

// rest pauses, unless the runner is stopped.
func (r *runner) rest(d time.Duration) {
	select {
	case <-r.ctx.Done():
	case <-time.After(d):
	}
}

// live loads what there is, and walks until something fails.
func (r *runner) live() error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer r.helpers.Wait()
	defer cancel()
	p := &pass{walk: walk{
		r: r, txn: r.txn(), key: r.seat.Key(), patience: r.patience(), alone: true,
	}, ctx: ctx}
	defer p.close()
	if err := p.load(); err != nil {
		return err
	}
	return p.walkOn()
}
