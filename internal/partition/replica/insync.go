package replica

import (
	"slices"

	"ottla/internal/wire"
)

// unknown is the offset of a follower that has not fetched in this epoch.
const unknown = -1

// follower is what a leader knows of another replica. All of it comes from
// that replica's fetches in the leader's epoch.
type follower struct {
	id       int32
	appended int64 // its log end, or unknown
	synced   int64 // what it has told to be synced, or unknown; never above appended

	// Lag (replica.lag.time.max.ms) is judged by when the follower last stood
	// at our end: at a fetch that reached the end as it was then, or as it was
	// at the fetch before.
	caughtUpMs   int64
	lastFetchMs  int64
	lastFetchEnd int64 // our end at that fetch, unknown before the first
}

// Fetch is a follower's progress as its Fetch request tells it.
type Fetch struct {
	Appended int64 // fetch offset: its log end
	Synced   int64 // its synced offset (a tagged field of ours); -1 not told
	NowMs    int64
}

// track makes the list of followers fit the assignment. With fresh, what was
// known is forgotten: it came from another epoch.
func (s *State) track(fresh bool, nowMs int64) {
	old := s.followers
	s.followers = nil
	for _, id := range s.replicas {
		if id == s.self {
			continue
		}
		f := follower{id: id, appended: unknown, synced: unknown, lastFetchEnd: unknown}
		if slices.Contains(s.isr, id) {
			f.caughtUpMs = nowMs
		}
		if i := slices.IndexFunc(old, func(o follower) bool { return o.id == id }); i >= 0 && !fresh {
			f = old[i]
		}
		s.followers = append(s.followers, f)
	}
}

func (s *State) follower(id int32) *follower {
	for i := range s.followers {
		if s.followers[i].id == id {
			return &s.followers[i]
		}
	}
	return nil
}

// Fetched notes a follower's progress; the high watermark may go up by it. A
// node that is no replica gets UNKNOWN_LEADER_EPOCH as in Kafka: it may know
// an assignment that we do not know yet, and tries again.
func (s *State) Fetched(id int32, f Fetch) wire.Code {
	if s.role != Leader {
		return wire.NotLeaderOrFollower
	}
	r := s.follower(id)
	if r == nil {
		return wire.UnknownLeaderEpoch
	}
	if f.Appended >= s.end {
		r.caughtUpMs = max(r.caughtUpMs, f.NowMs)
	} else if r.lastFetchEnd != unknown && f.Appended >= r.lastFetchEnd {
		r.caughtUpMs = max(r.caughtUpMs, r.lastFetchMs)
	}
	r.lastFetchMs, r.lastFetchEnd = f.NowMs, s.end
	r.appended = f.Appended
	// A follower that truncates takes its synced offset back with it.
	r.synced = min(f.Synced, f.Appended)
	s.advance()
	return wire.None
}

// InSync tells whether id is in the maximal ISR: committed, or proposed.
// Those who join count for the high watermark from the moment they are
// proposed, for the controller may have taken them in already (KIP-497).
func (s *State) InSync(id int32) bool {
	return slices.Contains(s.isr, id) || slices.Contains(s.proposed, id)
}

// maximalCount is the size of the maximal ISR.
func (s *State) maximalCount() int {
	n := len(s.isr)
	for _, id := range s.proposed {
		if !slices.Contains(s.isr, id) {
			n++
		}
	}
	return n
}

// Proposing tells whether an AlterPartition is under way: only one is at a
// time.
func (s *State) Proposing() bool { return s.proposed != nil }

// Propose notes the ISR that the controller was asked for. A later assignment
// settles it; Withdraw takes it back when the controller refused.
func (s *State) Propose(isr []int32) { s.proposed = slices.Clone(isr) }

// Withdraw forgets a refused proposal; the high watermark may go up by it.
func (s *State) Withdraw() {
	s.proposed = nil
	s.advance()
}

// MayJoin tells whether a follower may be proposed for the ISR: it holds
// everything that is committed and has reached the start of this leader epoch,
// so its log is ours up to there.
func (s *State) MayJoin(id int32) bool {
	r := s.follower(id)
	return s.role == Leader && r != nil && !s.InSync(id) &&
		s.counted(r) >= s.high && r.appended >= s.epochStart
}

// Laggards appends to buf the members of the ISR that have not stood at the
// log end for longer than maxLagMs (replica.lag.time.max.ms).
func (s *State) Laggards(buf []int32, nowMs, maxLagMs int64) []int32 {
	if s.role != Leader {
		return buf
	}
	for i := range s.followers {
		r := &s.followers[i]
		if !slices.Contains(s.isr, r.id) || r.appended == s.end {
			continue
		}
		if nowMs-r.caughtUpMs > maxLagMs {
			buf = append(buf, r.id)
		}
	}
	return buf
}
