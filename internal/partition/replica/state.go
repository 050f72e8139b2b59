package replica

// Role is what a replica is to its partition.
type Role int8

// The roles. A replica without an assignment, or whose partition has no
// leader, follows: it serves nobody.
const (
	Follower Role = iota
	Leader
)

// String is the role in a word.
func (r Role) String() string {
	if r == Leader {
		return "leader"
	}
	return "follower"
}

// Rules are the settings that a replica heeds.
type Rules struct {
	// Synced: a record counts on a replica when it is synced there
	// (durability=fsync). Otherwise it counts when it is appended.
	Synced bool
	// MinInsync is min.insync.replicas; more than there are replicas means all
	// of them.
	MinInsync int
}

// State is what one replica knows and decides. It is a plain value without
// lock or clock; whoever holds it serialises the calls. See doc.go.
type State struct {
	self  int32
	rules Rules
	role  Role

	leader         int32 // node id, -1 none
	leaderEpoch    int32 // -1 before the first assignment
	partitionEpoch int32 // -1 before the first assignment
	epochStart     int64 // end of the log when this leader epoch began here

	replicas []int32 // assigned, self included
	isr      []int32 // as the controller committed it
	proposed []int32 // ISR of the AlterPartition under way, nil when none

	followers []follower // on a leader: one for each other replica

	start   int64 // log start offset
	end     int64 // log end offset: the offset of the next record
	durable int64 // everything below is synced here
	high    int64 // high watermark

	txns Txns
}

// New returns a replica of node self that has no log and no role yet.
func New(self int32) State {
	return State{self: self, leader: -1, leaderEpoch: -1, partitionEpoch: -1}
}

// Configure takes new settings. The high watermark may go up by it.
func (s *State) Configure(r Rules) {
	s.rules = r
	s.advance()
}

// Open tells what the log holds after recovery. high is the high watermark as
// it was remembered, or start when it was not; a leader that is alone in the
// ISR finds it anew.
func (s *State) Open(start, end, durable, high int64) {
	s.start, s.end = start, end
	s.durable = max(s.durable, min(durable, end)) // a sync round may have been faster
	s.high = max(start, min(high, end))
	s.advance()
}

// Txns are the transactions that hold the last stable offset back.
func (s *State) Txns() *Txns { return &s.txns }

// Role is the role now.
func (s *State) Role() Role { return s.role }

// Leader is the node that leads, -1 when none is known.
func (s *State) Leader() int32 { return s.leader }

// PartitionEpoch counts the partition's changes in the metadata, -1 before the
// first assignment.
func (s *State) PartitionEpoch() int32 { return s.partitionEpoch }

// LeaderEpoch is the epoch of that leader, -1 before the first assignment.
func (s *State) LeaderEpoch() int32 { return s.leaderEpoch }

// Start is the log start offset.
func (s *State) Start() int64 { return s.start }

// End is the log end offset.
func (s *State) End() int64 { return s.end }

// High is the high watermark: consumers read below it, and what lies below it
// stays.
func (s *State) High() int64 { return s.high }

// Stable is the last stable offset: read_committed consumers read below it
// (KIP-98).
func (s *State) Stable() int64 {
	first, ok := s.txns.FirstUnstable(s.high)
	if !ok {
		return s.high
	}
	return max(s.start, min(first, s.high))
}
