package checkpoint

import (
	"ottla/internal/log/epoch"
	"ottla/internal/uuid"
)

// Name is the file name of Ottla's checkpoint in a log directory.
const Name = "ottla.checkpoint"

// Version is the newest format; a file with a newer one is refused.
const Version = 1

// Position is a batch boundary, as package log's.
type Position struct {
	Offset, Segment, Byte int64
}

// File is a whole checkpoint.
type File struct {
	// Sequence rises with every write of the directory's checkpoint.
	Sequence uint64
	Logs     []Entry
}

// Entry is one log's part of the file: its name, to find it, and its body, as
// encoded by AppendLog. Bodies are kept encoded so that writing the file
// again costs a copy for every log that did not change.
type Entry struct {
	Topic     string
	Partition int32
	Body      []byte
}

// Log is what a restart needs to know of one log.
type Log struct {
	ID    uuid.UUID
	Start int64 // log start offset
	// End is the log end offset when the checkpoint was written. Where all
	// files of a log are gone its offsets go on from here.
	End int64
	// Recovery is the recovery point: everything below it was synced and is
	// never cut.
	Recovery Position
	// State is where Producers and Segment stand; at or below Recovery.
	// A restart reads from here.
	State     Position
	Producers []byte // producer.State.AppendFull
	Segment   Segment
	Epochs    []epoch.Entry
	// Aborted counts the transaction-index entries of each segment that has
	// some, so that a lost .txnindex is noticed: without it aborted records
	// would show.
	Aborted []Aborted
	// Gaps lists where segments rightly begin above the end of the one before:
	// a batch was appended beyond the log end. Any other gap between segments
	// of a log that is not compacted is loss.
	Gaps []Gap
	// Sparse says that offsets may be missing anywhere: the log is or was
	// compacted, or Kafka made it.
	Sparse bool
	// Loose says that the epochs of batches may differ from Epochs: Kafka
	// made the log, or a batch of an older epoch was appended.
	Loose bool
	// High is the high watermark of a log with several replicas, as its owner
	// told it, never above Recovery; -1 when it did not.
	High int64
}

// Gap is a range of offsets, [From, To), that never were: To begins a segment.
type Gap struct{ From, To int64 }

// Segment is what is known of the segment that State lies in, as of State.
type Segment struct {
	CreatedMs      int64
	FirstMaxMs     int64 // largest timestamp of its first batch, -1 when empty: rolling by time goes by it
	MaxTimestampMs int64 // -1 when empty
	MaxLastOffset  int64 // last offset of the first batch with MaxTimestampMs
}

// Aborted is how many aborted transactions are noted in one segment, and the
// CRC-32C of them: .txnindex has no checksum of its own.
type Aborted struct {
	Segment int64
	Count   int32
	CRC     uint32
}
