package index

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"ottla/internal/producer"
)

// AbortedSize is the size of one .txnindex entry on disk.
const AbortedSize = 34

// AppendAborted adds the file form of one aborted transaction to b: version 0,
// producer id, first offset, last offset, last stable offset (KIP-98).
func AppendAborted(b []byte, a producer.Aborted) []byte {
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint64(b, uint64(a.ProducerID))
	b = binary.BigEndian.AppendUint64(b, uint64(a.FirstOffset))
	b = binary.BigEndian.AppendUint64(b, uint64(a.LastOffset))
	return binary.BigEndian.AppendUint64(b, uint64(a.LastStableOffset))
}

// AbortedCRC is the CRC-32C of the file form of entries.
func AbortedCRC(entries []producer.Aborted) uint32 {
	var sum uint32
	var b [AbortedSize]byte
	for _, a := range entries {
		sum = crc32.Update(sum, castagnoli, AppendAborted(b[:0], a))
	}
	return sum
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ParseAborted reads a .txnindex file of the segment that begins at base and
// ends before end. Entries lie in the segment that holds their abort marker,
// in the order of the markers.
func ParseAborted(b []byte, base, end int64) ([]producer.Aborted, error) {
	if len(b)%AbortedSize != 0 {
		return nil, fmt.Errorf("transaction index has %d bytes, no multiple of %d", len(b), AbortedSize)
	}
	out := make([]producer.Aborted, 0, len(b)/AbortedSize)
	last := base - 1
	for i := 0; i < len(b); i += AbortedSize {
		if v := binary.BigEndian.Uint16(b[i:]); v != 0 {
			return nil, fmt.Errorf("transaction index entry at byte %d has version %d, want 0", i, v)
		}
		a := producer.Aborted{
			ProducerID:       int64(binary.BigEndian.Uint64(b[i+2:])),
			FirstOffset:      int64(binary.BigEndian.Uint64(b[i+10:])),
			LastOffset:       int64(binary.BigEndian.Uint64(b[i+18:])),
			LastStableOffset: int64(binary.BigEndian.Uint64(b[i+26:])),
		}
		if a.ProducerID < 0 || a.FirstOffset < 0 || a.FirstOffset >= a.LastOffset || a.LastOffset <= last || a.LastOffset >= end {
			return nil, fmt.Errorf("transaction index entry at byte %d (producer %d, offsets %d to %d) does not fit the segment [%d, %d)", i, a.ProducerID, a.FirstOffset, a.LastOffset, base, end)
		}
		out = append(out, a)
		last = a.LastOffset
	}
	return out, nil
}
