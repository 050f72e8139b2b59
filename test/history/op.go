package history

// Kind says what an operation did.
type Kind string

// The kinds of operations.
const (
	Send      Kind = "send"      // one micro-operation send
	Poll      Kind = "poll"      // micro-operations poll, one a partition
	Txn       Kind = "txn"       // a transaction of micro-operations
	Assign    Kind = "assign"    // the process reads Positions from now on, outside any group
	Subscribe Kind = "subscribe" // the process owns the partitions of Positions in a group's generation
	Commit    Kind = "commit"    // Positions were committed for a group
	Committed Kind = "committed" // Positions are what was read as committed
	Reset     Kind = "reset"     // Positions were set from outside, backwards perhaps
	Ends      Kind = "ends"      // micro-operations poll without records: marks from ListOffsets
	Crash     Kind = "crash"     // the process ended; its positions are forgotten
)

// Outcome says what is known of an operation's effect.
type Outcome string

// The outcomes. Info is the honest one of a timeout: it may have taken place,
// now or later, or never.
const (
	OK   Outcome = "ok"
	Fail Outcome = "fail"
	Info Outcome = "info"
)

// Op is one operation of one process (a client). Start and End are nanoseconds
// since the history began and differ from those of any other operation.
type Op struct {
	Process int32   `json:"p"`
	Kind    Kind    `json:"f"`
	Outcome Outcome `json:"r"`
	Start   int64   `json:"s"`
	End     int64   `json:"e"`
	// Committed is set where polls were at read_committed.
	Committed bool `json:"rc,omitempty"`
	// Final is set on polls of the last phase, when all faults are healed and
	// somebody reads everything.
	Final bool `json:"final,omitempty"`

	Micro []Micro `json:"m,omitempty"`

	Group      string     `json:"g,omitempty"`
	Member     string     `json:"member,omitempty"`
	Generation int32      `json:"gen,omitempty"`
	Positions  []Position `json:"pos,omitempty"`

	Error string `json:"err,omitempty"`
}

// Micro is a send of one record or what a poll gave of one partition.
type Micro struct {
	Kind      Kind     `json:"f"` // Send or Poll
	Partition string   `json:"tp"`
	Records   []Record `json:"v,omitempty"` // a send has one; its offset is -1 when unknown
	Marks     *Marks   `json:"marks,omitempty"`
}

// Record is an offset and the value there.
type Record [2]int64

// Offset is where the record lies, -1 when that is unknown.
func (r Record) Offset() int64 { return r[0] }

// Value is what the record holds; no two sends have the same.
func (r Record) Value() int64 { return r[1] }

// Marks are the offsets that came with a poll; -1 stands for unknown.
type Marks struct {
	LogStart   int64 `json:"start"`
	LastStable int64 `json:"lso"`
	High       int64 `json:"hw"`
	LogEnd     int64 `json:"leo"`
}

// Position is a partition and the next offset to be read there, -1 when the
// operation does not know it.
type Position struct {
	Partition string `json:"tp"`
	Offset    int64  `json:"o"`
}
