package replica

import (
	"slices"

	"ottla/internal/wire"
)

// Assignment is what the metadata log says of a partition.
type Assignment struct {
	Leader         int32 // -1 none
	LeaderEpoch    int32
	PartitionEpoch int32
	Replicas, ISR  []int32
	NowMs          int64 // members of the ISR are taken to have stood at the end now
}

// Change is what an assignment did.
type Change struct {
	Stale    bool // older than what is known: nothing changed
	NewEpoch bool // this replica begins a leader epoch: note it at the log end before the first append (KIP-101)
	LostLead bool // it led and does not any more: nothing it promised can be kept
	Moved    bool // leader or epoch changed: waiting fetches must look again
}

// Become takes an assignment. The transitions:
//
//	older partition or leader epoch   ignored
//	leader = self, higher epoch       leader; followers start unknown, so the
//	                                  high watermark stands until each member
//	                                  of the ISR has fetched
//	leader = self, same epoch         leader; only replicas and ISR change, and
//	                                  a proposal under way is settled by it
//	leader = other or none            follower
//
// A leader that is elected again (a higher epoch while it leads) keeps its
// log, so what it promised still holds.
func (s *State) Become(a Assignment) Change {
	if s.stale(a) {
		return Change{Stale: true}
	}
	led := s.role == Leader
	c := Change{Moved: a.LeaderEpoch > s.leaderEpoch || a.Leader != s.leader, NewEpoch: s.Begins(a)}

	s.leader, s.leaderEpoch, s.partitionEpoch = a.Leader, a.LeaderEpoch, a.PartitionEpoch
	s.replicas = slices.Clone(a.Replicas)
	s.isr = slices.Clone(a.ISR)
	s.proposed = nil

	if a.Leader != s.self {
		s.role = Follower
		s.followers = nil
		c.LostLead = led
		return c
	}
	s.role = Leader
	if c.NewEpoch {
		s.epochStart = s.end
	}
	s.track(c.NewEpoch, a.NowMs)
	s.advance()
	return c
}

func (s *State) stale(a Assignment) bool {
	return a.PartitionEpoch < s.partitionEpoch || a.LeaderEpoch < s.leaderEpoch
}

// Begins tells whether this replica would begin a leader epoch by the
// assignment: its entry must stand at the log end before anything else
// happens in it (KIP-101).
func (s *State) Begins(a Assignment) bool {
	return !s.stale(a) && a.Leader == s.self && (a.LeaderEpoch > s.leaderEpoch || s.role != Leader)
}

// CheckEpoch fences a request by the leader epoch that its sender knows; -1
// means that it did not say (KIP-320), anything else is an epoch.
func (s *State) CheckEpoch(current int32) wire.Code {
	switch {
	case current == -1 || current == s.leaderEpoch:
		return wire.None
	case current < s.leaderEpoch:
		return wire.FencedLeaderEpoch
	default:
		return wire.UnknownLeaderEpoch
	}
}

// CheckLead is CheckEpoch for what only the leader may answer. As in Kafka the
// epoch is judged first: a client with newer metadata than ours must not be
// sent away to look for it.
func (s *State) CheckLead(current int32) wire.Code {
	if c := s.CheckEpoch(current); c != wire.None {
		return c
	}
	if s.role != Leader {
		return wire.NotLeaderOrFollower
	}
	return wire.None
}

// CheckFollow tells whether this replica takes what the leader of an epoch gives
// it.
func (s *State) CheckFollow(epoch int32) wire.Code {
	if c := s.CheckEpoch(max(epoch, 0)); c != wire.None {
		return c
	}
	if s.role != Follower || s.leader < 0 {
		return wire.NotLeaderOrFollower
	}
	return wire.None
}

// Follows tells whether the replica would follow by the assignment.
func (s *State) Follows(a Assignment) bool { return !s.stale(a) && a.Leader != s.self }

// Catching tells that this leader's high watermark still lies before the
// start of its own epoch: it cannot say yet what the latest offset is
// (KIP-207).
func (s *State) Catching() bool { return s.role == Leader && s.high < s.epochStart }

// Diverges judges the epoch of the last record that a reader has, against
// ours: found and foundEnd are the largest epoch of our log not above that
// epoch, and where it ended. It diverges when our log has no such epoch or
// ended it earlier; the reader must truncate to what we answer (KIP-595).
func Diverges(lastFetchedEpoch int32, fetchOffset int64, found int32, foundEnd int64) bool {
	return found < lastFetchedEpoch || foundEnd < fetchOffset
}
