package delivery

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/delivery/course"
	"ottla/internal/event/follow"
	"ottla/internal/event/name"
)

const (
	// mostFlying bounds the calls that a runner has under way.
	mostFlying = 256
	// mostOfFunction bounds those of one function, whatever it has seats: others have the
	// rest.
	mostOfFunction = mostFlying - mostFlying/4
	// restPause is how long a runner rests that lost its place or its topics.
	restPause = 250 * time.Millisecond
	// mostFailures in a row are told to those who wait.
	mostFailures = 3
)

// runner delivers what lies in one partition. What is below mu is for anybody; the rest
// belongs to the goroutine of run.
type runner struct {
	s         *Service
	partition int32
	ctx       context.Context
	stop      context.CancelFunc
	bell      chan struct{} // rung when there is something to do
	next      atomic.Int64  // when something is due by the domain clock; 0 for nothing

	mu     sync.Mutex
	marked []string // targets to look at
	ended  []ended  // calls that are over
	known  []known  // inquiries that are over
	asking []ask    // who waits until all that is due is done

	client    *kgo.Client
	again     *follow.Partition // reads what was read before
	reads     chan chunk        // of who reads on
	rereads   chan reread       // of who reads again
	goOn      chan int64        // where that one is to read next
	writes    chan wrote        // of who writes; it has room for one
	writing   *writing          // what that one has; nil for nothing
	rereading bool
	near      reread // what was read again last
	lanes     map[string]*lane
	wanting   map[string]bool // targets whose payloads are to be read again
	hot       []string        // targets to look at
	heat      map[string]bool // those in hot
	starved   map[string]bool // that wait for room to call
	calls     workers
	due       dueHeap
	at        int64 // everything in Topic below is in lanes, or done
	atKept    int64 // that of StateTopic
	flying    int
	busy      map[string]int // calls of functions, those that wait for a seat too
	bytes     int
	loading   int // lanes with a payload in memory
	stale     map[string]bool
	dirty     map[string]bool // lanes that changed
	letters   []lost
	ill       map[name.Ref]illness // queues whose dead letters cannot be written
	attempts  []*kgo.Record
	committed time.Time
	commitAt  time.Time // when what changed is to be written; zero for nothing
	failures  int       // how often it was broken off since it last took a turn
}

// chunk are records of Topic that were read, up to an offset.
type chunk struct {
	records []*kgo.Record
	at      int64
}

// ended is a call that is over.
type ended struct {
	lane     *lane
	function string // that was called
	call     course.Call
	result   course.Result
	attempts []*kgo.Record
}

func newRunner(s *Service, partition int32) *runner {
	r := &runner{s: s, partition: partition, bell: make(chan struct{}, 1), calls: newWorkers()}
	r.ctx, r.stop = context.WithCancel(s.ctx)
	return r
}

func (r *runner) mark(key string) {
	r.mu.Lock()
	r.marked = append(r.marked, key)
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
		r.next.Store(0)
		if r.failures++; r.failures >= mostFailures || r.ctx.Err() != nil {
			r.answer(err)
		}
		if r.ctx.Err() != nil {
			return
		}
		r.s.o.Logger.Warn("deliveries are loaded again", "topic", Topic, "partition", r.partition, "err", err)
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
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.client.Close()
	defer r.again.Close()
	log, err := follow.Open(follow.Options{Client: r.s.o.Client, Topic: Topic, Partition: r.partition, From: r.at, Wait: idleFetch})
	if err != nil {
		return err
	}
	defer log.Close()
	defer helpers.Wait() // before what they read with is closed
	defer cancel()
	helpers.Go(func() { r.readOn(ctx, log) })
	helpers.Go(func() { r.readAgain(ctx) })
	return r.turns(ctx, &helpers)
}

// turns takes turns until something fails.
func (r *runner) turns(ctx context.Context, helpers *sync.WaitGroup) error {
	r.ring()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(r.rest())
		reads, rereads := r.reads, r.rereads
		if !r.mayRead() {
			reads, rereads = nil, nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c := <-reads:
			r.take(c)
		case c := <-rereads:
			r.rereading, r.near = false, c
			r.retake(c)
		case o := <-r.writes:
			if err := r.written(o); err != nil {
				return err
			}
		case <-r.bell:
		case <-timer.C:
		}
		r.collect()
		r.look(ctx, helpers)
		if err := r.keep(ctx, helpers); err != nil {
			return err
		}
		r.seek()
		r.next.Store(r.due.first(r.lanes)) // before who waits asks for it
		r.settled()
		if r.writing == nil {
			r.failures = 0
		}
	}
}

// rest is how long nothing happens by itself.
func (r *runner) rest() time.Duration {
	d := time.Hour
	if len(r.hot) > 0 {
		return 0
	}
	if ms := r.next.Load(); ms > 0 {
		d = min(d, max(0, time.UnixMilli(ms).Sub(r.s.o.Now())))
	}
	if !r.commitAt.IsZero() {
		d = min(d, max(0, time.Until(r.commitAt)))
	}
	return d
}

// readOn reads Topic from where the last runner was.
func (r *runner) readOn(ctx context.Context, log *follow.Partition) {
	last := int64(-1)
	for {
		got, err := log.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.s.o.Logger.Warn("deliveries are not read at the moment; it is tried again", "topic", Topic, "partition", r.partition, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(restPause):
			}
			continue
		}
		if len(got) == 0 && log.At() == last {
			continue
		}
		last = log.At()
		select {
		case r.reads <- chunk{got, last}:
		case <-ctx.Done():
			return
		}
	}
}
