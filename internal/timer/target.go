package timer

import (
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/timer/schema"
	"ottla/internal/timer/table"
	"ottla/internal/wire"
)

// spot names a partition.
type spot struct {
	topic string
	index int32
}

// target is a partition that timers are appended to.
type target struct {
	spot
	// durable: what its record says. Stored tells that there is one.
	schema.Target
	stored bool

	// What follows is soft.

	// queue are timers that are due and not decided, in order; those that were
	// cancelled or replaced meanwhile are passed over when their turn comes.
	queue []queued
	// busy: the flight is being carried, or waits to be carried again.
	busy bool
	// listed: it is in Machine.runnable.
	listed bool
	// lone is how many flights have one timer each, after one was refused.
	lone   int
	tries  int       // in vain, of the flight at hand
	why    error     // the last of them
	absent time.Time // since when its topic is unknown; zero: it is not
	parked []parked
}

// queued is a timer in a queue.
type queued struct {
	ref    table.Ref
	offset int64
}

// parked is a Set, or the end of a CancelTopic, that waits for the end of a flight.
type parked struct {
	token coordinator.Token
	body  any
}

// flight is what is on its way, as a Carrier takes it.
func (g *target) flight(shard int32, d *schema.Target, again bool) Flight {
	f := Flight{
		Shard: shard, Topic: g.topic, TopicID: d.TopicID, Partition: g.index, ProducerID: d.ProducerID,
		Sequence: d.Sequence, TimeMs: d.TimeMs, Again: again, Offsets: make([]int64, len(d.Flight)),
	}
	for i := range d.Flight {
		f.Offsets[i] = d.Flight[i].Offset
	}
	return f
}

// after is the sequence that follows n records from a sequence on: after the
// largest comes 0.
func after(sequence int32, n int) int32 { return int32((int64(sequence) + int64(n)) & 0x7fffffff) }

// verdict is what is to be done about a flight that did not land.
type verdict int

const (
	tryAgain verdict = iota
	refused          // it will never be taken
	renew            // it is not there, and goes under another producer id
	missing          // its topic is unknown
	misdated         // it is too old, or too new, for the topic
)

// verdictOf sorts what a Carrier says.
func verdictOf(err error) verdict {
	switch wire.CodeOf(err) {
	case wire.MessageTooLarge, wire.RecordListTooLarge, wire.InvalidRecord, wire.CorruptMessage,
		wire.InvalidTopic, wire.TopicAuthorizationFailed:
		return refused
	case wire.OutOfOrderSequenceNumber, wire.InvalidProducerEpoch, wire.UnknownProducerID:
		return renew
	case wire.InvalidTimestamp:
		return misdated
	case wire.UnknownTopicOrPartition, wire.UnknownTopicID:
		return missing
	}
	return tryAgain
}
