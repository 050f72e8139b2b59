package replica

import "ottla/internal/wire"

// The values of acks in a Produce request.
const (
	AcksAll    = -1
	AcksNone   = 0
	AcksLeader = 1
)

// effectiveMin is min.insync.replicas, but not more than there are replicas:
// a topic of one replica stays writable whatever the cluster's default is.
func (s *State) effectiveMin() int { return min(s.rules.MinInsync, len(s.replicas)) }

// MayYield tells whether there are enough replicas in sync without this leader for
// another to take writes in its place.
func (s *State) MayYield() bool {
	return s.role == Leader && len(s.isr)-1 >= max(s.effectiveMin(), 1)
}

// MayAppend tells whether a write with the given acks may begin.
func (s *State) MayAppend(acks int16) wire.Code {
	switch {
	case acks != AcksAll && acks != AcksNone && acks != AcksLeader:
		return wire.InvalidRequiredAcks
	case s.role != Leader:
		return wire.NotLeaderOrFollower
	case acks == AcksAll && len(s.isr) < s.effectiveMin():
		return wire.NotEnoughReplicas
	}
	return wire.None
}

// Bound is the offset below which answers with the given acks may leave.
func (s *State) Bound(acks int16) int64 {
	switch acks {
	case AcksNone:
		return s.end
	case AcksLeader:
		return s.kept()
	}
	return s.high
}

// Settled tells whether the answer to a write that ends at end may leave, and
// what it says. NOT_ENOUGH_REPLICAS_AFTER_APPEND means that the records are
// committed, but that the ISR has shrunk below min.insync.replicas since.
func (s *State) Settled(end int64, acks int16) (bool, wire.Code) {
	if acks == AcksNone {
		return true, wire.None
	}
	if s.role != Leader {
		return true, wire.NotLeaderOrFollower
	}
	if s.Bound(acks) < end {
		return false, wire.None
	}
	return true, s.Verdict(acks)
}

// Verdict is what an answer says once its bound is reached.
func (s *State) Verdict(acks int16) wire.Code {
	if acks == AcksAll && s.maximalCount() < s.effectiveMin() {
		return wire.NotEnoughReplicasAfterAppend
	}
	return wire.None
}
