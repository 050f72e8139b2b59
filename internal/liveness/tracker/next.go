package tracker

import (
	"fmt"
	"time"
)

// Kind is what the controller shall be told of a node.
type Kind int8

// The kinds of actions.
const (
	None Kind = iota
	Fence
	Unfence
	ShutDown // its controlled shutdown begins
)

func (k Kind) String() string { return [...]string{"none", "fence", "unfence", "shut down"}[k] }

// Action is one thing to tell the controller.
type Action struct {
	Kind  Kind
	Node  int32
	Epoch int64
	Why   string // of a Fence
}

// Next gives the actions that are due, those that fence first, and when to ask
// again if nothing happens before; the zero time means never.
func (t *Tracker) Next(now time.Time) (actions []Action, again time.Time) {
	t.awake(now)
	for _, pass := range []Kind{Fence, ShutDown, Unfence} {
		for _, n := range t.nodes {
			kind, why := t.due(now, n)
			if kind == pass && n.told != kind {
				n.told = kind
				actions = append(actions, Action{Kind: kind, Node: n.ID, Epoch: n.Epoch, Why: why})
			}
		}
	}
	for _, n := range t.nodes {
		if n.Fenced || n.told == Fence {
			continue
		}
		if again.IsZero() {
			again = now.Add(t.silence / 4) // often enough to tell our own pauses
		}
		if end := n.seen.Add(t.silence); end.Before(again) {
			again = end
		}
	}
	return actions, again
}

// awake does not count as silence what was a pause of this process: time in
// which nobody asked though somebody should have.
func (t *Tracker) awake(now time.Time) {
	if pause := now.Sub(t.looked); pause > t.silence/2 {
		for _, n := range t.nodes {
			if n.seen = n.seen.Add(pause); n.seen.After(now) {
				n.seen = now
			}
		}
	}
	t.looked = now
}

// due is what shall become of a node now.
func (t *Tracker) due(now time.Time, n *node) (kind Kind, why string) {
	silent := now.Sub(n.seen)
	switch {
	case n.Fenced:
		lives := n.heard && n.gone == "" && silent < t.silence
		if lives && n.applied >= n.mustApply && !n.wantFence && !n.wantShutDown && !n.ShuttingDown {
			return Unfence, ""
		}
		return None, ""
	case n.gone != "":
		return Fence, fmt.Sprintf("node %d %s", n.ID, n.gone)
	case silent >= t.silence:
		return Fence, fmt.Sprintf("node %d silent for %.1f s", n.ID, silent.Seconds())
	case n.wantFence:
		return Fence, fmt.Sprintf("node %d asked to be fenced", n.ID)
	case n.wantShutDown && n.ShuttingDown && t.mayStop(n):
		return Fence, fmt.Sprintf("node %d has stopped", n.ID)
	case n.wantShutDown && !n.ShuttingDown:
		return ShutDown, ""
	}
	return None, ""
}

// Failed tells that an action did not come to be: it may be given again.
func (t *Tracker) Failed(a Action) {
	if n := t.find(a.Node); n != nil && n.Epoch == a.Epoch && n.told == a.Kind {
		n.told = None
	}
}
