package tracker

import (
	"slices"
	"time"
)

// DefaultSilence is how long a node may be silent before it is fenced.
const DefaultSilence = 2 * time.Second

// Node is a registration as the metadata have it.
type Node struct {
	ID           int32
	Epoch        int64
	Fenced       bool
	ShuttingDown bool
}

// Tracker follows the nodes of a cluster while this one leads its quorum.
type Tracker struct {
	silence time.Duration
	nodes   []*node // by id
	waits   []wait
	looked  time.Time // when Next was last asked
}

// node is what is known of one.
type node struct {
	Node
	// seen is the last sign of life, or the begin of the time to give one.
	seen time.Time
	// heard tells that it spoke to this leadership, under this epoch.
	heard   bool
	applied int64 // metadata offset, -1 before it is heard
	// mustApply is the offset of an image that has its registration and its last
	// fencing.
	mustApply int64
	// leftAt is the offset of an image in which it is shutting down.
	leftAt                  int64
	wantFence, wantShutDown bool
	down                    bool   // its connection was reset since it was last seen
	gone                    string // why it is known to have ended
	told                    Kind   // the action under way
}

// New makes a tracker that knows nobody; silence 0 means DefaultSilence.
func New(silence time.Duration) *Tracker {
	if silence <= 0 {
		silence = DefaultSilence
	}
	return &Tracker{silence: silence}
}

// Reset begins a leadership: offset is the metadata's, nodes are all that are
// registered. Everybody has time to be heard. Who waits is let go.
func (t *Tracker) Reset(now time.Time, offset int64, nodes []Node) (released []uint64) {
	for _, w := range t.waits {
		released = append(released, w.id)
	}
	t.nodes, t.waits, t.looked = nil, nil, now
	t.Image(now, offset, nodes)
	return released
}

// Suspect gives a node only half the time to be heard: the leader before, who
// was silent for as long as an election takes.
func (t *Tracker) Suspect(id int32) {
	if n := t.find(id); n != nil && !n.heard {
		n.seen = n.seen.Add(-t.silence / 2)
	}
}

// Image tells what the metadata at an offset have: all registered nodes. It need
// not be called for steps that changed none.
func (t *Tracker) Image(now time.Time, offset int64, nodes []Node) {
	next := make([]*node, 0, len(nodes))
	for _, is := range nodes {
		n := t.find(is.ID)
		switch {
		case n == nil || n.Epoch != is.Epoch:
			n = &node{Node: is, seen: now, applied: -1, mustApply: offset, leftAt: -1}
		case n.Node == is:
		default:
			n.told = None
			if is.Fenced && !n.Fenced {
				n.mustApply = offset
			}
			n.Node = is
		}
		if is.ShuttingDown && n.leftAt < 0 {
			n.leftAt = offset
		}
		next = append(next, n)
	}
	slices.SortFunc(next, func(a, b *node) int { return int(a.ID) - int(b.ID) })
	t.nodes = next
}

func (t *Tracker) find(id int32) *node {
	for _, n := range t.nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}
