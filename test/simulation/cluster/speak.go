package cluster

import (
	"errors"
	"time"

	"ottla/internal/controller"
	"ottla/internal/liveness/tracker"
	"ottla/internal/metadata"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// speaker sends this node's heartbeats: what liveness.Speaker does, as events.
type speaker struct {
	p        *process
	epoch    int64
	offset   int64
	fenced   bool
	running  bool
	asking   bool
	poked    bool
	retiring bool
	mayStop  bool
	trust    time.Time // until when nobody can have taken this node's place
}

func (s *speaker) init(p *process) { s.p, s.epoch, s.offset, s.fenced = p, -1, -1, true }

// begin begins to speak under a registration.
func (s *speaker) begin(epoch int64) {
	s.epoch = epoch
	if !s.running {
		s.running = true
		s.p.every(500*time.Millisecond, s.say)
	}
	s.say()
}

// applied tells that the node serves by the metadata up to an offset.
func (s *speaker) applied(offset int64) {
	if offset > s.offset {
		s.offset = offset
		s.say()
	}
}

// say sends a heartbeat, one at a time.
func (s *speaker) say() {
	if !s.running {
		return
	}
	if s.asking {
		s.poked = true
		return
	}
	s.asking, s.poked = true, false
	s.p.after(5*time.Millisecond, s.speak)
}

func (s *speaker) speak() {
	b := tracker.Beat{Node: s.p.n.id, Epoch: s.epoch, Applied: s.offset, WantShutDown: s.retiring}
	leader, sent := s.p.quorum.Status().Leader, s.p.w.live()
	switch leader {
	case -1:
		s.asking = false
		return
	case s.p.n.id:
		s.heard(b, s.p.keeper.heartbeat(b), sent)
		return
	}
	s.p.ask(request{
		to: leader, timeout: 900 * time.Millisecond,
		serve: func(q *process, answer func(any)) { answer(q.keeper.heartbeat(b)) },
		done: func(answer any, _ bool) {
			x, ok := answer.(beat)
			if !ok {
				x.err = wire.RequestTimedOut
			}
			s.heard(b, x, sent)
		},
	})
}

// heard takes the answer to a heartbeat.
func (s *speaker) heard(b tracker.Beat, x beat, sent time.Time) {
	s.asking = false
	switch wire.CodeOf(x.err) {
	case wire.None:
		if b.Epoch == s.epoch {
			s.trust = sent.Add(tracker.DefaultSilence - x.standing)
			if x.answer.Fenced {
				s.trust = time.Time{}
			}
			s.mayStop = s.mayStop || x.answer.ShouldShutDown && b.WantShutDown
			if s.fenced != x.answer.Fenced {
				s.fenced = x.answer.Fenced
				s.p.w.note("node %d fenced %v", s.p.n.id, s.fenced)
				if !s.fenced {
					s.p.tellHomes()
				}
			}
		}
	case wire.StaleBrokerEpoch, wire.BrokerIDNotRegistered:
		s.fenced, s.trust = true, time.Time{}
		if !s.retiring {
			s.p.register(s.begin)
			return
		}
		s.mayStop = true
	}
	if s.poked {
		s.say()
	}
}

// enter makes the process one of its cluster.
func (p *process) enter() {
	if p.quorum.Status().Waiting {
		p.askIn(p.w.someone())
		p.after(200*time.Millisecond, p.enter)
		return
	}
	if !p.joined && p.quorum.Image().FeatureLevel(metadata.MetadataVersion) == 0 {
		p.control.do(controller.Bootstrap{Features: p.w.o.fresh()}, 30*time.Second, func(_ any, err error) {
			if err != nil {
				p.after(200*time.Millisecond, p.enter)
				return
			}
			p.enterRegistered()
		})
		return
	}
	p.enterRegistered()
}

func (p *process) enterRegistered() {
	p.register(func(epoch int64) {
		p.entered = true
		p.speaker.begin(epoch)
		if !several(p.quorum.Image(), p.n.id) {
			p.control.do(controller.UnfenceBroker{ID: p.n.id, Epoch: epoch}, 30*time.Second, func(any, error) {})
		}
	})
}

// askIn asks a node to take this one into the quorum.
func (p *process) askIn(to int32) {
	if to == p.n.id {
		return
	}
	v := quorum.Voter{ID: p.n.id, DirectoryID: p.quorum.DirectoryID()}
	p.ask(request{
		to: to, timeout: 2 * time.Second,
		serve: func(q *process, answer func(any)) {
			until := p.w.loop.Now() + 3*time.Second
			q.quorum.Change(q.wall(), quorum.MembershipChange{Kind: quorum.AddLearner, Voter: v},
				func() bool { return p.w.loop.Now() > until }, func(_ any, _ int64, err error) { answer(word{err: err}) })
		},
		done: func(answer any, _ bool) {
			if x, ok := answer.(word); ok && x.err == nil {
				p.w.hit("taken into the quorum")
			}
		},
	})
}

// register registers the process until it is taken.
func (p *process) register(done func(epoch int64)) {
	cmd := controller.RegisterBroker{ClusterID: clusterID, Lossy: p.dir.MayLack(), Broker: metadata.Broker{
		ID: p.n.id, Incarnation: p.incarnation, Directories: []uuid.UUID{p.n.directory}, Features: p.w.o.features(),
		Endpoints: []metadata.Endpoint{{Name: "PLAINTEXT", Host: "n", Port: uint16(p.n.id)}},
	}}
	p.control.do(cmd, 20*time.Second, func(reply any, err error) {
		epoch, ok := reply.(int64)
		switch code := wire.CodeOf(err); {
		case err == nil && ok:
			p.w.hit("registered")
			if err := p.dir.Told(); err != nil {
				p.w.note("node %d cannot note that its loss is known: %v", p.n.id, err)
			}
			done(epoch)
		case code == wire.DuplicateBrokerRegistration, code == wire.RequestTimedOut, code == wire.KafkaStorageError,
			code == wire.NotController, errors.Is(err, quorum.ErrUndecided):
			p.w.note("node %d registers again: %v", p.n.id, err)
			p.after(250*time.Millisecond, func() { p.register(done) })
		default:
			p.w.fail("%v cannot register: %v, reply %v", p.n, err, reply)
		}
	})
}

// tellHomes has the controller note where partitions lie, after a disk was lost.
func (p *process) tellHomes() {
	if !p.entered || p.speaker.fenced || p.telling {
		return
	}
	if cmd, ok := p.broker.Homes(); ok {
		p.telling = true
		p.control.do(cmd, 10*time.Second, func(any, error) {
			p.telling = false
			p.w.hit("directories told")
		})
	}
}
