package coordinator

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// shard is one partition's machine with its goroutine.
type shard struct {
	o     *Options
	core  *core // owned by run
	in    *inbox
	phase atomic.Int32 // the core's, for those outside; Lead, Expect and Resign go ahead of it
	at    *role        // what the core has taken up; owned by run
	began time.Time    // of the load that goes on; owned by run
	lives *role        // whose load goes on, nil when it has ended; owned by run
	done  chan struct{}
	// parting: nobody is kept waiting any more, see Runtime.LetGo.
	parting atomic.Bool

	mu   sync.Mutex // guards the leadership at hand
	role *role
}

// role is a leadership; tail is nil for none.
type role struct {
	tail   Tail
	epoch  int32
	ctx    context.Context
	cancel context.CancelFunc

	mu sync.Mutex // guards the two below
	// settled is closed when the load at hand has ended, well or not.
	settled chan struct{}
	over    bool // settled is closed
}

func newRole(epoch int32, t Tail) *role {
	r := &role{tail: t, epoch: epoch, settled: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// noRole is that of a shard that leads nothing.
func noRole(epoch int32) *role {
	r := newRole(epoch, nil)
	r.settle()
	return r
}

// settle tells that the load at hand has ended.
func (r *role) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.over = true
		close(r.settled)
	}
}

// unsettle tells that another load begins.
func (r *role) unsettle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		r.over, r.settled = false, make(chan struct{})
	}
}

// wait is closed when the load at hand has ended.
func (r *role) wait() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settled
}

// newShard starts the owner of a shard that leads nothing yet.
func newShard(o *Options, partition int32, work func(life uint64, run func() any, to *inbox)) *shard {
	s := &shard{o: o, in: newInbox(), done: make(chan struct{}), role: noRole(-1)}
	s.core = newCore(coreOptions{
		topic: o.Topic, logger: o.Logger, metrics: &o.Metrics, codec: o.Codec, wall: o.Wall,
		synced: s.in.synced,
		work:   func(life uint64, w Work) { work(life, w.Run, s.in) },
		worked: s.in.worked,
		keep: func(life uint64, k Keeper, x *snapshot) {
			work(life, func() any { return kept{k.Keep(x.file, x.end)} }, s.in)
		},
		snapshotEvery: o.SnapshotBytes,
		show:          s.show,
		trusted:       o.Trusted,
	}, partition, o.New(partition))
	s.at = s.role
	go s.run()
	return s
}

// show tells those outside, and measures loads. What Lead, Expect or Resign
// said meanwhile stands until the core has taken it up: a phase of the role
// before it must not hide it from those who wait for its load.
func (s *shard) show(p phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := s.role == s.at
	if newest {
		s.phase.Store(int32(p))
	}
	switch {
	case p == loading && s.began.IsZero():
		s.began = s.o.Now()
		if newest && s.lives == nil {
			s.lives = s.role
			s.lives.unsettle()
		}
	case p == active && !s.began.IsZero():
		s.o.Metrics.LoadDuration.Seconds(s.o.Now().Sub(s.began))
		s.began = time.Time{}
	case p == idle:
		s.began = time.Time{}
	}
}

// submit hands a call to the owner; one that cannot be taken is answered at
// once.
func (s *shard) submit(x *call) {
	err := refusalOf(phase(s.phase.Load()))
	if err == nil {
		err = s.in.put(x)
	}
	if err != nil {
		x.done(nil, err)
	}
}

// do is submit and wait.
func (s *shard) do(ctx context.Context, body any) (any, error) {
	type said struct {
		body any
		err  error
	}
	answer := make(chan said, 1)
	s.submit(&call{ctx: ctx, body: body, done: func(body any, err error) { answer <- said{body, err} }})
	select {
	case a := <-answer:
		return a.body, a.err
	case <-ctx.Done():
		return nil, timedOut(ctx.Err())
	}
}

// lead begins a leadership unless it is no newer than the one at hand. After a
// resignation any is new: a topic made again counts its epochs from 0.
func (s *shard) lead(t Tail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	epoch := t.LeaderEpoch()
	if s.role.tail != nil && epoch <= s.role.epoch {
		return
	}
	s.become(newRole(epoch, t), loading)
}

// resign ends the leadership at hand.
func (s *shard) resign() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.role.tail != nil || phase(s.phase.Load()) != idle {
		s.become(noRole(s.role.epoch), idle)
	}
}

// become ends one role, a load that goes on included, and begins another. mu
// held.
func (s *shard) become(r *role, p phase) {
	s.role.cancel()
	s.role.settle()
	s.role = r
	s.phase.Store(int32(p))
	s.in.roleOf(r)
}

// expect tells that a leadership will come when the partition is open.
func (s *shard) expect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.role.tail == nil {
		s.role.settle()
		s.role = newRole(s.role.epoch, nil)
		s.phase.Store(int32(loading))
	}
}

// settle waits for the end of a load, the newest leadership's.
func (s *shard) settle(ctx context.Context) error {
	for {
		s.mu.Lock()
		r := s.role
		s.mu.Unlock()
		select {
		case <-r.wait():
		case <-ctx.Done():
			return errLoading
		}
		s.mu.Lock()
		same := s.role == r
		s.mu.Unlock()
		if same {
			return nil
		}
	}
}

// close ends the owner and waits for it.
func (s *shard) close() {
	s.mu.Lock()
	s.role.cancel()
	s.role.settle()
	s.mu.Unlock()
	s.in.close()
	<-s.done
}

// run owns the core: it looks into the inbox when something came, and at the
// clock when the core asks for it.
func (s *shard) run() {
	defer close(s.done)
	var t taken
	disarm := func() {}
	for range s.in.wake {
		disarm()
		full, most := s.core.full(), turnSize
		if full {
			most = 0
		}
		s.in.take(&t, most)
		if t.closed {
			s.core.close()
			refuse(t.calls, errClosed)
			return
		}
		s.step(&t)
		if s.parting.Load() {
			s.core.letGo(errClosed)
		}
		s.noteSettled(&t)
		again := s.vet(s.o.Now())
		t.clean()
		if full && !s.core.full() {
			s.in.ring() // calls were left behind, and there is room now
		}
		disarm = s.arm(again)
	}
}

// step gives the core what was found.
func (s *shard) step(t *taken) {
	now := s.o.Now()
	if t.role != nil {
		refuse(t.calls, errIdle)
		t.calls = t.calls[:0]
		s.at, s.began = t.role, time.Time{}
		if t.role.tail != nil {
			s.core.lead(t.role.ctx, now, t.role.tail)
		} else {
			s.core.resign(errIdle)
		}
	}
	for _, f := range t.flights {
		s.core.committedTo(now, f)
	}
	s.core.turn(now, t.results, t.calls)
}

// noteSettled tells those who wait for the end of the load.
func (s *shard) noteSettled(t *taken) {
	if t.role != nil {
		s.lives = t.role
	}
	if s.lives != nil && s.core.phase != loading {
		s.lives.settle()
		s.lives = nil
	}
}

// arm sets the clock's alarm for what the core waits for, and for when who waits is
// looked after again, unless that is the zero time.
func (s *shard) arm(again time.Time) (disarm func()) {
	at, ok := s.core.next()
	if !again.IsZero() && (!ok || again.Before(at)) {
		at, ok = again, true
	}
	switch {
	case !ok:
	case !at.After(s.o.Now()):
		s.in.ring()
	default:
		return s.o.Alarm(at, s.in.ring)
	}
	return func() {}
}

func refuse(calls []*call, why error) {
	for _, x := range calls {
		x.done(nil, why)
	}
}
