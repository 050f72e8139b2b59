package record

import (
	"encoding/binary"
	"fmt"
	"math"
)

// HeaderSize is the size of a batch header in bytes: everything before the
// records.
const HeaderSize = 61

// Where the header's fields lie, in bytes from the start of the batch.
const (
	atBaseOffset    = 0
	atLength        = 8
	atLeaderEpoch   = 12
	atMagic         = 16
	atCRC           = 17
	atAttributes    = 21 // the CRC covers everything from here on
	atLastDelta     = 23
	atBaseTimestamp = 27
	atMaxTimestamp  = 35
	atProducerID    = 43
	atProducerEpoch = 51
	atBaseSequence  = 53
	atCount         = 57

	lengthOverhead = 12 // base offset and length, which Length does not count
)

// Attribute bits of a batch.
const (
	codecMask        = 7
	bitAppendTime    = 1 << 3
	bitTransactional = 1 << 4
	bitControl       = 1 << 5
	bitDeleteHorizon = 1 << 6
)

// Codec is the compression of a batch, as in its attributes.
type Codec int8

// The codecs of Kafka's batch format.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// String is Kafka's name of the codec.
func (c Codec) String() string {
	if c < 0 || int(c) >= len(codecNames) {
		return fmt.Sprintf("codec %d", int8(c))
	}
	return codecNames[c]
}

// Header is a decoded batch header (record batch v2, KIP-98).
type Header struct {
	BaseOffset      int64
	Length          int32 // bytes after this field: Size() is 12 more
	LeaderEpoch     int32
	Magic           int8
	CRC             uint32 // CRC-32C of everything from Attributes on
	Attributes      int16
	LastOffsetDelta int32
	BaseTimestamp   int64 // ms
	MaxTimestamp    int64 // ms
	ProducerID      int64 // -1 when none
	ProducerEpoch   int16
	BaseSequence    int32
	Count           int32 // records
}

// ParseHeader decodes the header at the start of b without checking the CRC.
// It fails with an *Error of KindCorrupt when b is too short, the magic is
// not 2, or Length is below the header's own size. b may be longer or shorter
// than the batch: only its first HeaderSize bytes are looked at.
func ParseHeader(b []byte) (Header, error) {
	var h Header
	if len(b) < HeaderSize {
		return h, corrupt("batch header needs %d bytes, there are %d", HeaderSize, len(b))
	}
	if m := int8(b[atMagic]); m != 2 {
		return h, corrupt("batch at offset %d has magic %d, only 2 is served", int64(binary.BigEndian.Uint64(b)), m)
	}
	h.read(b)
	if h.Length < HeaderSize-lengthOverhead || h.Length > math.MaxInt32-lengthOverhead {
		return Header{}, corrupt("batch at offset %d has the impossible length %d", h.BaseOffset, h.Length)
	}
	return h, nil
}

// read fills h from b, which holds at least HeaderSize bytes.
func (h *Header) read(b []byte) {
	_ = b[HeaderSize-1]
	h.BaseOffset = int64(binary.BigEndian.Uint64(b[atBaseOffset:]))
	h.Length = int32(binary.BigEndian.Uint32(b[atLength:]))
	h.LeaderEpoch = int32(binary.BigEndian.Uint32(b[atLeaderEpoch:]))
	h.Magic = int8(b[atMagic])
	h.CRC = binary.BigEndian.Uint32(b[atCRC:])
	h.Attributes = int16(binary.BigEndian.Uint16(b[atAttributes:]))
	h.LastOffsetDelta = int32(binary.BigEndian.Uint32(b[atLastDelta:]))
	h.BaseTimestamp = int64(binary.BigEndian.Uint64(b[atBaseTimestamp:]))
	h.MaxTimestamp = int64(binary.BigEndian.Uint64(b[atMaxTimestamp:]))
	h.ProducerID = int64(binary.BigEndian.Uint64(b[atProducerID:]))
	h.ProducerEpoch = int16(binary.BigEndian.Uint16(b[atProducerEpoch:]))
	h.BaseSequence = int32(binary.BigEndian.Uint32(b[atBaseSequence:]))
	h.Count = int32(binary.BigEndian.Uint32(b[atCount:]))
}

// write stores h into the first HeaderSize bytes of b as it stands, h.CRC
// included.
func (h *Header) write(b []byte) {
	_ = b[HeaderSize-1]
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(h.BaseOffset))
	binary.BigEndian.PutUint32(b[atLength:], uint32(h.Length))
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], uint32(h.LeaderEpoch))
	b[atMagic] = byte(h.Magic)
	binary.BigEndian.PutUint32(b[atCRC:], h.CRC)
	binary.BigEndian.PutUint16(b[atAttributes:], uint16(h.Attributes))
	binary.BigEndian.PutUint32(b[atLastDelta:], uint32(h.LastOffsetDelta))
	binary.BigEndian.PutUint64(b[atBaseTimestamp:], uint64(h.BaseTimestamp))
	binary.BigEndian.PutUint64(b[atMaxTimestamp:], uint64(h.MaxTimestamp))
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(h.ProducerID))
	binary.BigEndian.PutUint16(b[atProducerEpoch:], uint16(h.ProducerEpoch))
	binary.BigEndian.PutUint32(b[atBaseSequence:], uint32(h.BaseSequence))
	binary.BigEndian.PutUint32(b[atCount:], uint32(h.Count))
}

// Size is the size of the whole batch in bytes, header included.
func (h *Header) Size() int { return int(h.Length) + lengthOverhead }

// LastOffset is the offset of the last record.
func (h *Header) LastOffset() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) }

// NextOffset is the offset after the last record.
func (h *Header) NextOffset() int64 { return h.LastOffset() + 1 }

// Codec is the compression of the records; it may be one that does not exist.
func (h *Header) Codec() Codec { return Codec(h.Attributes & codecMask) }

// LogAppendTime tells that every record's timestamp is MaxTimestamp.
func (h *Header) LogAppendTime() bool { return h.Attributes&bitAppendTime != 0 }

// Transactional tells that the batch belongs to a transaction.
func (h *Header) Transactional() bool { return h.Attributes&bitTransactional != 0 }

// Control tells that the batch holds a control record, which no application sees.
func (h *Header) Control() bool { return h.Attributes&bitControl != 0 }

// HasDeleteHorizon tells that BaseTimestamp is the time after which tombstones
// and markers of this batch may go (KIP-534).
func (h *Header) HasDeleteHorizon() bool { return h.Attributes&bitDeleteHorizon != 0 }

// LastSequence is the sequence of the last record. Sequences wrap from 2^31-1
// to 0 (KIP-98); it is -1 when the batch carries none.
func (h *Header) LastSequence() int32 {
	if h.BaseSequence < 0 {
		return -1
	}
	return int32((int64(h.BaseSequence) + int64(h.LastOffsetDelta)) & math.MaxInt32)
}
