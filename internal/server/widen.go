package server

import (
	"context"
	"time"

	"ottla/internal/metadata"
)

// widenTimeout bounds how long the controller may take to hear which internal
// topics shall have more replicas.
const widenTimeout = 5 * time.Second

// followNodes gives internal topics the replicas that they lacked while the
// cluster was smaller, when nodes come: at the node that leads the quorum alone,
// though it would do no harm elsewhere.
func (s *Server) followNodes(img *metadata.Image, d *metadata.Delta) {
	if len(d.Brokers) == 0 || img.BrokerCount() < 2 {
		return
	}
	s.forgetting.Go(func() {
		if s.quorum.Status().Leader != s.nodeID {
			return
		}
		cmd, some := s.broker.Widen()
		if !some {
			return
		}
		ctx, cancel := context.WithTimeout(s.ctx, widenTimeout)
		defer cancel()
		if _, err := s.do(ctx, cmd); err != nil {
			s.o.Logger.Warn("internal topics have fewer replicas than they could; it is tried again when a node comes or goes",
				"partitions", len(cmd.Partitions), "err", err)
			return
		}
		s.o.Logger.Info("internal topics get more replicas: the cluster has grown", "partitions", len(cmd.Partitions))
	})
}
