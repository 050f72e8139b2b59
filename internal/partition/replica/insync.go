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
	start    int64 // its log start offset, or unknown

	// Lag (replica.lag.time.max.ms) is judged by when the follower last stood
	// at our end: at a fetch that reached the end as it was then, or as it was
	// at the fetch before.
	caughtUpMs   int64
	lastFetchMs  int64
	lastFetchEnd int64 // our end at that fetch, unknown before the first

	brokerEpoch int64 // as it told with its fetches, -1 when it did not (KIP-903)
	stuck       bool  // as it told with its last fetch
}

// Fetch is a follower's progress as its Fetch request tells it.
type Fetch struct {
	Appended int64 // fetch offset: its log end
	Synced   int64 // its synced offset (a tagged field of ours); -1 not told
	Start    int64 // its log start offset
	NowMs    int64 // on the leader's clock of lags
	// BrokerEpoch is that of the follower's registration, -1 when not told.
	BrokerEpoch int64
	// Stuck says that it could not keep what it got last: its disk is full.
	Stuck bool
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
		f := follower{id: id, appended: unknown, synced: unknown, start: unknown, lastFetchEnd: unknown, brokerEpoch: -1}
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
	r.lastFetchMs, r.lastFetchEnd, r.brokerEpoch = f.NowMs, s.end, f.BrokerEpoch
	r.appended, r.start, r.stuck = f.Appended, f.Start, f.Stuck
	// A follower that truncates takes its synced offset back with it.
	r.synced = min(f.Synced, f.Appended)
	s.advance()
	return wire.None
}

// Progressed notes what a follower has synced between two fetches; synced is
// never above what it has told to hold. The high watermark may go up by it.
func (s *State) Progressed(id int32, synced int64) wire.Code {
	if s.role != Leader {
		return wire.NotLeaderOrFollower
	}
	r := s.follower(id)
	if r == nil {
		return wire.UnknownLeaderEpoch
	}
	if synced = min(synced, r.appended); synced > r.synced {
		r.synced = synced
		s.advance()
	}
	return wire.None
}

// Low is the low watermark: below it nothing is left on any replica that is alive
// (KIP-107).
func (s *State) Low(alive func(id int32) bool) int64 {
	low := s.start
	for i := range s.followers {
		if f := &s.followers[i]; f.start < low && alive(f.id) {
			low = f.start
		}
	}
	return low
}

// Broken tells that a member of the ISR has less than what is committed: it has
// lost what it promised, and does not belong there whatever its lag is.
func (s *State) Broken(id int32) bool {
	r := s.follower(id)
	return s.role == Leader && r != nil && r.appended != unknown && s.InSync(id) && s.counted(r) < s.high
}

// Hinders tells that a member of the ISR cannot take what comes next, and that there
// are enough without it (min.insync.replicas): nothing is committed while it is
// waited for, and it says itself that it will not come.
func (s *State) Hinders(id int32) bool {
	r := s.follower(id)
	return s.role == Leader && r != nil && s.hinders(r)
}

func (s *State) hinders(r *follower) bool {
	if !r.stuck || r.appended == s.end || !slices.Contains(s.isr, r.id) {
		return false
	}
	able := len(s.isr)
	for i := range s.followers {
		if f := &s.followers[i]; f.stuck && slices.Contains(s.isr, f.id) {
			able--
		}
	}
	return able >= s.effectiveMin()
}

// Standing is what a leader knows of another replica.
type Standing struct {
	ID          int32
	Appended    int64 // its log end, -1 before its first fetch in this epoch
	CaughtUpMs  int64 // when it last stood at our end, on the leader's clock of lags
	BrokerEpoch int64 // -1 when it did not tell
	InSync      bool  // a member of the committed ISR
}

// Standings appends to buf what the leader knows of each follower.
func (s *State) Standings(buf []Standing) []Standing {
	for i := range s.followers {
		f := &s.followers[i]
		buf = append(buf, Standing{f.id, f.appended, f.caughtUpMs, f.brokerEpoch, slices.Contains(s.isr, f.id)})
	}
	return buf
}

// ISR is the ISR as the controller committed it; not to be changed.
func (s *State) ISR() []int32 { return s.isr }

// Proposed is the ISR of the proposal under way, nil when there is none; not to
// be changed.
func (s *State) Proposed() []int32 { return s.proposed }

// Replicas is how many replicas the partition has.
func (s *State) Replicas() int { return len(s.replicas) }

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

// MayJoin tells whether a follower may be proposed for the ISR: what counts on it
// reaches the high watermark, and the start of this leader epoch. The second is
// more than Kafka's word on appended records: everything committed before lies
// below that start, while our own high watermark may be older than the one that
// was told, and stands still below min.insync.replicas.
func (s *State) MayJoin(id int32) bool {
	r := s.follower(id)
	return s.role == Leader && r != nil && !s.InSync(id) && !r.stuck && s.counted(r) >= max(s.high, s.epochStart)
}

// Restless tells whether the ISR may have to change: somebody lags, has lost what
// it promised, or has caught up. It allocates nothing.
func (s *State) Restless(nowMs, maxLagMs int64) bool {
	for i := range s.followers {
		r := &s.followers[i]
		if s.lags(r, nowMs, maxLagMs) || s.Broken(r.id) || s.MayJoin(r.id) {
			return true
		}
	}
	return false
}

// lags tells whether a member of the ISR has not stood at the log end for longer
// than maxLagMs, or hinders.
func (s *State) lags(r *follower, nowMs, maxLagMs int64) bool {
	return slices.Contains(s.isr, r.id) && r.appended != s.end && nowMs-r.caughtUpMs > maxLagMs || s.hinders(r)
}

// Laggards appends to buf the members of the ISR that have not stood at the
// log end for longer than maxLagMs (replica.lag.time.max.ms), and those that hinder.
func (s *State) Laggards(buf []int32, nowMs, maxLagMs int64) []int32 {
	if s.role != Leader {
		return buf
	}
	for i := range s.followers {
		if r := &s.followers[i]; s.lags(r, nowMs, maxLagMs) {
			buf = append(buf, r.id)
		}
	}
	return buf
}
