package timer

import (
	"context"

	"ottla/internal/uuid"
)

// Flight is timers on the way to a partition, as one batch.
type Flight struct {
	Shard     int32 // the partition of the timers' topic that they lie in
	Topic     string
	TopicID   uuid.UUID
	Partition int32
	// ProducerID and Sequence make that the batch is appended once; the epoch is 0.
	ProducerID int64
	Sequence   int32
	TimeMs     int64   // what its records are dated by
	Offsets    []int64 // of the timers' records, in the order of the batch
	// Again tells that it may have been sent before.
	Again bool
}

// Landed is what became of a flight.
type Landed struct {
	// Keys are those of the timers, in the order of Flight.Offsets; nil when they
	// could not be read.
	Keys []string
	// Err is nil when the batch is in the partition and committed. What no code
	// below says is tried again:
	//
	//	MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_RECORD, CORRUPT_MESSAGE,
	//	INVALID_TOPIC_EXCEPTION, TOPIC_AUTHORIZATION_FAILED
	//	                             it will never be taken
	//	INVALID_TIMESTAMP            neither, but with another date perhaps
	//	OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID
	//	                             it is not there, and goes under another id
	//	UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID
	//	                             given up when that stays so
	Err error
}

// Carrier does what a machine cannot. Its methods return at once, and call done
// once, from any goroutine; ctx ends with the leadership.
type Carrier interface {
	// Carry appends a flight.
	Carry(ctx context.Context, f Flight, done func(Landed))
	// Keys reads those of timers whose records lie at some offsets of a shard, in
	// that order; "" for one that is not in the log any more.
	Keys(ctx context.Context, shard int32, offsets []int64, done func(keys []string, err error))
	// ProducerID gives a producer id that nobody has.
	ProducerID(ctx context.Context, done func(int64, error))
	// GivenUp is told of timers that will not be appended.
	GivenUp(f Flight, l Landed)
}
