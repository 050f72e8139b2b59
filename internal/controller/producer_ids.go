package controller

import (
	"math"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// AllocateProducerIDs; the reply is ProducerIDs.
type AllocateProducerIDs struct{ BrokerID int32 }

// ProducerIDs is a block of producer ids that nobody else gets.
type ProducerIDs struct {
	First int64
	Count int32
}

// producerIDBlock is the size of a block (KIP-730).
const producerIDBlock = 1000

func (c *Controller) allocateProducerIDs(cmd AllocateProducerIDs) ([]metadata.Record, any, error) {
	b := c.image().Broker(cmd.BrokerID)
	if b == nil {
		return nil, nil, errNotRegistered(cmd.BrokerID)
	}
	first := c.image().NextProducerID()
	if first > math.MaxInt64-producerIDBlock {
		return nil, nil, wire.Errorf(wire.UnknownServerError, "Exhausted all producerIds as the next block's end producerId has exceeded the int64 type limit")
	}
	record := &metadata.ProducerIDsRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, NextProducerID: first + producerIDBlock}
	return []metadata.Record{record}, ProducerIDs{First: first, Count: producerIDBlock}, nil
}
