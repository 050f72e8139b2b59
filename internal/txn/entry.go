package txn

import (
	"math"

	"ottla/internal/coordinator"
	"ottla/internal/txn/schema"
)

// meta is what the log says of a transactional id. It is replaced and never
// changed.
type meta struct {
	state State
	// producerID and epoch are those that may produce; in Prepare* the epoch is
	// that of the markers, and with V2 above that of the data.
	producerID int64
	epoch      int16
	// previousID is the producer id before the last transition, nextID the one
	// that the end of this transaction brings, -1 for the same.
	previousID, nextID int64
	nextEpoch          int16
	// client is the version of the client that began or ended the transaction.
	client    int16
	timeoutMs int32
	// startMs is when the transaction began, -1 in Empty.
	updateMs, startMs int64
	parts             partitions
	// version is that of the record.
	version int16
}

// lastEpoch is the highest epoch that a client may have: one above it is left
// to fence it with.
const lastEpoch = math.MaxInt16 - 1

// exhausted tells that an epoch is the last one of its producer id.
func exhausted(epoch int16) bool { return epoch >= lastEpoch }

// EpochsUsedUp tells that an End at this epoch needs a FreshID.
func EpochsUsedUp(epoch int16) bool { return exhausted(epoch) }

// value is the record's form.
func (m *meta) value() *schema.Value {
	return &schema.Value{
		ProducerID: m.producerID, Epoch: m.epoch, TimeoutMs: m.timeoutMs, Status: int8(m.state), Topics: m.parts.topics(),
		LastUpdateMs: m.updateMs, StartMs: m.startMs, PreviousProducerID: m.previousID, NextProducerID: m.nextID,
		ClientVersion: m.client, NextEpoch: m.nextEpoch,
	}
}

func metaOf(v *schema.Value, version int16) *meta {
	return &meta{
		state: State(v.Status), producerID: v.ProducerID, epoch: v.Epoch, previousID: v.PreviousProducerID,
		nextID: v.NextProducerID, nextEpoch: v.NextEpoch, client: v.ClientVersion, timeoutMs: v.TimeoutMs,
		updateMs: v.LastUpdateMs, startMs: v.StartMs, parts: partitionsOf(v.Topics), version: version,
	}
}

// entry is one transactional id.
type entry struct {
	*meta

	// What follows is soft.

	// last is the epoch before the one that the producer was given at its own
	// request, -1 when unknown: a producer that names it repeats that request.
	last int16
	// enders wait for the end of the transaction.
	enders []coordinator.Token
	// parked wait for it to go on with something else.
	parked []parked
}

// parked is a command that waits for the end of the transaction before.
type parked struct {
	token coordinator.Token
	body  any
	until int64 // nanoseconds of the clock of time-outs
}
