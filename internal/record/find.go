package record

import "errors"

// ErrShort tells that a buffer ends inside a batch.
var ErrShort = errors.New("the buffer ends inside a batch")

// Next cuts the first batch off b: its header, its bytes and what follows. It
// fails with ErrShort when b holds less than the whole batch (header is set
// when that much was there), as the end of a fetch answer may, and with an
// *Error of KindCorrupt when b does not begin with a batch. CRC and records
// are not looked at. An empty b is ErrShort.
func Next(b []byte) (h Header, batch, rest []byte, err error) {
	if len(b) < HeaderSize {
		return h, nil, b, ErrShort
	}
	if h, err = ParseHeader(b); err != nil {
		return h, nil, b, err
	}
	if h.Size() > len(b) {
		return h, nil, b, ErrShort
	}
	return h, b[:h.Size():h.Size()], b[h.Size():], nil
}

// Found is a record by its place in time.
type Found struct {
	Offset      int64
	TimestampMs int64
}

// Find looks in the batch at the start of b for the first record, in offset
// order, with a timestamp at or above ms. With log append time every record
// has the batch's MaxTimestamp.
func Find(b []byte, maxDecompressed int, ms int64) (found Found, ok bool, err error) {
	h, err := ParseHeader(b)
	if err != nil || h.MaxTimestamp < ms {
		return Found{}, false, err
	}
	err = walk(b, maxDecompressed, func(h *Header, _ []byte, l *layout) bool {
		if t := timestamp(h, l); t >= ms {
			found, ok = Found{Offset: h.BaseOffset + int64(l.offsetDelta), TimestampMs: t}, true
		}
		return !ok
	})
	return found, ok, err
}

// FindMax looks in the batch at the start of b for the first record with the
// largest timestamp. ok is false only when the batch has no records, as
// compaction may leave one.
func FindMax(b []byte, maxDecompressed int) (found Found, ok bool, err error) {
	err = walk(b, maxDecompressed, func(h *Header, _ []byte, l *layout) bool {
		if t := timestamp(h, l); !ok || t > found.TimestampMs {
			found, ok = Found{Offset: h.BaseOffset + int64(l.offsetDelta), TimestampMs: t}, true
		}
		return !h.LogAppendTime()
	})
	return found, ok, err
}

// timestamp is that of the record at l.
func timestamp(h *Header, l *layout) int64 {
	if h.LogAppendTime() {
		return h.MaxTimestamp
	}
	return h.BaseTimestamp + l.timestampDelta
}
