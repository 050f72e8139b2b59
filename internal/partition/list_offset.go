package partition

import (
	"ottla/internal/log"
	"ottla/internal/wire"
)

// Special timestamps of ListOffsets.
const (
	TimeLatest                = -1
	TimeEarliest              = -2
	TimeMax                   = -3 // KIP-734
	TimeEarliestLocal         = -4 // KIP-405
	TimeLatestTiered          = -5 // KIP-1005
	TimeEarliestPendingUpload = -6 // KIP-1023
)

// none is the answer when there is no such record.
var none = log.TimeOffset{TimestampMs: -1, Offset: -1, LeaderEpoch: -1}

// ListOffset answers one ListOffsets row (offset -1 when there is none). An
// unknown special timestamp is UNSUPPORTED_VERSION. A leader that has not
// committed the start of its epoch yet answers OFFSET_NOT_AVAILABLE where the
// answer hangs on the high watermark (KIP-207).
func (p *Partition) ListOffset(timestampMs int64, i Isolation, currentLeaderEpoch int32) (log.TimeOffset, error) {
	v, err := p.look(currentLeaderEpoch)
	if err != nil {
		return none, err
	}
	switch {
	case timestampMs < TimeEarliestPendingUpload:
		return none, wire.UnsupportedVersion
	case timestampMs == TimeLatestTiered, timestampMs == TimeEarliestPendingUpload:
		return none, nil // nothing is tiered
	case timestampMs == TimeEarliest, timestampMs == TimeEarliestLocal:
		return v.earliest(), nil
	case timestampMs == TimeLatest:
		if v.catching {
			return none, wire.OffsetNotAvailable
		}
		return log.TimeOffset{TimestampMs: -1, Offset: v.bound(i).Offset, LeaderEpoch: v.epoch}, nil
	}
	return p.byTime(&v, timestampMs, v.bound(i))
}

// Waiting is the first record that a reader who stands at offset has yet to
// read; false when it has read all below the high watermark.
func (p *Partition) Waiting(offset int64) (log.TimeOffset, bool, error) {
	v, err := p.look(-1)
	if err != nil || offset >= v.high.Offset {
		return none, false, err
	}
	found, ok, err := v.log.FirstRecord(offset, v.high)
	if err != nil || !ok {
		return none, false, p.fault(err)
	}
	return found, true, nil
}

// earliest is the log start.
func (v *view) earliest() log.TimeOffset {
	epoch, ok := v.log.Epochs().EpochOf(v.start)
	if !ok {
		epoch = -1
	}
	return log.TimeOffset{TimestampMs: -1, Offset: v.start, LeaderEpoch: epoch}
}

// byTime finds the first record at or after a time, or the one with the
// largest, among those that the reader may read.
func (p *Partition) byTime(v *view, ms int64, to log.Position) (log.TimeOffset, error) {
	var found log.TimeOffset
	var ok bool
	var err error
	if ms == TimeMax {
		found, ok, err = v.largest(to)
	} else {
		found, ok, err = v.log.LookupTime(ms, to)
	}
	switch {
	case err != nil:
		return none, p.fault(err)
	case ok && found.Offset < to.Offset:
		return found, nil
	case v.catching:
		return none, wire.OffsetNotAvailable
	}
	return none, nil
}

// largest is the record with the largest timestamp below to. The log knows the
// one of all its records; under load that one is rarely committed yet, and
// then the largest below is found by halving the range of times: about 40
// look-ups by time, whatever the size of the log.
func (v *view) largest(to log.Position) (log.TimeOffset, bool, error) {
	top, ok, err := v.log.MaxTime()
	if err != nil || !ok || top.Offset < to.Offset {
		return top, ok, err
	}
	best, ok, err := v.log.LookupTime(0, to)
	if err != nil || !ok {
		return best, ok, err
	}
	// Some record below to has a time of at least best's, none has one above high.
	for high := top.TimestampMs; best.TimestampMs < high; {
		middle := best.TimestampMs + (high-best.TimestampMs+1)/2
		found, ok, err := v.log.LookupTime(middle, to)
		switch {
		case err != nil:
			return found, false, err
		case ok:
			best = found
		default:
			high = middle - 1
		}
	}
	return best, true, nil
}
