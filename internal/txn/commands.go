package txn

import (
	"context"
	"regexp"

	"ottla/internal/wire"
)

// The commands that a machine steps, one a request of Kafka's, and their
// replies. A refusal is an error with a wire.Code.
//
// FreshID, where a command has it, is a producer id that nobody has yet, or -1.
// A machine that needs one and gets none refuses with ErrNeedsProducerID and
// has changed nothing: the caller fetches an id and asks again. Few commands
// need one: the first Init of a transactional id, and an Init or End when the
// epochs of a producer id are used up (EpochsUsedUp).

// ErrNeedsProducerID asks for the same command with a FreshID.
var ErrNeedsProducerID = wire.Errorf(wire.CoordinatorLoadInProgress, "a fresh producer id is needed")

// TopicPartition names a partition of a transaction.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Client versions of a transaction, as the value of a record tells them
// (KIP-890).
const (
	V0 int16 = 0 // what a client of before KIP-890 does, part 2
	V2 int16 = 2 // the epoch rises with each end, partitions are added implicitly
)

// Init is InitProducerId with a transactional id: whoever asked before is
// fenced, and what it had open is aborted. The reply is an InitReply; while an
// abort goes on it comes when that is complete.
type Init struct {
	ID        string
	TimeoutMs int32
	// ProducerID and Epoch are what the producer has and wants to go on from
	// (KIP-360), -1 for one that begins.
	ProducerID int64
	Epoch      int16
	FreshID    int64
}

// InitReply is a producer's identity.
type InitReply struct {
	ProducerID int64
	Epoch      int16
}

// Add puts partitions into a transaction, which begins with the first. The
// reply is nil and comes when that is committed: only then may anything be
// written to them.
//
// AddOffsetsToTxn is an Add of the group's partition of __consumer_offsets;
// Produce from v12 and TxnOffsetCommit from v5 add implicitly (KIP-890).
//
//	INVALID_PRODUCER_ID_MAPPING  no such id, or not with this producer id
//	PRODUCER_FENCED              another epoch
//	CONCURRENT_TRANSACTIONS      the one before is still being ended
type Add struct {
	ID         string
	ProducerID int64
	Epoch      int16
	// Version is V2 for whoever adds implicitly and for AddPartitionsToTxn from
	// v4, else V0.
	Version    int16
	Partitions []TopicPartition
}

// Firm implements coordinator.Firm: the partitions were in the transaction, and that
// may have ended since.
func (Add) Firm(any) bool { return true }

// Verify asks whether partitions are in the open transaction (KIP-890 part 1).
// The reply is a VerifyReply; the errors are those of Add.
type Verify struct {
	ID         string
	ProducerID int64
	Epoch      int16
	Partitions []TopicPartition
}

// Exact implements coordinator.Exact: nothing may be written behind the end of a
// transaction.
func (Verify) Exact() {}

// VerifyReply has a code for each partition, in the order of the command: None
// or TRANSACTION_ABORTABLE.
type VerifyReply struct{ Codes []wire.Code }

// End commits or aborts a transaction. The reply is an EndReply and comes when
// the outcome is there to be read in every partition.
type End struct {
	ID         string
	ProducerID int64
	Epoch      int16
	Commit     bool
	// Version is V2 for EndTxn from v5, else V0.
	Version int16
	FreshID int64
}

// Firm implements coordinator.Firm: the transaction before this one ended so, and
// another may have begun.
func (End) Firm(any) bool { return true }

// EndReply is who the producer is from now on: with V2 another epoch or even
// another producer id; -1 and -1 with V0.
type EndReply struct {
	ProducerID int64
	Epoch      int16
}

// Describe shows a transactional id; the reply is a Described, or the error
// TRANSACTIONAL_ID_NOT_FOUND.
type Describe struct{ ID string }

// Exact implements coordinator.Exact.
func (Describe) Exact() {}

// Described is a transactional id.
type Described struct {
	ID         string
	State      State
	ProducerID int64
	Epoch      int16
	TimeoutMs  int32
	// StartMs is when the transaction began, -1 when none has.
	StartMs int64
	// Partitions are sorted.
	Partitions []TopicPartition
}

// List shows all transactional ids; the reply is a []Listed sorted by id.
type List struct {
	// States and ProducerIDs let all through when they are empty.
	States      []State
	ProducerIDs []int64
	// DurationMs lets through what has been open longer; a negative one all.
	DurationMs int64
	// Pattern must match; it is anchored by who means the whole id. nil lets all
	// through.
	Pattern *regexp.Regexp
}

// Listed is a transactional id in a list.
type Listed struct {
	ID         string
	ProducerID int64
	State      State
}

// Sweep aborts now what has run out of its time and forgets what has expired,
// instead of when the next checks are due. The reply comes when all of that is
// done: true when another Sweep shall follow.
type Sweep struct{}

// Marker is the end of a transaction as its partitions get to know it.
type Marker struct {
	// ID is for what is logged.
	ID string
	// ProducerEpoch lies above that of the data from Version 2 on.
	ProducerID       int64
	ProducerEpoch    int16
	Commit           bool
	CoordinatorEpoch int32
	Version          int16
	Partitions       []TopicPartition
}

// Markers writes markers into partitions.
type Markers interface {
	// Write begins to write a marker into all its partitions and returns at
	// once: it is called by the goroutine of a coordinator's shard. done is
	// called once, from any goroutine, perhaps before Write returns:
	//
	//   - with nil when every partition has the marker, synced and visible. A
	//     partition whose topic is gone needs none, nor does one that has seen a
	//     newer epoch of the producer. One that cannot take it at the moment (no
	//     leader, a full disk, its coordinator loads) is asked again, for as
	//     long as ctx lasts;
	//   - with TRANSACTION_COORDINATOR_FENCED when a partition has heard a newer
	//     coordinator, who ends the transaction;
	//   - with ctx's error when the leadership of the coordinator has ended.
	//
	// When done is called nothing of it is written any more. To write a marker
	// twice is allowed and changes nothing, as long as the transaction has not
	// been completed between.
	Write(ctx context.Context, m Marker, done func(error))
}
