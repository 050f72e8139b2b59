package server

import "ottla/internal/controller"

// uncleanly logs the changes after which records may be missing; every other change of
// a partition is for ExplainPartition to tell.
func (s *Server) uncleanly(r controller.Reason) {
	if !r.Unclean {
		return
	}
	log := s.o.Logger.With("topic", r.Topic, "partition", r.Index, "broker", r.To, "leader_epoch", r.LeaderEpoch, "why", r.Why)
	if r.From == r.To {
		log.Warn("a leader goes on without others: records that only they have may be lost")
		return
	}
	log.Warn("unclean election: records that only other replicas had may be lost")
}
