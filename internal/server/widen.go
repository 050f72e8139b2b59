package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"ottla/internal/broker"
	"ottla/internal/metadata"
)

// widenTimeout bounds how long the controller may take to hear which internal
// topics shall have more replicas.
const widenTimeout = 5 * time.Second

// followNodes gives internal topics the replicas that they lacked while the
// cluster was smaller, when nodes come, and has them ask for more in sync when they
// have them: at the node that leads the quorum alone, though it would do no harm
// elsewhere.
func (s *Server) followNodes(img *metadata.Image, d *metadata.Delta) {
	if mayWiden(img, d) {
		s.widen()
	}
}

// mayWiden tells whether a step may have left internal topics with fewer
// replicas than there could be: a node came; one of them was made by who did not
// know of it yet; or one of them has all replicas that it was to get, since what
// is under way is let be, and yet another node may have come meanwhile.
func mayWiden(img *metadata.Image, d *metadata.Delta) bool {
	if img.BrokerCount() < 2 {
		return false
	}
	return len(d.Brokers) > 0 ||
		slices.ContainsFunc(d.Created, func(t *metadata.Topic) bool { return broker.Grows(t.Name) }) ||
		slices.ContainsFunc(d.Changed, func(p *metadata.Partition) bool {
			return len(p.Adding)+len(p.Removing) == 0 && broker.Grows(p.Topic.Name)
		})
}

// once keeps what looks at the whole to one at a time; whoever comes meanwhile has
// it look again.
type once struct {
	mu          sync.Mutex // guards both
	busy, again bool
}

// begin tells whether the caller is to look, and go on as long as more says so.
func (o *once) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.busy
	o.busy, o.again = true, !first
	return first
}

func (o *once) more() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	more := o.again
	o.busy, o.again = more, false
	return more
}

// widen has internal topics looked at where this node leads the quorum.
func (s *Server) widen() {
	if !s.widening.begin() {
		return
	}
	s.forgetting.Go(func() {
		for more := true; more; more = s.widening.more() {
			s.widenNow()
		}
	})
}

func (s *Server) widenNow() {
	if s.quorum.Status().Leader != s.nodeID {
		return
	}
	if cmd, some := s.broker.Widen(); some {
		s.grow(cmd, "internal topics get more replicas: the cluster has grown", "partitions", len(cmd.Partitions))
	}
	if cmd, some := s.broker.Strengthen(); some {
		s.grow(cmd, "internal topics need more replicas in sync from now on", "topics", len(cmd.Resources))
	}
}

// grow gives the controller a command that follows from the size of the cluster.
func (s *Server) grow(cmd any, what, of string, count int) {
	ctx, cancel := context.WithTimeout(s.ctx, widenTimeout)
	defer cancel()
	if _, err := s.do(ctx, cmd); err != nil {
		s.o.Logger.Warn("internal topics are not yet what they could be in this cluster; it is tried again when a node comes or goes", of, count, "err", err)
		return
	}
	s.o.Logger.Info(what, of, count)
}
