package record

import (
	"encoding/binary"
	"hash/crc32"
)

// castagnoli is CRC-32C; hash/crc32 computes it in hardware (15 GB/s).
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SetBaseOffset patches the base offset of the batch at the start of b. It lies
// outside the CRC.
func SetBaseOffset(b []byte, offset int64) {
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(offset))
}

// SetLeaderEpoch patches the partition leader epoch of the batch at the start
// of b. It lies outside the CRC.
func SetLeaderEpoch(b []byte, epoch int32) {
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], uint32(epoch))
}

// SetTimestamps makes maxMs the batch's maximum timestamp and sets the
// timestamp-type bit as appendTime says. The base timestamp stays its
// producer's, with log append time too, as in Kafka: no reader looks at it
// then. It recomputes the CRC. b holds exactly one batch that ParseHeader
// accepts.
func SetTimestamps(b []byte, maxMs int64, appendTime bool) {
	attributes := binary.BigEndian.Uint16(b[atAttributes:]) &^ bitAppendTime
	if appendTime {
		attributes |= bitAppendTime
	}
	binary.BigEndian.PutUint16(b[atAttributes:], attributes)
	binary.BigEndian.PutUint64(b[atMaxTimestamp:], uint64(maxMs))
	setCRC(b)
}

// NeedsTimestamps tells whether the leader must call SetTimestamps on the
// batch b before it stores it, h being what Validate made of it: the producer
// sent a wrong maximum, or claimed log append time for a topic without it.
func NeedsTimestamps(b []byte, h *Header) bool {
	return int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])) != h.MaxTimestamp ||
		binary.BigEndian.Uint16(b[atAttributes:])&bitAppendTime != uint16(h.Attributes)&bitAppendTime
}

// VerifyCRC tells whether the checksum of the batch at the start of b holds;
// false also when b ends before the batch does.
func VerifyCRC(b []byte) bool {
	if len(b) < HeaderSize {
		return false
	}
	size := int64(int32(binary.BigEndian.Uint32(b[atLength:]))) + lengthOverhead
	if size < HeaderSize || size > int64(len(b)) {
		return false
	}
	return checksum(b[:size]) == binary.BigEndian.Uint32(b[atCRC:])
}

// checksum is the CRC-32C of a whole batch.
func checksum(batch []byte) uint32 {
	return crc32.Update(0, castagnoli, batch[atAttributes:])
}

func setCRC(batch []byte) {
	binary.BigEndian.PutUint32(batch[atCRC:], checksum(batch))
}
