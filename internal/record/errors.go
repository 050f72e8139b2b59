package record

import "fmt"

// Kind sorts what can be wrong with a batch; the door maps it to Kafka codes.
type Kind int8

// What can be wrong, with the Kafka code that says so.
const (
	KindCorrupt     Kind = iota + 1 // CORRUPT_MESSAGE 2
	KindInvalid                     // INVALID_RECORD 87
	KindTimestamp                   // INVALID_TIMESTAMP 32
	KindUnsupported                 // UNSUPPORTED_COMPRESSION_TYPE 76
	KindTooLarge                    // MESSAGE_TOO_LARGE 10
)

// Error says what is wrong with a batch. Records is filled where Kafka names
// single records (KIP-467).
type Error struct {
	Kind    Kind
	Reason  string
	Records []RecordError
}

// RecordError names one bad record of a batch by its index in it.
type RecordError struct {
	Index  int32
	Reason string
}

// Error is the reason.
func (e *Error) Error() string { return e.Reason }

func corrupt(format string, args ...any) *Error {
	return &Error{Kind: KindCorrupt, Reason: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Reason: fmt.Sprintf(format, args...)}
}
