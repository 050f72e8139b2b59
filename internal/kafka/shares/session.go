package shares

import (
	"math"
	"slices"
	"sync"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Session epochs with a meaning of their own (KIP-932).
const (
	initialEpoch = 0  // opens a session, in the place of an earlier one
	finalEpoch   = -1 // closes it
)

// nextEpoch follows an epoch; it wraps to 1.
func nextEpoch(e int32) int32 {
	if e == math.MaxInt32 {
		return 1
	}
	return e + 1
}

// sessionKey names a session: a member has one at a node.
type sessionKey struct{ group, member string }

// session is what a member does not repeat: the partitions it reads.
type session struct {
	key  sessionKey
	conn uint64 // the connection that opened it

	mu    sync.Mutex // guards all below
	epoch int32      // that the next request must carry
	parts []member
	has   map[store.Key]bool // of parts
	idle  int                // fetches in a row that were answered early and gave nothing
	turn  int                // where the next fetch begins, so that no partition starves
}

// member is a partition of a session. It stays there whoever leads it: a member
// that hears of a new leader sooner than the node itself names it once.
type member struct {
	key  store.Key
	part *lead.Part // nil while it is not led here
}

// maxSessionParts bounds the partitions of a session, far above what a member
// is given.
const maxSessionParts = 100_000

// maxStrangers bounds those of them that are not led here: what others lead, or
// nobody, costs no more than a name to ask for. Beyond it each is answered once
// and forgotten.
const maxStrangers = 5000

// add takes a partition into the session, if it is not there. mu held.
func (s *session) add(key store.Key) {
	if !s.has[key] && len(s.parts) < maxSessionParts {
		s.parts = append(s.parts, member{key: key})
		s.has[key] = true
	}
}

// remove forgets partitions. mu held.
func (s *session) remove(gone map[store.Key]bool) {
	if len(gone) == 0 {
		return
	}
	s.parts = slices.DeleteFunc(s.parts, func(p member) bool {
		if gone[p.key] {
			delete(s.has, p.key)
		}
		return gone[p.key]
	})
}

// inTurn lists the partitions for a fetch, each time beginning with another one.
// find gives the part of one that is led here, or says why there is none. mu held.
func (s *session) inTurn(find func(store.Key) (*lead.Part, error)) []fetchPart {
	n := len(s.parts)
	if n == 0 {
		return nil
	}
	s.turn = (s.turn + 1) % n
	out := make([]fetchPart, 0, n)
	strangers := 0
	gone := map[store.Key]bool{}
	for i := range n {
		p := &s.parts[(s.turn+i)%n]
		var err error
		if p.part == nil || p.part.Gone() {
			p.part, err = find(p.key)
		}
		if p.part == nil {
			if strangers++; strangers > maxStrangers {
				gone[p.key] = true
			}
		}
		out = append(out, fetchPart{part: p.part, key: p.key, err: err})
	}
	s.remove(gone)
	return out
}

// sessions holds those of a node, at most most of them.
type sessions struct {
	most int

	mu    sync.Mutex // guards all below
	byKey map[sessionKey]*session
}

func newSessions(most int) *sessions { return &sessions{most: most, byKey: map[sessionKey]*session{}} }

// open makes a session in the place of the member's last one.
func (c *sessions) open(key sessionKey, conn uint64) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] == nil && len(c.byKey) >= c.most {
		return nil, wire.Errorf(wire.ShareSessionLimitReached, "this node has %d share sessions and may have no more (group.share.max.share.sessions)", c.most)
	}
	s := &session{key: key, conn: conn, epoch: nextEpoch(initialEpoch), has: map[store.Key]bool{}}
	c.byKey[key] = s
	return s, nil
}

// find gives a member's session.
func (c *sessions) find(key sessionKey) (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.byKey[key]; s != nil {
		return s, nil
	}
	return nil, wire.ShareSessionNotFound
}

// step finds a member's session and takes one step of it; on success its mutex
// is held.
func (c *sessions) step(key sessionKey, epoch int32) (*session, error) {
	s, err := c.find(key)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.epoch != epoch {
		want := s.epoch
		s.mu.Unlock()
		return nil, wire.Errorf(wire.InvalidShareSessionEpoch, "the share session's next epoch is %d, not %d", want, epoch)
	}
	s.epoch = nextEpoch(epoch)
	return s, nil
}

// drop ends a member's session.
func (c *sessions) drop(key sessionKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byKey, key)
}

// close ends a session, if it is the member's still.
func (c *sessions) close(s *session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[s.key] != s {
		return false
	}
	delete(c.byKey, s.key)
	return true
}

// any tells whether a group has a session.
func (c *sessions) any(group string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.byKey {
		if key.group == group {
			return true
		}
	}
	return false
}

// closeAll ends the sessions that were opened on a connection and names their
// members.
func (c *sessions) closeAll(conn uint64) []sessionKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []sessionKey
	for key, s := range c.byKey {
		if s.conn == conn {
			delete(c.byKey, key)
			out = append(out, key)
		}
	}
	return out
}

// keyOf is the state's key of a partition in a session's group.
func (k sessionKey) keyOf(topic uuid.UUID, index int32) store.Key {
	return store.Key{Group: k.group, TopicID: topic, Partition: index}
}
