package feed

import (
	"sync"
	"time"

	"ottla/internal/kafka/wheel"
	"ottla/internal/partition"
	"ottla/internal/wire/pull"
)

// lazyWait is how long news of the high watermark alone may wait for company.
const lazyWait = 10 * time.Millisecond

// session is what a follower's connection has asked for.
type session struct {
	feeder      *Feeder
	id          int32
	node        int32
	brokerEpoch int64
	epoch       int32 // that the next request must carry; Feeder.mu

	mu    sync.Mutex // guards parts and what they were asked; held while partitions are called
	parts map[pull.Key]*part
	ended bool

	news   sync.Mutex // guards all below; a leaf
	queue  []*part    // with news, in the order they came
	spare  []*part    // the queue before, to be filled again
	parked *answer    // waits for news
	lazy   wheel.Timer
	armed  bool // lazy is
	told   bool // an answer has left since lazy was armed
	due    bool // news of high watermarks have waited long enough
	urgent bool // other news have come
	held   holding
}

func newSession(f *Feeder, id int32, req *pull.Request) *session {
	s := &session{feeder: f, id: id, node: req.Replica, brokerEpoch: req.BrokerEpoch, epoch: 1, parts: map[pull.Key]*part{}}
	s.lazy.Fire, s.held.timer.Fire = s.overdue, s.resume
	return s
}

// take notes what a request asks and what it leaves.
func (s *session) take(req *pull.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if s.brokerEpoch != req.BrokerEpoch { // it has registered again: whose its progress is changes with it
		s.brokerEpoch = req.BrokerEpoch
		for _, p := range s.parts {
			s.stir(p, partition.NewsChanged, nil)
		}
	}
	for _, k := range req.Forgotten {
		if p := s.parts[k]; p != nil {
			delete(s.parts, k)
			p.leave()
		}
	}
	for i := range req.Asks {
		k := req.Asks[i].Key
		p := s.parts[k]
		if p == nil {
			p = &part{session: s, high: -1, start: -1}
			s.parts[k] = p
		}
		p.ask = req.Asks[i]
		p.asked(true)
		s.stir(p, partition.NewsChanged, nil)
	}
}

// progress notes what the follower has synced of a partition.
func (s *session) progress(k pull.Key, leaderEpoch int32, synced int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[k]
	if p == nil || p.ask.LeaderEpoch != leaderEpoch {
		return
	}
	// Also before the first look at the partition, which takes it from there: the
	// follower does not say it twice.
	p.ask.Synced = max(p.ask.Synced, synced)
	if p.partition == nil {
		return
	}
	_ = p.partition.Progress(s.node, leaderEpoch, synced) // a lost lead is told by the next answer
}

// stir puts a partition into the queue and wakes whoever waits for its news. It
// takes no lock but news, and is called with a partition's lock held.
func (s *session) stir(p *part, n partition.News, by *partition.Woken) {
	s.news.Lock()
	defer s.news.Unlock()
	if p.dormant || p.gone {
		return
	}
	if !p.queued {
		p.queued = true
		s.queue = append(s.queue, p)
	}
	a := s.parked
	s.urgent = s.urgent || n > partition.NewsMoved
	switch {
	case a == nil:
	case n > partition.NewsMoved && by != nil:
		a.ReadyBy(by)
	case n > partition.NewsMoved:
		a.Ready()
	case !s.armed && !s.due:
		s.arm()
	}
}

// arm begins the wait for company. news is held, and lazy is not armed.
func (s *session) arm() {
	s.armed, s.told = true, false
	s.feeder.o.Wheel.Arm(&s.lazy, lazyWait)
}

// overdue is called by the wheel: the high watermark has waited. When answers
// left meanwhile they told what there was; what came after the last of them begins
// to wait now, so that under a steady load no answer leaves for it alone.
func (s *session) overdue() {
	s.news.Lock()
	defer s.news.Unlock()
	s.armed = false
	if s.told {
		if len(s.queue) > 0 {
			s.arm()
		}
		return
	}
	s.due = true
	if s.parked != nil {
		s.parked.Ready()
	}
}

// hurry ends the wait of a fetch that is parked: another came.
func (s *session) hurry() {
	s.news.Lock()
	defer s.news.Unlock()
	if s.parked != nil {
		s.parked.expired.Store(true)
		s.parked.Ready()
	}
}

// takeQueue gives the partitions with news, and tells whether those with news of
// the high watermark alone are due.
func (s *session) takeQueue() (queue []*part, due bool) {
	s.news.Lock()
	defer s.news.Unlock()
	queue, due = s.queue, s.due
	s.queue, s.spare, s.due, s.urgent, s.parked = s.spare[:0], nil, false, false, nil
	for _, p := range queue {
		p.queued = false
	}
	return queue, due
}

// giveBack returns the queue's memory, after those of it that must be looked at
// again were put back in front; leaves says that the others are told.
func (s *session) giveBack(queue, again []*part, leaves bool) {
	s.news.Lock()
	defer s.news.Unlock()
	s.told = s.told || leaves
	if len(again) > 0 {
		rest := s.queue
		s.queue = make([]*part, 0, len(again)+len(rest))
		for _, p := range again {
			if !p.queued && !p.gone {
				p.queued = true
				s.queue = append(s.queue, p)
			}
		}
		s.queue = append(s.queue, rest...)
	}
	clear(queue)
	s.spare = queue[:0]
}

// end lets every partition go.
func (s *session) end() {
	defer s.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for k, p := range s.parts {
		delete(s.parts, k)
		p.leave()
	}
	s.news.Lock()
	armed := s.armed
	s.news.Unlock()
	if armed {
		s.feeder.o.Wheel.Cancel(&s.lazy)
	}
}
