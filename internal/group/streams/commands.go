package streams

import (
	"time"

	"ottla/internal/group/schema"
)

// Epochs that say something else.
const (
	joining     int32 = 0
	leaving     int32 = -1
	leavingSoon int32 = -2 // a static member that will be back
)

// Heartbeat is a StreamsGroupHeartbeat; the reply is a Beat. Nil fields mean
// that what they are about has not changed.
type Heartbeat struct {
	Group, MemberID      string
	Epoch, EndpointEpoch int32
	InstanceID, RackID   *string
	ClientID, ClientHost string
	RebalanceMs          int32 // -1: unchanged
	Topology             *schema.StreamsTopologyValue
	// Owned is what the member has; Said tells of each role that it was sent,
	// for it may be empty.
	Owned                               schema.StreamsAssignment
	SaidActive, SaidStandby, SaidWarmup bool
	ProcessID                           *string
	Endpoint                            *schema.StreamsEndpoint
	Tags                                []schema.StreamsPair
	SaidTags                            bool
	Offsets, Ends                       []TaskOffset
	SaidOffsets, SaidEnds               bool
	Shutdown                            bool
	Version                             int16
}

// TaskOffset is how far a member has come with the changelogs of a task.
type TaskOffset struct {
	Subtopology string
	Partition   int32
	Offset      int64
}

// Status tells a member of something that is not an error (KIP-1071).
type Status struct {
	Code   StatusCode
	Detail string
}

// StatusCode is a status by Kafka's number.
type StatusCode int8

// The statuses.
const (
	StaleTopology       StatusCode = 0
	MissingSources      StatusCode = 1
	WronglyPartitioned  StatusCode = 2
	MissingInternal     StatusCode = 3
	ShutdownApplication StatusCode = 4
	AssignmentDelayed   StatusCode = 5
	MissingClientTags   StatusCode = 6 // version 1 on
)

// Beat answers a Heartbeat.
type Beat struct {
	MemberID string
	Epoch    int32
	Interval time.Duration
	Status   []Status
	// Assigned tells that Tasks are told.
	Assigned bool
	Tasks    schema.StreamsAssignment
	// EndpointEpoch is of the Endpoints, which are told when SaidEndpoints.
	EndpointEpoch int32
	SaidEndpoints bool
	Endpoints     []Endpoint
}

// Endpoint tells which partitions can be asked for at an instance.
type Endpoint struct {
	At              schema.StreamsEndpoint
	Active, Standby []TopicPartitions
}

// TopicPartitions are partitions of a topic by its name.
type TopicPartitions struct {
	Topic      string
	Partitions []int32
}

// Describe shows a group; the reply is a Described.
type Describe struct{ Group string }

// Described is a streams group.
type Described struct {
	State                  string
	Epoch, AssignmentEpoch int32
	// Topology is nil while the group has none. When its topics are as they must
	// be (Ready), or only internal ones are missing, these have their partitions.
	Topology *schema.StreamsTopologyValue
	Ready    bool
	Members  []DescribedMember
}

// DescribedMember is a member of a streams group.
type DescribedMember struct {
	ID               string
	Epoch            int32
	Said             schema.StreamsMemberValue
	Offsets, Ends    []TaskOffset
	Assigned, Target schema.StreamsAssignment
}

// Keys and bodies of timers, and what work brings back.
type (
	sessionKey   struct{ group, member string }
	rebalanceKey struct{ group, member string }
	delayKey     struct{ group string }

	// sessionDue: a member gave no sign of life.
	sessionDue struct{ group, member string }
	// rebalanceDue: a member did not give up its tasks in time.
	rebalanceDue struct {
		group, member string
		epoch         int32
	}
	// delayDue: a new group has waited for more members.
	delayDue struct{ group string }
	// created: internal topics were made, or not.
	created struct {
		group  string
		topics []schema.StreamsTopic
		errors []string
	}
)
