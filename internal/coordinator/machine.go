package coordinator

import (
	"context"
	"iter"
	"time"

	"ottla/internal/producer"
)

// Machine is the state machine of a shard: pure, without goroutine, lock,
// clock, random source, file or socket, and without output that hangs on the
// order of a map. The shard calls it from one goroutine at a time.
type Machine interface {
	// Step decides what a command does and changes nothing: neither what is
	// durable (Apply does, with the records it returns) nor what is soft
	// (Output.Accepted does). It may be called again with the same command and
	// must then say the same. An error refuses this command alone.
	Step(now time.Time, cmd Command) (Output, error)
	// Apply is the only place where durable state changes: after a live
	// acceptance, at a load and at a failover alike. It cannot fail on a record
	// that Step made; one that it does not know (a newer release's, a foreign
	// one's) it keeps aside or passes over, and never panics on. r is borrowed
	// until it returns.
	Apply(r Record)
	// Reset forgets everything, soft state too.
	Reset()
}

// Lister is a Machine whose whole durable state can be told in records, so
// that a shard with a long log can keep snapshots. Applied to a machine that
// was reset they give the same state. The order is the machine's own and must
// not hang on that of a map.
type Lister interface {
	Records() iter.Seq[Record]
}

// Exact is the body of a command that only reads, and whose reply must hold what
// anybody was told before: it is refused (NOT_COORDINATOR) while another node may
// have taken over (Options.Trusted). What is written needs no such care, since
// replicas refuse a leader that they know to be over.
type Exact interface{ Exact() }

// Firm is the body of a command some of whose replies are the last word for who asked
// although nothing was written for them: an end that was made already, a member that
// is not known. Firm tells whether a reply is. Such replies, and errors on which nobody
// asks again, are not told while another node may have taken over: it may know better.
type Firm interface{ Firm(reply any) bool }

// Token names a caller who waits for a reply. No command that somebody waits
// for has token 0: that is a timer's, a Work's result or Loaded.
type Token uint64

// Command is something to decide.
type Command struct {
	Token Token
	// Wall is the time that what lasts is dated by. It is the now of the Step
	// but where the clock on the wall was moved (Options.Wall): time-outs go by
	// now, what stands in the log by Wall.
	Wall time.Time
	Body any
}

// Loaded is the body of the first command after a load: the machine has
// applied everything that is in the log, and sets its timers. LeaderEpoch is
// the leadership that begins, which Kafka calls the coordinator's epoch.
type Loaded struct{ LeaderEpoch int32 }

// Output is what a Step decided. None of it counts when its records are
// refused: then the caller is told, and nothing else happens.
type Output struct {
	// Records become durable together or not at all, and are applied in their
	// order before the next Step.
	Records []Record
	// Replies answer this command and earlier ones that got none yet. A command
	// that is not answered waits for the reply of a later one: sooner or later
	// there must be one. A reply to a caller who is gone goes nowhere.
	Replies []Reply
	Timers  []Timer
	Work    []Work
	// Lazy lets the records wait, for a moment, for others that are written with
	// them: nobody needs them before, and to lose them does no harm. They are
	// applied at once like all others.
	Lazy bool
	// Accepted, when set, changes soft state, right after the records were
	// accepted and applied. Soft state may vanish at any moment, with Reset.
	Accepted func()
}

// Record is a record of the internal topic, in Kafka's schema for it.
type Record struct {
	Key   []byte
	Value []byte // nil is a tombstone
	// Offset is where it lies in the log; told to Apply alone, -1 for a record
	// of a snapshot.
	Offset int64
	// Txn is nil outside transactions. All records of one Output have the same
	// transaction, and the end of one comes alone.
	Txn *Txn
}

// Txn ties a record to a producer's transaction (KIP-98, KIP-447): it is data
// that counts once the transaction commits, or the transaction's end.
type Txn struct {
	ProducerID    int64
	ProducerEpoch int16
	End           TxnEnd
	// CoordinatorEpoch of the transaction coordinator; in an end only.
	CoordinatorEpoch int32
	// Version is how strictly an end's epoch is judged: from 2 on it lies above
	// that of the data (KIP-890). Unknown (0) at a load.
	Version int16
	// Guard is what the partition gave before the transaction's coordinator
	// vouched for data (KIP-890); 0 where it need not. It is not stored.
	Guard producer.Guard
}

// TxnEnd tells what a record with a Txn is.
type TxnEnd int8

// A record of data has a key; an end has neither key nor value.
const (
	TxnData TxnEnd = iota
	TxnCommit
	TxnAbort
)

// Reply answers the command with the same token. It leaves when every record
// accepted so far, by this command or before it, is committed; with Now at
// once, for it tells nothing that the log may still lose.
type Reply struct {
	Token Token
	Body  any
	Err   error
	Now   bool
}

// Timer comes back as a command with token 0 when the clock has reached At;
// then it is gone. Setting it again under the same key moves it; a zero At
// takes it away. When the records of its command are refused for the moment
// (too few replicas, a full disk), it comes again half a second later. Timers
// are soft: a load forgets them, and Loaded sets them again.
type Timer struct {
	Key  any // comparable; a type of the machine's own
	At   time.Time
	Body any
}

// Work is something long that is done beside the shard. What comes of it comes
// back as a command with token 0, unless a load came between. It must not touch
// the machine. One of Run and Begin is set.
type Work struct {
	// Run computes, outside the shard's goroutine, at most one piece a processor.
	Run func() any
	// Begin is for what waits for others and does not compute, any number at
	// once: it is called on the shard's goroutine, returns at once, and calls
	// done once, from any goroutine. ctx ends with the leadership, and when the
	// machine forgets everything; the next load waits until all that was begun
	// has called done, and does nothing any more.
	Begin func(ctx context.Context, done func(any))
	// Committed makes the work wait until every record accepted so far, by this
	// command or before it, is committed.
	Committed bool
}
