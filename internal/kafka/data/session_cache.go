package data

import (
	"container/list"
	"math/rand/v2"
	"sync"
	"time"

	"ottla/internal/wire"
)

// minAge is how long a session is safe from others (KIP-227,
// min.incremental.fetch.session.eviction.ms, fixed in Kafka).
const minAge = 120 * time.Second

// cache holds the sessions of a node, at most slots of them.
type cache struct {
	slots int
	m     *familyMetrics

	mu    sync.Mutex // guards all below, and the sessions' fields that say so
	byID  map[int32]*session
	byUse *list.List // of *session, the longest unused first
}

func newCache(slots int, m *familyMetrics) *cache {
	return &cache{slots: slots, m: m, byID: map[int32]*session{}, byUse: list.New()}
}

// enter decides what a request of v7 or later is: without a session, opening
// one, or a step of one. Afterwards the answer's partitions are those to read,
// or its problem is set.
func (c *cache) enter(a *fetchAnswer, now time.Time) {
	if a.sessionEpoch == initialEpoch || a.sessionEpoch == finalEpoch {
		c.close(a.sessionID)
		a.sessionID = 0
		a.mode = opening
		if a.sessionEpoch == finalEpoch {
			a.mode = sessionless
		}
		return
	}
	a.mode = incremental
	s, code := c.use(a, now)
	if code != wire.None {
		a.refuse(code)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != a.sessionEpoch {
		a.refuse(wire.InvalidFetchSessionEpoch)
		return
	}
	s.update(a)
	if s.count == 0 {
		c.close(s.id)
		a.mode, a.sessionID = sessionless, 0
		return
	}
	s.epoch = nextEpoch(s.epoch)
	a.session = s
	c.resize(s)
}

// refuse answers the whole request with a code.
func (a *fetchAnswer) refuse(code wire.Code) {
	clear(a.parts)
	a.parts = a.parts[:0]
	a.problem, a.sessionID = code, 0
}

// leave settles the session part of an answer that is about to be written.
func (c *cache) leave(a *fetchAnswer) {
	switch {
	case a.problem != wire.None:
	case a.mode == opening:
		a.sessionID = c.open(a, a.family.o.Now())
	case a.mode == incremental:
		s := a.session
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.epoch != nextEpoch(a.sessionEpoch) {
			a.problem, a.sessionID = wire.InvalidFetchSessionEpoch, 0
			return
		}
		s.told(a, true)
	}
}

// use finds the session that a request names and notes its use.
func (c *cache) use(a *fetchAnswer, now time.Time) (*session, wire.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.byID[a.sessionID]
	if s == nil {
		return nil, wire.FetchSessionIDNotFound
	}
	if s.byID != (a.head.Version >= 13) {
		return nil, wire.FetchSessionTopicIDError
	}
	s.used = now
	c.byUse.MoveToBack(s.place)
	return s, wire.None
}

// resize notes how large a session is; its mutex is held.
func (c *cache) resize(s *session) {
	c.mu.Lock()
	s.size = s.count
	c.mu.Unlock()
}

// open makes a session of a full fetch and its answer; 0 when it has no
// partitions or there is no room.
func (c *cache) open(a *fetchAnswer, now time.Time) int32 {
	if len(a.parts) == 0 || a.replica >= 0 || !c.room(len(a.parts), now) {
		return 0
	}
	s := newSession(a.head.Version >= 13)
	s.created, s.used = now, now
	for i := range a.parts {
		p := &a.parts[i]
		p.cached = s.add(a.key(&a.topics[p.topic]), p)
	}
	s.told(a, false)
	s.size = s.count
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byID) >= c.slots && !c.evict(s.size, now) {
		return 0
	}
	for s.id == 0 || c.byID[s.id] != nil {
		s.id = rand.Int32()
	}
	c.byID[s.id] = s
	s.place = c.byUse.PushBack(s)
	c.m.sessions.Set(int64(len(c.byID)))
	return s.id
}

// room tells whether a session of the given size would find a place, before
// it is made.
func (c *cache) room(size int, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byID) < c.slots || c.victim(size, now) != nil
}

// evict makes room for a session of the given size. mu is held.
func (c *cache) evict(size int, now time.Time) bool {
	s := c.victim(size, now)
	if s == nil {
		return false
	}
	c.drop(s)
	c.m.evicted.Inc()
	return true
}

// victim is whom a new session may displace: the longest unused one, if it was
// silent for minAge, else the smallest one that has lived that long and is
// smaller than the new one. mu is held.
func (c *cache) victim(size int, now time.Time) *session {
	front := c.byUse.Front()
	if front == nil {
		return nil
	}
	if s := front.Value.(*session); now.Sub(s.used) > minAge {
		return s
	}
	var smallest *session
	for e := front; e != nil; e = e.Next() {
		s := e.Value.(*session)
		if now.Sub(s.created) > minAge && s.size < size && (smallest == nil || s.size < smallest.size) {
			smallest = s
		}
	}
	return smallest
}

// close ends a session, if there is such a one.
func (c *cache) close(id int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.byID[id]; id != 0 && s != nil {
		c.drop(s)
	}
}

// drop takes a session out. mu is held.
func (c *cache) drop(s *session) {
	delete(c.byID, s.id)
	c.byUse.Remove(s.place)
	c.m.sessions.Set(int64(len(c.byID)))
}
