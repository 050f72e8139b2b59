package partition

import (
	"errors"
	"log/slog"

	"ottla/internal/log"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// How errors of the rooms below become Kafka's. The table, whole:
//
//	record.Error           its kind's code; stays in the chain for the records it names
//	producer.Verdict       45, 47, 48, 52
//	log.ErrDiskFull        KAFKA_STORAGE_ERROR, retriable: the same batch may come again
//	log.ErrOffline, I/O    KAFKA_STORAGE_ERROR
//	log.CorruptError       CORRUPT_MESSAGE: this range cannot be served; Kafka says
//	                       so too, and a client that skips the range goes on
//	log.ErrOutOfRange      OFFSET_OUT_OF_RANGE
//	log.ErrClosed          NOT_LEADER_OR_FOLLOWER: ask whoever has it now

// kindCodes maps what can be wrong with a batch.
var kindCodes = map[record.Kind]wire.Code{
	record.KindCorrupt:     wire.CorruptMessage,
	record.KindInvalid:     wire.InvalidRecord,
	record.KindTimestamp:   wire.InvalidTimestamp,
	record.KindUnsupported: wire.UnsupportedCompression,
	record.KindTooLarge:    wire.MessageTooLarge,
}

// badBatch maps an error of package record.
func badBatch(err error) error {
	var bad *record.Error
	if !errors.As(err, &bad) {
		return err
	}
	return &wire.Error{Code: kindCodes[bad.Kind], Message: bad.Reason, Cause: err}
}

// badProducer maps a verdict that refuses.
func badProducer(v producer.Verdict) error {
	switch v {
	case producer.OutOfOrder:
		return wire.OutOfOrderSequenceNumber
	case producer.FencedEpoch:
		return wire.InvalidProducerEpoch
	case producer.InvalidTxnState:
		return wire.InvalidTxnState
	case producer.FencedCoordinator:
		return wire.TransactionCoordinatorFenced
	}
	return wire.UnknownServerError
}

// fault maps an error of the log.
func (p *Partition) fault(err error) error {
	var rot *log.CorruptError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &rot):
		p.rotten(err)
		return wire.Errorf(wire.CorruptMessage, "%s-%d cannot be read at offset %d: %w; "+
			"the range is never served: it is mended where another replica has it; run \"ottla doctor\" to see what can be saved", p.topic, p.index, rot.Offset, err)
	case errors.Is(err, log.ErrOutOfRange):
		return wire.OffsetOutOfRange
	case errors.Is(err, log.ErrClosed):
		return wire.NotLeaderOrFollower
	case errors.Is(err, log.ErrDiskFull):
		return wire.Errorf(wire.KafkaStorageError, "%s-%d takes no records: %w; "+
			"free some space or lower retention: reading and deleting go on, and writing will without a restart", p.topic, p.index, err)
	case errors.Is(err, log.ErrOffline):
		return p.offline(err)
	}
	return wire.Errorf(wire.KafkaStorageError, "%s-%d: %w; look after the disk", p.topic, p.index, err)
}

// offline is the answer for a log that failed for good.
func (p *Partition) offline(err error) error {
	return wire.Errorf(wire.KafkaStorageError, "%s-%d is not served: %w; "+
		"look after the disk, then restart the node", p.topic, p.index, err)
}

// MayYield tells that this replica leads, has no room for what came last, and that
// there are enough others in sync for one of them to lead.
func (p *Partition) MayYield() bool {
	if !p.full.Load() {
		return false
	}
	p.st.Lock()
	defer p.st.Unlock()
	return p.refusal == nil && p.core.MayYield()
}

// noteFull writes one line when the disk becomes full, and one when it is no
// more.
func (p *Partition) noteFull(err error) {
	full := errors.Is(err, log.ErrDiskFull)
	if p.full.Load() == full || !p.full.CompareAndSwap(!full, full) {
		return
	}
	if full {
		if p.inSync != nil {
			p.inSync(p) // another may lead in its place
		}
		p.logger.Error("partition takes no records, the disk is full",
			slog.String("topic", p.topic), slog.Int("partition", int(p.index)), slog.Any("err", err))
		return
	}
	p.logger.Info("partition takes records again", slog.String("topic", p.topic), slog.Int("partition", int(p.index)))
}
