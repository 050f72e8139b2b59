package group

import (
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// The commands that a machine steps, one a request of Kafka's, and their
// replies. A refusal that has no reply of its own is an error with a wire.Code.
// Their bytes belong to the machine from then on.

// Join asks for membership; the reply is a JoinReply, late: it waits for the
// rebalance.
type Join struct {
	Group, MemberID      string
	InstanceID           *string
	ClientID, ClientHost string
	SessionMs            int32
	RebalanceMs          int32
	ProtocolType         string
	Protocols            []Protocol
	// NewID is the random part of the member's id, should it get one.
	NewID uuid.UUID
	// KnownIDs says that a member must know its id before it may join, v4
	// (KIP-394); SkipAssignment that it understands the leader's being spared
	// of assigning, v9 (KIP-814).
	KnownIDs, SkipAssignment bool
}

// Firm implements coordinator.Firm: an instance is fenced, a member unknown.
func (Join) Firm(reply any) bool {
	r, ok := reply.(JoinReply)
	return ok && coordinator.Final(r.Code)
}

// Protocol is a way to assign partitions that a member can do, with what it
// has to say for it.
type Protocol struct {
	Name     string
	Metadata []byte
}

// JoinReply ends a Join.
type JoinReply struct {
	Code         wire.Code
	MemberID     string
	Generation   int32
	ProtocolType *string
	Protocol     *string
	Leader       string
	// SkipAssignment tells the leader to assign nothing.
	SkipAssignment bool
	// Members are all, for the leader alone.
	Members []JoinedMember
}

// JoinedMember is a member as its leader sees it.
type JoinedMember struct {
	ID         string
	InstanceID *string
	Metadata   []byte
}

// Sync asks for the assignment, which the leader brings; the reply is a
// SyncReply, late for those who come before the leader.
type Sync struct {
	Group, MemberID        string
	InstanceID             *string
	Generation             int32
	ProtocolType, Protocol *string
	Assignments            []Assignment
}

// Firm implements coordinator.Firm.
func (Sync) Firm(reply any) bool {
	r, ok := reply.(SyncReply)
	return ok && coordinator.Final(r.Code)
}

// Assignment is what the leader gives a member.
type Assignment struct {
	MemberID string
	Bytes    []byte
}

// SyncReply ends a Sync.
type SyncReply struct {
	Code                   wire.Code
	ProtocolType, Protocol *string
	Assignment             []byte
}

// Heartbeat is a sign of life; the reply is nil, or an error.
type Heartbeat struct {
	Group, MemberID string
	InstanceID      *string
	Generation      int32
}

// Leave takes members out; the reply is a LeaveReply.
type Leave struct {
	Group   string
	Members []Leaver
}

// Leaver is named by its id, or by its instance id alone.
type Leaver struct {
	MemberID   string
	InstanceID *string
}

// Firm implements coordinator.Firm.
func (Leave) Firm(reply any) bool {
	r, ok := reply.(LeaveReply)
	return ok && slices.ContainsFunc(r.Codes, coordinator.Final)
}

// LeaveReply has a code for each member that was named.
type LeaveReply struct{ Codes []wire.Code }

// Commit stores offsets; the reply is a CommitReply.
type Commit struct {
	Group, MemberID string
	InstanceID      *string
	// Generation is -1 for those who are in no group.
	Generation int32
	// RetentionMs is how long to keep the offsets, -1 for the node's setting;
	// only v2 to v4 can say it (KIP-211).
	RetentionMs int64
	// TellsNotFound says that GROUP_ID_NOT_FOUND is understood (v9).
	TellsNotFound bool
	// Version of the request; members of consumer groups need 9.
	Version int16
	// Txn is set when the offsets shall count once a transaction commits
	// (KIP-98, KIP-447).
	Txn    *coordinator.Txn
	Topics []CommitTopic
}

// EndTxn ends a transaction: its offsets count from now on, or are forgotten.
// The reply is nil.
type EndTxn struct{ Txn coordinator.Txn }

// CommitTopic is a topic of a Commit; its ID is the topic's at this moment.
type CommitTopic struct {
	Name       string
	ID         uuid.UUID
	Partitions []CommitPartition
}

// CommitPartition is an offset to store.
type CommitPartition struct {
	Index       int32
	Offset      int64
	LeaderEpoch int32
	Metadata    string
}

// CommitReply has a code for each partition, in the order of the command.
type CommitReply struct{ Codes [][]wire.Code }

// Fetch reads committed offsets; the reply is a FetchReply.
type Fetch struct {
	Group string
	// MemberID and Epoch tell which member of a consumer group asks; nil and -1
	// for those who do not say.
	MemberID *string
	Epoch    int32
	// RequireStable refuses offsets that a transaction is about to change.
	RequireStable bool
	// All asks for every offset; Topics are ignored then.
	All    bool
	Topics []FetchTopic
}

// Exact implements coordinator.Exact: a consumer that takes over must not begin
// before what was committed.
func (Fetch) Exact() {}

// FetchTopic is a topic of a Fetch; its ID is the topic's at this moment, zero
// when there is none: an offset of another topic of that name is not given.
type FetchTopic struct {
	Name       string
	ID         uuid.UUID
	Partitions []int32
}

// FetchReply has what was found.
type FetchReply struct{ Topics []FetchedTopic }

// FetchedTopic is a topic of a FetchReply.
type FetchedTopic struct {
	Name       string
	Partitions []FetchedPartition
}

// FetchedPartition is a committed offset, -1 when there is none. TopicID is
// what it was committed with, zero when that is not known.
type FetchedPartition struct {
	Index       int32
	Offset      int64
	LeaderEpoch int32
	Metadata    string
	Code        wire.Code
	TopicID     uuid.UUID
}

// DeleteOffsets forgets offsets; the reply is a DeleteOffsetsReply.
type DeleteOffsets struct {
	Group  string
	Topics []DeleteTopic
}

// DeleteTopic names partitions of a topic.
type DeleteTopic struct {
	Name       string
	Partitions []int32
}

// DeleteOffsetsReply has a code for each partition, in the order of the
// command.
type DeleteOffsetsReply struct{ Codes [][]wire.Code }

// Delete forgets an empty group with its offsets; the reply is nil.
type Delete struct {
	Group string
	// caller is who waits while a large group goes part by part.
	caller coordinator.Token
}

// Describe shows a group; the reply is a Described.
type Describe struct{ Group string }

// Described is a group.
type Described struct {
	State        State
	ProtocolType string
	// Protocol and the members' Metadata are told of stable groups only.
	Protocol string
	Members  []DescribedMember
}

// DescribedMember is a member.
type DescribedMember struct {
	ID                   string
	InstanceID           *string
	ClientID, ClientHost string
	Metadata, Assignment []byte
}

// List shows all groups; the reply is a []Listed sorted by id. Empty filters
// let all through; names of states and types are compared without case.
type List struct{ States, Types []string }

// Listed is a group in a list.
type Listed struct {
	ID, ProtocolType string
	Type             kind.Type
	// State is by its name in Kafka; kinds have states of their own.
	State string
	// Members are how many it has.
	Members int
}

// TopicsDeleted tells that topics are gone: their offsets go too. The reply is
// nil.
type TopicsDeleted struct{ Topics []DeletedTopic }

// DeletedTopic is a topic that is gone. Offsets that were committed with
// another id belong to another topic of that name and stay.
type DeletedTopic struct {
	Name string
	ID   uuid.UUID
}

// TopicsChanged tells that topics were made, got partitions or are gone:
// groups that are assigned partitions by the server look at them again. The
// names are sorted. The reply is nil.
type TopicsChanged struct{ Names []string }

// Sweep forgets now what has expired, instead of when the next check is due.
// The reply is true when there was more than one turn may forget, and another
// Sweep shall follow.
type Sweep struct{}
