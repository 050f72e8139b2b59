package feed

import (
	"time"

	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
)

// holding is what a session holds back since the rate of throttled replicas is
// reached (KIP-73). session.news guards it.
type holding struct {
	parts []*part
	timer wheel.Timer
	armed bool
}

// ration says how much a throttled replica that is not in sync may be sent, and,
// where that is nothing, when to look again. One that may be sent anything gets at
// least a batch.
type ration struct {
	counts bool // what is sent is taken of the quota
	bytes  int
	minOne bool
	again  time.Duration // above 0: nothing may be sent
}

// ration looks at the quota. A node that throttles nobody pays for one atomic look.
// session.mu is held, and the partition is found.
func (p *part) ration(bytes int, minOne bool) ration {
	r := ration{bytes: bytes, minOne: minOne}
	q := p.session.feeder.o.Throttle
	if !q.Limited() || !p.partition.ThrottledLeader() {
		return r
	}
	r.counts = true
	if p.partition.InSync(p.session.node) {
		return r
	}
	room, again := q.Room()
	switch {
	case room == 0:
		r.bytes, r.minOne, r.again = 0, false, again
	case room < bytes:
		r.bytes, r.minOne = room, true
	}
	return r
}

// hold has a partition looked at again after a time, if it has something that the
// follower does not get now.
func (s *session) hold(p *part, again time.Duration) {
	if p.partition.Offsets().LogEnd <= p.ask.Offset {
		return
	}
	s.news.Lock()
	defer s.news.Unlock()
	if p.held || p.gone {
		return
	}
	p.held = true
	s.feeder.o.Throttle.Refused()
	s.held.parts = append(s.held.parts, p)
	if !s.held.armed {
		s.held.armed = true
		s.feeder.o.Wheel.Arm(&s.held.timer, again)
	}
}

// resume is called by the wheel: there may be room for what was held back.
func (s *session) resume() {
	s.news.Lock()
	held := s.held.parts
	s.held.parts, s.held.armed = nil, false
	for _, p := range held {
		p.held = false
	}
	s.news.Unlock()
	for _, p := range held {
		s.stir(p, partition.NewsRecords, nil)
	}
}

// release forgets what is held back.
func (s *session) release() {
	s.news.Lock()
	armed := s.held.armed
	s.held.parts, s.held.armed = nil, false
	s.news.Unlock()
	if armed {
		s.feeder.o.Wheel.Cancel(&s.held.timer)
	}
}
