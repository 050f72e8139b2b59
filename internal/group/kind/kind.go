package kind

import (
	"iter"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
	"ottla/internal/wire"
)

// Type of a group, by the name that ListGroups gives it (KIP-848).
type Type string

// The types of groups. None is that of an id that nobody has.
const (
	None     Type = ""
	Classic  Type = "classic"
	Consumer Type = "consumer"
	Share    Type = "share"
	Streams  Type = "streams"
)

// Kind is a type of group with all groups of that type in one partition. Its
// methods are called by the machine around it, from one goroutine at a time.
type Kind interface {
	// Type is the kind's name.
	Type() Type
	// Owns tells whether records of a type (the int16 that their key begins
	// with) are this kind's.
	Owns(recordType int16) bool
	// Step decides a command or a timer of this kind's own; ok is false when
	// it is not one. It changes nothing: see coordinator.Machine. An error
	// refuses the command, and what it put into the turn is dropped.
	Step(t *Turn, cmd any) (ok bool, err error)
	// Apply takes over a record of the kind's own; a nil value is a tombstone.
	// value is borrowed. What cannot be read is passed over.
	Apply(k schema.Key, value []byte)
	// Records tells the kind's whole durable state, in an order of its own
	// that does not hang on a map's. Applied to a kind that was reset they give
	// the same state.
	Records() iter.Seq[coordinator.Record]
	// Reset forgets everything, soft state too.
	Reset()
	// Loaded sets the timers after a load.
	Loaded(t *Turn)

	// IDs are the kind's groups, sorted.
	IDs() []string
	// Has tells whether a group is of this kind.
	Has(id string) bool
	// Show tells of a group what every list shows.
	Show(id string) Shown
	// Expires tells whether a group without members goes once its last offset
	// has.
	Expires() bool
	// Subscribed tells whether a member of the group reads a topic: its offsets
	// are kept then.
	Subscribed(id, topic string) bool
	// Bury writes the tombstones of a group without members, which is the end
	// of it. Its offsets are the machine's business.
	Bury(t *Turn, id string)
	// TopicsChanged tells that topics were made, changed or deleted: groups
	// that read them look anew. The names are sorted.
	TopicsChanged(t *Turn, names []string)
}

// Shown is what lists show of a group of any kind.
type Shown struct {
	// State by Kafka's name: Empty, Stable, Assigning, Reconciling, …
	State        string
	ProtocolType string
	// Members are how many it has.
	Members int
}

// Committer is a Kind whose groups commit offsets as members.
type Committer interface {
	// MayCommit tells whether offsets may be committed.
	MayCommit(c *Commit) error
	// MayFetch tells whether a member may read the group's offsets. member is
	// nil for those who do not say who they are.
	MayFetch(group string, member *string, epoch int32) error
}

// Commit is a commit as those see it who judge it.
type Commit struct {
	Group, MemberID string
	InstanceID      *string
	// Epoch is the member's epoch, or the generation of a classic member; -1 of
	// those who are in no group.
	Epoch int32
	// Txn is set for the offsets of a transaction.
	Txn bool
	// Version of the request.
	Version int16
	// Parts are the partitions that are committed.
	Parts []schema.TopicPartitions
}

// Host is what a kind may ask of the machine around it.
type Host interface {
	// TypeOf tells whose an id is. Offsets without members make a classic
	// group.
	TypeOf(id string) Type
	// Classic shows a classic group, nil when there is none of that id.
	Classic(id string) *ClassicGroup
	// EndClassic writes the end of a classic group that becomes one of another
	// kind; its offsets stay. Who waits in it is told to join again.
	EndClassic(t *Turn, id string)
	// BeginClassic writes a classic group that was one of another kind.
	// rebalance begins one at once.
	BeginClassic(t *Turn, id string, g *ClassicGroup, rebalance bool)
}

// ClassicGroup is a classic group on its way to another kind, or from it.
type ClassicGroup struct {
	Generation   int32
	ProtocolType string
	// Protocol is the chosen one, nil when there is none.
	Protocol *string
	// Leader is a member's id; empty lets the machine choose.
	Leader string
	// Members are sorted by id.
	Members []ClassicMember
}

// ClassicMember is a member of a ClassicGroup. Its bytes are not changed.
type ClassicMember struct {
	ID                     string
	InstanceID             *string
	ClientID, ClientHost   string
	RebalanceMs, SessionMs int32
	Protocols              []schema.ClassicProtocol
	Assignment             []byte
}

// ClassicJoin is a JoinGroup to a group of another kind.
type ClassicJoin struct {
	Group        string
	Member       ClassicMember // without an id when it has none yet
	ProtocolType string
	// NewID is the id of the member, should it get one.
	NewID string
	// KnownIDs says that a member must know its id before it may join.
	KnownIDs bool
}

// ClassicJoined answers a ClassicJoin.
type ClassicJoined struct {
	Code     wire.Code
	MemberID string
	Epoch    int32
	Protocol string
}

// ClassicSync is a SyncGroup, and a Heartbeat, of a classic member in a group of
// another kind.
type ClassicSync struct {
	Group, MemberID        string
	InstanceID             *string
	Generation             int32
	ProtocolType, Protocol *string
}

// ClassicSynced answers a ClassicSync.
type ClassicSynced struct {
	Protocol   string
	Assignment []byte
}

// ClassicLeave names members that leave, by id or by instance id.
type ClassicLeave struct {
	Group   string
	Members []ClassicLeaver
}

// ClassicLeaver is one of them.
type ClassicLeaver struct {
	MemberID   string
	InstanceID *string
}

// Mixed is a Kind that takes members of the classic protocol (KIP-848's
// migration). The methods decide and do not answer: what they return is the
// answer, in the form of the seam.
type Mixed interface {
	JoinClassic(t *Turn, c *ClassicJoin) (ClassicJoined, error)
	SyncClassic(t *Turn, c *ClassicSync) (ClassicSynced, error)
	HeartbeatClassic(t *Turn, c *ClassicSync) error
	LeaveClassic(t *Turn, c *ClassicLeave) []wire.Code
}
