package coordinator

import (
	"context"
	"time"
)

// SteppedOptions are what a Stepped needs from around it.
type SteppedOptions struct {
	Options
	Partition int32
	// Later runs do as a step of its own, at once or later: a piece of work, or
	// the writing of a snapshot. May drop it once the node has ended.
	Later func(do func())
	// Ring tells that there is something for Step. It may be called from within
	// the calls of this type and of the tail, and must not call back.
	Ring func()
}

// Stepped is a shard without goroutine, clock or lock, for who keeps the order of
// things himself, as a simulation of a whole cluster does: the same core behind
// the same inbox. It belongs to one goroutine.
type Stepped struct {
	o    SteppedOptions
	core *core
	in   *inbox
	t    taken
	role *role
}

// NewStepped makes a shard that leads nothing yet.
func NewStepped(o SteppedOptions) *Stepped {
	o.Options.fill()
	s := &Stepped{o: o, in: newInbox(), role: noRole(-1)}
	come := func(r result) {
		s.in.worked(r)
		o.Ring()
	}
	s.core = newCore(coreOptions{
		topic: o.Topic, logger: o.Logger, metrics: &s.o.Options.Metrics, codec: o.Codec, wall: o.Wall,
		synced: func(f *flight) {
			s.in.synced(f)
			o.Ring()
		},
		work:   func(life uint64, w Work) { o.Later(func() { come(result{life, w.Run()}) }) },
		worked: come,
		keep: func(life uint64, k Keeper, x *snapshot) {
			o.Later(func() { come(result{life, kept{k.Keep(x.file, x.end)}}) })
		},
		snapshotEvery: o.SnapshotBytes,
		show:          func(phase) {},
	}, o.Partition, o.New(o.Partition))
	return s
}

// Lead is Runtime.Lead.
func (s *Stepped) Lead(t Tail) {
	epoch := t.LeaderEpoch()
	if s.role.tail != nil && epoch <= s.role.epoch {
		return
	}
	s.become(newRole(epoch, t))
}

// Resign is Runtime.Resign.
func (s *Stepped) Resign() {
	if s.role.tail != nil {
		s.become(noRole(s.role.epoch))
	}
}

func (s *Stepped) become(r *role) {
	s.role.cancel()
	s.role = r
	s.in.roleOf(r)
	s.o.Ring()
}

// Do is Runtime.GoAt: done is called once, in a later Step or within this call.
func (s *Stepped) Do(ctx context.Context, body any, done func(any, error)) {
	if s.role.tail == nil {
		done(nil, errIdle)
		return
	}
	if err := s.in.put(&call{ctx: ctx, body: body, done: done}); err != nil {
		done(nil, err)
		return
	}
	s.o.Ring()
}

// Step does what there is to do, and tells when the clock must be looked at
// again; false for never.
func (s *Stepped) Step(now time.Time) (time.Time, bool) {
	s.in.take(&s.t, turnSize)
	if r := s.t.role; r != nil {
		refuse(s.t.calls, errIdle)
		s.t.calls = s.t.calls[:0]
		if r.tail != nil {
			s.core.lead(r.ctx, now, r.tail)
		} else {
			s.core.resign(errIdle)
		}
	}
	for _, f := range s.t.flights {
		s.core.committedTo(now, f)
	}
	s.core.turn(now, s.t.results, s.t.calls)
	s.t.clean()
	return s.core.next()
}

// Loads tells whether it leads its partition and has not loaded yet.
func (s *Stepped) Loads() bool { return s.role.tail != nil && s.core.phase != active }

// Close is the end with the node: what waits for company is written, who waits is
// refused.
func (s *Stepped) Close() { s.core.close() }
