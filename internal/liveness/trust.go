package liveness

import (
	"sync/atomic"
	"time"
)

// trust is how long a node may take it that nobody has taken its place: what it
// leads is led by nobody else before it was fenced, and it is fenced for silence
// no sooner than that. It begins with the sending of a heartbeat that was
// answered, which is before the one who answered counts from, less what that one
// may itself have been deposed for. Who leads is changed by order, too, so a
// heartbeat counts only once this node has applied what the one who answered had
// applied: a node that hears no more of the metadata does not trust itself.
//
// It is soft: a node that was fenced at once, because its connection was reset
// and a probe did not reach it, or whose place was given to another by order, may
// take it so for some moments more. And it is for reads alone; what is written
// needs the replicas in sync.
type trust struct {
	began time.Time    // what until counts from; set once, before it is used
	until atomic.Int64 // a time.Duration since then; 0 before the first heartbeat is due
	none  atomic.Bool  // this node has failed, and will never be trusted again
}

// answered is a heartbeat whose answer told of metadata that this node has not
// applied yet.
type answered struct {
	sent   time.Time
	by     time.Duration
	offset int64
}

// over is an until that is always past.
const over = -1

func (t *trust) extend(sent time.Time, by time.Duration) {
	t.until.Store(max(int64(sent.Add(by).Sub(t.began)), t.until.Load(), 1)) // what held before holds on
}

func (t *trust) end() { t.until.Store(over) }

func (t *trust) holds(now time.Time) bool {
	until := t.until.Load()
	return until == 0 || int64(now.Sub(t.began)) < until
}

// Distrust ends the trust for good. A node that has failed and is about to stop still
// answers, and its heartbeats are answered, but it may hear no more of the metadata:
// others may lead what it leads before it is fenced.
func (s *Speaker) Distrust() {
	s.trust.none.Store(true)
	s.mu.Lock()
	s.wake()
	s.mu.Unlock()
}

// Trusted tells whether this node may answer, without asking anybody, what only
// one node may: that nobody can have taken its place yet. A node alone always
// may. It costs a look at the clock.
func (s *Speaker) Trusted() bool {
	if s.trust.none.Load() {
		return false
	}
	if s.trust.until.Load() == 0 {
		return true
	}
	return s.trust.holds(s.o.Now())
}
