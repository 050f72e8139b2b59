package tracker

import (
	"time"

	"ottla/internal/wire"
)

// Beat is a heartbeat.
type Beat struct {
	Node         int32
	Epoch        int64 // of its registration
	Applied      int64 // metadata offset that it serves by
	WantFence    bool
	WantShutDown bool
}

// Answer is how the node stands.
type Answer struct {
	Fenced         bool
	CaughtUp       bool // it has applied all that it must to be unfenced
	ShouldShutDown bool
}

// Seen takes a heartbeat. The error is BROKER_ID_NOT_REGISTERED or
// STALE_BROKER_EPOCH: register (again).
func (t *Tracker) Seen(now time.Time, b Beat) (Answer, error) {
	n := t.find(b.Node)
	if n == nil {
		return Answer{}, wire.Errorf(wire.BrokerIDNotRegistered, "node %d is not registered", b.Node)
	}
	if n.Epoch != b.Epoch {
		return Answer{}, wire.Errorf(wire.StaleBrokerEpoch, "node %d is registered with epoch %d, not %d", b.Node, n.Epoch, b.Epoch)
	}
	n.seen, n.heard, n.down, n.gone = now, true, false, ""
	n.applied = max(n.applied, b.Applied)
	n.wantFence = b.WantFence
	n.wantShutDown = n.wantShutDown || b.WantShutDown
	return Answer{
		Fenced: n.Fenced, CaughtUp: n.applied >= n.mustApply,
		ShouldShutDown: n.wantShutDown && t.mayStop(n),
	}, nil
}

// mayStop tells whether a stopping node is led by nobody any more who serves.
func (t *Tracker) mayStop(n *node) bool {
	if n.Fenced {
		return true
	}
	if !n.ShuttingDown {
		return false
	}
	for _, other := range t.nodes {
		if other != n && !other.Fenced && other.applied < n.leftAt {
			return false
		}
	}
	return true
}

// Down tells that the connection to a node was reset; true asks for a probe.
func (t *Tracker) Down(id int32) bool {
	n := t.find(id)
	if n == nil {
		return false
	}
	n.down = true
	return !n.Fenced
}

// Gone tells that a probe of a node failed after its connection was reset. One
// that was heard in between lives.
func (t *Tracker) Gone(id int32, why string) {
	if n := t.find(id); n != nil && n.down {
		n.gone = why
	}
}

// Ended tells whether the process behind a registration has ended, for all that
// is known: it failed a probe, or the one that asks has the same directory, which
// two processes cannot have, and its connection was reset or it never spoke to
// this leadership, as when the power of all was cut. A copy of the directory that
// is started while the original runs is refused: that one reports.
func (t *Tracker) Ended(id int32, sameDirectory bool) bool {
	n := t.find(id)
	return n == nil || n.gone != "" || sameDirectory && (n.down || !n.heard)
}
