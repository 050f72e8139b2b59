package quorum

import (
	"context"

	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Receive takes a frame that node from posted (Options.Send there). It never
// blocks; the frame is handed over. What does not fit is dropped.
func (n *Node) Receive(from int32, frame []byte) {
	if len(frame) > MaxFrame {
		return
	}
	size := int64(len(frame))
	if n.waiting.Add(size) > inboxBytes {
		n.waiting.Add(-size)
		return
	}
	select {
	case n.inbox <- letter{from, frame}:
	default:
		n.waiting.Add(-size)
	}
}

// collect takes what else came, so that it shares a write.
func (n *Node) collect(l letter) []letter {
	letters := []letter{l}
	for len(letters) < turnSize {
		select {
		case l := <-n.inbox:
			letters = append(letters, l)
			continue
		default:
		}
		break
	}
	for _, l := range letters {
		n.waiting.Add(-int64(len(l.frame)))
	}
	return letters
}

// call runs do on the quorum's goroutine.
func (n *Node) call(ctx context.Context, do func(*member)) error {
	select {
	case n.calls <- do:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.done:
		return errClosed
	}
}

// Change changes the quorum's members, on its leader: it returns when the
// change is committed. Changes are carried out one after the other. On a node
// that does not lead it fails as Do does.
func (n *Node) Change(ctx context.Context, c MembershipChange) error {
	to := make(chan result, 1)
	err := n.call(ctx, func(m *member) {
		m.order(n.o.Now(), &order{MembershipChange: c, to: to, abandoned: func() bool { return ctx.Err() != nil }})
	})
	if err != nil {
		return err
	}
	err = n.await(ctx, to).err
	if err != nil && c.Kind == Promote && ctx.Err() != nil {
		return ErrNotCaughtUp
	}
	return err
}

// Lost tells that the process of a node has ended, for all that is known here (its
// connection was reset, and a probe failed): where that node leads, the others
// need not wait until it has been silent for long. It is a hint; a leader that
// lives leads on.
func (n *Node) Lost(ctx context.Context, node int32) error {
	return n.call(ctx, func(m *member) { m.ended(n.o.Now(), node) })
}

// DirectoryID is the directory under which this node takes part: what it tells
// when it joins.
func (n *Node) DirectoryID() uuid.UUID { return n.o.DirectoryID }

// JoinRequest is a node's wish to be taken in: what the one that joins says of
// itself, its DirectoryID included.
type JoinRequest struct {
	Voter     // NoVote: it shall never be made a voter by itself
	ClusterID string
}

// Join takes a node in, on the leader: as a learner first; the leader makes a
// voter of it once it has caught up and as long as there are fewer than
// AutoVoters. It may be asked again, and answers at once where the node is a
// member already.
func (n *Node) Join(ctx context.Context, r JoinRequest) error {
	if r.ClusterID != n.o.ClusterID {
		return wire.Errorf(wire.InconsistentClusterID, "this is cluster %s, and the node is of cluster %s", n.o.ClusterID, r.ClusterID)
	}
	err := n.Change(ctx, MembershipChange{AddLearner, r.Voter})
	if wire.CodeOf(err) == wire.DuplicateVoter {
		return nil
	}
	return err
}

// Resign hands the leadership on, where this node leads and another voter is
// there to take it, and returns when it has.
func (n *Node) Resign(ctx context.Context) error {
	begun := make(chan bool, 1)
	handed := make(chan struct{})
	err := n.call(ctx, func(m *member) {
		ok := m.resign(n.o.Now())
		if ok {
			n.resigning = append(n.resigning, handed)
		}
		begun <- ok
	})
	if err != nil {
		return err
	}
	if !<-begun {
		return nil
	}
	select {
	case <-handed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.done:
		return nil
	}
}

// resigned lets go those who wait until another leads.
func (n *Node) resigned() {
	if l := n.member.leader; len(n.resigning) > 0 && l >= 0 && l != n.o.NodeID {
		for _, handed := range n.resigning {
			close(handed)
		}
		n.resigning = nil
	}
}
