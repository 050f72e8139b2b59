package consumer

import (
	"time"

	"ottla/internal/group/schema"
	"ottla/internal/uuid"
)

// Epochs that say something else.
const (
	joining     int32 = 0
	leaving     int32 = -1
	leavingSoon int32 = -2 // a static member that will be back
)

// Heartbeat is a ConsumerGroupHeartbeat; the reply is a Beat. Nil fields mean
// that what they are about has not changed.
type Heartbeat struct {
	Group, MemberID string
	// NewID is the member's id, should it come without.
	NewID                string
	Epoch                int32
	InstanceID, RackID   *string
	ClientID, ClientHost string
	RebalanceMs          int32 // -1: unchanged
	// Topics and Owned are nil when they have not changed; Said tells of each
	// that it was sent, for it may be empty.
	Topics     []string
	SaidTopics bool
	Regex      *string
	Assignor   *string
	Owned      []schema.TopicPartitions
	SaidOwned  bool
	Version    int16
}

// Beat answers a Heartbeat.
type Beat struct {
	MemberID string
	Epoch    int32
	Interval time.Duration
	// Assignment is nil when it has not changed.
	Assignment []schema.TopicPartitions
	Assigned   bool
}

// Describe shows a group; the reply is a Described.
type Describe struct{ Group string }

// Described is a consumer group.
type Described struct {
	State                  string
	Epoch, AssignmentEpoch int32
	Assignor               string
	Interval               time.Duration
	Members                []DescribedMember
}

// DescribedMember is a member of a consumer group.
type DescribedMember struct {
	ID                   string
	InstanceID, RackID   *string
	Epoch                int32
	ClientID, ClientHost string
	Topics               []string
	Regex                *string
	// Assigned is all that is the member's, what it must give up included.
	Assigned, Target []Assigned
	Classic          bool
}

// Assigned are partitions of a topic that is there.
type Assigned struct {
	Topic      string
	ID         uuid.UUID
	Partitions []int32
}

// Keys and bodies of timers, and what work brings back.
type (
	sessionKey   struct{ group, member string }
	rebalanceKey struct{ group, member string }
	joinKey      struct{ group, member string }
	syncKey      struct{ group, member string }

	// sessionDue: a member gave no sign of life.
	sessionDue struct{ group, member string }
	// rebalanceDue: a member did not give up its partitions in time.
	rebalanceDue struct {
		group, member string
		epoch         int32
	}
	// joinDue and syncDue: a classic member did not come in time.
	joinDue struct{ group, member string }
	syncDue struct{ group, member string }

	// resolved: regular expressions were looked up.
	resolved struct {
		group   string
		version int64
		list    []resolvedRegex
	}
)
