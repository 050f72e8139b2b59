package data

import (
	"container/list"
	"math"
	"sync"
	"time"

	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Session epochs with a meaning of their own (KIP-227).
const (
	initialEpoch = 0  // opens a session, closing the one named
	finalEpoch   = -1 // no session; closes the one named
)

// nextEpoch follows an epoch; it wraps to 1.
func nextEpoch(e int32) int32 {
	if e == math.MaxInt32 {
		return 1
	}
	return e + 1
}

// session is what a consumer does not repeat: its partitions, in the order
// they are read, and what it was last told of each.
type session struct {
	id   int32
	byID bool // topics are named by id

	// Guarded by the cache's mutex.
	created, used time.Time
	size          int
	place         *list.Element // in the cache's order of use

	mu     sync.Mutex // guards all below
	epoch  int32      // that the next request must carry
	topics map[string]*cachedTopic
	order  cachedPart // head of the ring of partitions in reading order
	count  int
}

// cachedTopic is a topic of a session, by its name or the bytes of its id.
type cachedTopic struct {
	key   string
	parts map[int32]*cachedPart
}

// cachedPart is a partition of a session.
type cachedPart struct {
	prev, next *cachedPart // nil once it was forgotten
	topic      *cachedTopic
	index      int32

	offset       int64
	maxBytes     int32
	leaderEpoch  int32
	fetchedEpoch int32

	mu        sync.Mutex // guards partition, which failed tries clear
	partition *partition.Partition

	// As last answered; -1 makes the next answer name it.
	high, stable, start int64
}

func newSession(byID bool) *session {
	s := &session{byID: byID, epoch: nextEpoch(initialEpoch), topics: map[string]*cachedTopic{}}
	s.order.next, s.order.prev = &s.order, &s.order
	return s
}

// forget makes the next request look the partition up again.
func (c *cachedPart) forget() {
	c.mu.Lock()
	c.partition = nil
	c.mu.Unlock()
}

// known is the partition, nil when it must be looked up.
func (c *cachedPart) known() *partition.Partition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.partition
}

// link puts c last.
func (s *session) link(c *cachedPart) {
	c.prev, c.next = s.order.prev, &s.order
	s.order.prev.next, s.order.prev = c, c
}

// unlink takes c out of the order.
func (c *cachedPart) unlink() {
	c.prev.next, c.next.prev = c.next, c.prev
	c.prev, c.next = nil, nil
}

// find looks a partition up by its topic's bytes, without allocating.
func (s *session) find(topic []byte, index int32) *cachedPart {
	if t := s.topics[string(topic)]; t != nil {
		return t.parts[index]
	}
	return nil
}

// add takes a partition into the session, or what the request newly says of
// one that is there.
func (s *session) add(topic []byte, p *fetchPart) *cachedPart {
	t := s.topics[string(topic)]
	if t == nil {
		t = &cachedTopic{key: string(topic), parts: map[int32]*cachedPart{}}
		s.topics[t.key] = t
	}
	c := t.parts[p.index]
	if c == nil {
		c = &cachedPart{topic: t, index: p.index, high: -1, stable: -1, start: -1}
		t.parts[p.index] = c
		s.link(c)
		s.count++
	}
	c.offset, c.maxBytes, c.leaderEpoch, c.fetchedEpoch = p.offset, p.maxBytes, p.leaderEpoch, p.fetchedEpoch
	return c
}

// remove forgets a partition.
func (s *session) remove(topic []byte, index int32) {
	c := s.find(topic, index)
	if c == nil {
		return
	}
	c.unlink()
	delete(c.topic.parts, index)
	if len(c.topic.parts) == 0 {
		delete(s.topics, c.topic.key)
	}
	s.count--
}

// key is what a session knows a topic of the request by.
func (a *fetchAnswer) key(t *fetchTopic) []byte {
	if a.head.Version >= 13 {
		return t.id[:]
	}
	return a.name(t)
}

// update changes the session as an incremental request asks, and replaces the
// request's partitions by all of the session's. mu is held.
func (s *session) update(a *fetchAnswer) {
	for i := range a.parts {
		p := &a.parts[i]
		s.add(a.key(&a.topics[p.topic]), p)
	}
	for _, f := range a.forgotten {
		s.remove(a.key(&a.topics[f.topic]), f.index)
	}
	clear(a.parts)
	a.parts, a.topics, a.names = a.parts[:0], a.topics[:0], a.names[:0]
	var last *cachedTopic
	for c := s.order.next; c != &s.order; c = c.next {
		if c.topic != last {
			last = c.topic
			a.addTopic(last.key)
		}
		a.parts = append(a.parts, fetchPart{
			partition: c.known(), cached: c, topic: int32(len(a.topics) - 1), index: c.index,
			offset: c.offset, maxBytes: c.maxBytes, leaderEpoch: c.leaderEpoch, fetchedEpoch: c.fetchedEpoch,
		})
	}
}

// addTopic appends a topic of the session to the answer.
func (a *fetchAnswer) addTopic(key string) {
	t := fetchTopic{nameAt: int32(len(a.names))}
	if a.head.Version >= 13 {
		t.id = uuid.UUID([]byte(key))
	} else {
		t.nameLen = int32(len(key))
		a.names = append(a.names, key...)
	}
	a.topics = append(a.topics, t)
}

// told compares an answer with what the session last said, notes the new
// values, and marks partitions without news. Those that gave records go to the
// end of the order, so that none starves. mu is held.
func (s *session) told(a *fetchAnswer, skipping bool) {
	for i := range a.parts {
		p := &a.parts[i]
		c := p.cached
		if c == nil {
			continue
		}
		news := p.got.Slice.Len > 0 || p.preferred >= 0 || p.got.Diverging || p.code != wire.None ||
			p.got.HighWatermark != c.high || p.got.LastStable != c.stable || p.got.LogStart != c.start
		c.high, c.stable, c.start = p.got.HighWatermark, p.got.LastStable, p.got.LogStart
		if p.code != wire.None {
			c.high = -2 // so that the end of the error is news
		} else if p.partition != nil {
			c.mu.Lock()
			c.partition = p.partition
			c.mu.Unlock()
		}
		p.skip = skipping && !news
		if p.got.Slice.Len > 0 && c.next != nil {
			c.unlink()
			s.link(c)
		}
	}
}
