package server

import "ottla/internal/controller"

// uncleanly logs the elections after which records may be missing; every other
// change of a partition is for ExplainPartition to tell.
func (s *Server) uncleanly(r controller.Reason) {
	if r.Unclean {
		s.o.Logger.Warn("unclean election: records that only other replicas had may be lost",
			"topic", r.Topic, "partition", r.Index, "broker", r.To, "leader_epoch", r.LeaderEpoch, "why", r.Why)
	}
}
