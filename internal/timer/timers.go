package timer

import (
	"context"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// Header is a header of the record that a timer writes.
type Header = record.RecordHeader

// Timer is a record that is to be appended to a topic at its time.
type Timer struct {
	// Key names it: one timer a key. KIND/NAME by convention, so that those of
	// different features never meet; 1 to MaxKey bytes.
	Key string
	// DueMs is when, in milliseconds since 1970 of the domain clock. What is due
	// already is appended at once.
	DueMs int64
	// Topic and Partition say where; -1 is the partition of the RecordKey, as
	// Kafka's producers have it, or without a key that of the timer's Key.
	Topic     string
	Partition int32
	// RecordKey and Value of the record; nil is null.
	RecordKey, Value []byte
	Headers          []Header
}

// MaxKey bounds a timer's key in bytes.
const MaxKey = 1024

// Timers keeps timers, on whatever node coordinates them.
//
// When a timer is due its record is appended to its topic once, whatever is
// killed when, and is there for every reader; its timestamp is the moment at which
// it was decided, of the domain clock. A timer whose topic does not exist when it
// is due, or does not take the record, is given up: the log and a metric tell.
type Timers interface {
	// Set stores timers and returns when they are durable, with an error or nil
	// for each. One with the key of another takes its place; one that is being
	// appended at that moment is waited for, so that both are.
	//
	//	INVALID_REQUEST             no key, a key that is too long, no topic
	//	UNKNOWN_TOPIC_OR_PARTITION  there is no such topic, or partition of it
	//	MESSAGE_TOO_LARGE           the topic takes no record so large
	//
	// and what a coordinator answers that cannot serve at the moment: all of that
	// is retriable, and to set a timer again does no harm unless it is due.
	Set(ctx context.Context, timers []Timer) []error
	// Cancel takes timers away and returns when that is durable, with an error or
	// nil for each: ErrGone for one that is not there, has been appended, or is
	// being appended.
	Cancel(ctx context.Context, keys []string) []error
	// Get reads a timer; false when there is none that waits.
	Get(ctx context.Context, key string) (Timer, bool, error)
	// Count tells how many timers for a topic wait, at all coordinators: those that
	// were set and neither cancelled nor appended. One that is being appended at that
	// moment may count and be in the topic.
	Count(ctx context.Context, topic string) (int64, error)
	// CancelTopic takes away all timers for a topic that were set before it is called,
	// and tells how many there were. It returns when that is durable and when those
	// that were being appended at that moment are in the topic, so that nothing of
	// them comes after it; the topic must be there until then. After an error some may
	// be gone, and it can be called again.
	CancelTopic(ctx context.Context, topic string) (int64, error)
}

// ErrGone says that there is no such timer any more: it was never set, was
// cancelled, or its record is appended.
var ErrGone = wire.Errorf(wire.ResourceNotFound, "there is no such timer: it was never set, was cancelled, or its record has been appended")
