package timer

// The commands that a machine steps, and their replies. A refusal is an error with
// a wire.Code.

// Set stores timers. The reply is a []error, one a timer; it waits while a timer
// with one of the keys flies.
type Set struct{ Timers []Timer }

// Cancel takes timers away. The reply is a []error, one a key.
type Cancel struct{ Keys []string }

// Firm implements coordinator.Firm: those that are gone here may be there by now.
func (Cancel) Firm(any) bool { return true }

// Find asks where a timer lies. The reply is a Found.
type Find struct{ Key string }

// Exact implements coordinator.Exact.
func (Find) Exact() {}

// Found is where a timer's record lies in the log; Offset is -1 where there is no
// such timer.
type Found struct{ Offset int64 }

// TakeUp stores the timers of a partition of a delay line, and that the line is
// taken up to To, together or not at all: only if it was taken up to From before,
// -1 for a line that never was. The reply is nil.
//
//	OFFSET_OUT_OF_RANGE  it was taken up to another offset: ask Line
type TakeUp struct {
	Line     string
	From, To int64
	Timers   []Timer
}

// Line asks how far a line is taken up. The reply is an int64, -1 for never.
type Line struct{ Line string }

// Exact implements coordinator.Exact.
func (Line) Exact() {}

// Settle looks at the clock, and is answered with nil when everything that is due
// has landed, or with an error that tells what cannot.
type Settle struct{}

// CountTopic asks how many timers for a topic there are that have not landed: what is
// being appended counts until that is over. The reply is an int64.
type CountTopic struct{ Topic string }

// Exact implements coordinator.Exact.
func (CountTopic) Exact() {}

// CancelTopic takes away all timers for a topic that are there when it is stepped. The
// reply is an int64, how many; it comes when that is durable, and when those that were
// being appended have landed or wait no more.
type CancelTopic struct{ Topic string }

// Exact implements coordinator.Exact: nobody writes where there is nothing.
func (CancelTopic) Exact() {}

// Count asks how many timers there are. The reply is a Counted.
type Count struct{}

// Counted are the timers of a shard.
type Counted struct {
	// Waiting are all that have not landed; Late those of them whose time has come.
	Waiting, Late int
	// NextMs is when the first that is not due yet will be; 0 for none.
	NextMs int64
}
