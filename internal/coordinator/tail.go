package coordinator

import "context"

// Tail is the end of the log that a shard writes to, for one leadership: the
// partition of an internal topic as its leader sees it. Package broker makes
// one of a partition. Errors are wire.Code or *wire.Error.
type Tail interface {
	// LeaderEpoch is the leadership it belongs to. When that is over, Check,
	// Append and Await fail with NOT_LEADER_OR_FOLLOWER or
	// FENCED_LEADER_EPOCH, for good.
	LeaderEpoch() int32
	// End is where the next batch will lie.
	End() int64
	// MaxBatchBytes bounds a batch, header included.
	MaxBatchBytes() int
	// Check tells whether a batch would be taken at this moment, and why not:
	// no leader, or fewer replicas in sync than the topic demands.
	Check() error
	// Append writes one batch, borrowed and patched until it returns, and tells
	// its first offset and the one after its last. It is not committed yet. On
	// an error nothing of it was written, or nothing of it will ever be
	// committed by this leadership. txn is the transaction that the batch is of,
	// or ends; nil outside of any.
	Append(batch []byte, txn *Txn) (base, end int64, err error)
	// Await reports true when everything below end is committed, and else calls
	// w once when it is, or when it never will be; at any moment, from any
	// goroutine.
	Await(w Waiter, end int64) (bool, error)
	// Replay gives fn every committed batch that ends above from, in order, up
	// to the offset to, and returns when all were given, with fn's error, or
	// with ctx's. Batches are lent for the call.
	Replay(ctx context.Context, from, to int64, fn func(batch []byte) error) error
}

// Sole is a Tail that knows whether no other node has the partition, so that none
// can coordinate in this one's place, whatever this one does not hear.
type Sole interface{ Sole() bool }

// Waiter is told when what it waits for is committed, or why it never will be.
type Waiter interface{ Committed(err error) }

// Keeper is a Tail that can keep one file beside the log, for snapshots of the
// machine. What was kept and is not good any more does no harm: see Identity
// and Continues.
type Keeper interface {
	// Identity tells this partition from any other that had or will have its
	// name.
	Identity() string
	// Keep replaces the file by one of the state below offset; when it returns
	// nil the file is there whole and synced. It is called from any goroutine,
	// one call at a time.
	Keep(file []byte, offset int64) error
	// Kept reads the file, nil when there is none; one that is larger than most
	// is an error.
	Kept(most int) ([]byte, error)
	// Continues tells whether the log from offset on, applied to the state at
	// offset that the leader of the given epoch had, gives the state at its
	// end: it has the same history below. (A file is gone before anything is
	// compacted away that a reader of the rest would miss.)
	Continues(offset int64, epoch int32) bool
}
