package coordinator

import (
	"time"

	"ottla/internal/wire"
)

// A node that is cut off goes on taking itself for a coordinator: it does not hear
// that another coordinates in its place. Nothing that it is told there is committed,
// and its members would wait, or believe that they are members still, for as long as
// the cut lasts. But the node knows when the others may have gone on without it
// (Options.Trusted), and when it is cut off (Options.Mute): from then on everybody is
// sent to look for the coordinator. Nothing is forgotten: when the node is heard
// again, and nobody took its place, the machine goes on where it was, as if its
// callers had lost their connections.

// excuseEvery is how often a shard that somebody waits for looks whether the node is
// cut off.
const excuseEvery = 500 * time.Millisecond

// doubt tells why a command is not for this node at the moment. That it is asked
// when the command comes, and not when it is stepped, is enough for what must be
// exact: the reply has all that was committed when it came.
func (s *shard) doubt(body any) error {
	if _, exact := body.(Exact); exact && s.o.Trusted != nil && !s.o.Trusted() {
		return errDoubt
	}
	if s.mute() {
		return errDoubt
	}
	return nil
}

// mute tells whether the node is cut off, and another may coordinate in its place.
func (s *shard) mute() bool {
	if s.o.Mute == nil || !s.o.Mute() {
		return false
	}
	s.mu.Lock()
	t := s.role.tail
	s.mu.Unlock()
	return t != nil && shared(t)
}

// shared tells whether another node has the partition too, and may coordinate by it.
func shared(t Tail) bool {
	sole, can := t.(Sole)
	return !can || !sole.Sole()
}

// vet lets go who waits where the node is cut off, and tells when to look again; the
// zero time is never.
func (s *shard) vet(now time.Time) (again time.Time) {
	if s.o.Mute == nil || !s.core.awaited() {
		return time.Time{}
	}
	if s.mute() {
		s.core.excuse(errDoubt)
		return time.Time{} // nobody comes while that lasts
	}
	return now.Add(excuseEvery)
}

// doubt looks at a reply to a command that wrote nothing. Replicas refuse what a
// coordinator writes that they know to be over, but a last word needs no replica: that a
// producer is fenced, that a member is unknown, that a transaction has ended already may
// be so here and not where its client was a moment ago.
func (c *core) doubt(r *Reply) {
	if c.trusted != nil && c.final(r) && !c.trusted() && shared(c.tail) {
		r.Body, r.Err = nil, errDoubt
	}
}

// final tells whether nobody asks again after a reply.
func (c *core) final(r *Reply) bool {
	if r.Err != nil {
		return Final(wire.CodeOf(r.Err))
	}
	x := c.waiting[r.Token]
	if x == nil {
		return false
	}
	firm, can := x.body.(Firm)
	return can && firm.Firm(r.Body)
}

// Final tells whether a code is the last word for who asked.
func Final(code wire.Code) bool {
	switch code {
	case wire.None, wire.RebalanceInProgress, wire.MemberIDRequired: // those come again at once
		return false
	}
	return !code.Retriable()
}

// awaited tells whether anybody waits for a reply.
func (c *core) awaited() bool { return len(c.waiting) > 0 || c.replies.len() > 0 }

// excuse tells everyone who waits why, and changes nothing else: what they asked for
// is done or not, as if they had gone.
func (c *core) excuse(why error) {
	for _, x := range c.replies.callers() {
		x.done(nil, why)
	}
	c.letGo(why)
}
