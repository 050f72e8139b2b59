package sharegroup

import (
	"ottla/internal/group/schema"
	"ottla/internal/uuid"

	"time"
)

// The commands that the kind steps and their replies. A refusal is an error
// with a wire.Code.

// Heartbeat is a ShareGroupHeartbeat; the reply is a Beat.
type Heartbeat struct {
	Group, MemberID string
	// Epoch is 0 to join, -1 to leave.
	Epoch                int32
	RackID               *string
	Topics               []string
	SaidTopics           bool // Topics are said; else they are as before
	ClientID, ClientHost string
}

// Epochs with a meaning of their own.
const (
	joining = 0
	leaving = -1
)

// Beat answers a Heartbeat.
type Beat struct {
	MemberID string
	Epoch    int32
	Interval time.Duration
	// Assigned says that Assignment is told.
	Assigned   bool
	Assignment []schema.TopicPartitions
}

// Describe shows a group; the reply is a Described.
type Describe struct{ Group string }

// Described is a group.
type Described struct {
	State                  string
	Epoch, AssignmentEpoch int32
	Assignor               string
	Interval               time.Duration
	Members                []DescribedMember
}

// DescribedMember is a member.
type DescribedMember struct {
	ID                   string
	RackID               *string
	Epoch                int32
	ClientID, ClientHost string
	Topics               []string
	Assigned             []Assigned
}

// Assigned are partitions of a topic.
type Assigned struct {
	Topic      string
	ID         uuid.UUID
	Partitions []int32
}

// States tells of which topics a group has states; the reply is a
// []schema.ShareTopic, sorted by name. GROUP_ID_NOT_FOUND when there is no such
// share group. Idle refuses a group that has members (NON_EMPTY_GROUP).
type States struct {
	Group string
	Idle  bool
}

// AddStates notes that a group without members has states of topics; a group
// that is not there is made. The reply is nil.
type AddStates struct {
	Group  string
	Topics []schema.ShareTopic
}

// DropStates forgets that a group without members has states of topics. The
// reply is nil.
type DropStates struct {
	Group string
	IDs   []uuid.UUID
}
