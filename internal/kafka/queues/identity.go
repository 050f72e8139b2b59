package queues

import (
	"crypto/sha256"
	"encoding/binary"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/uuid"
)

// Headers of messages. Those that begin with HeaderPrefix are ours; all others
// are attributes.
const (
	HeaderPrefix = "ottla."
	// HeaderID is a message's id where that is not the one of its place: it was
	// moved, or delayed.
	HeaderID = lead.MessageID
	// HeaderSent is when it was sent, in ms since 1970, where that is not the
	// record's time.
	HeaderSent = "ottla.sent"
	// HeaderDedup is its deduplication id.
	HeaderDedup = lead.DedupID
	// HeaderType and an attribute's name is its type, where that is not String.
	HeaderType = "ottla.type."
	// HeaderSystem and a system attribute's name has that.
	HeaderSystem = "ottla.system."
)

// MessageID is the id of the record at a place, in the form of a UUID: the same
// whoever asks, and of no other place.
func MessageID(topic uuid.UUID, partition int32, offset int64) string {
	b := append([]byte("message"), topic[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(partition))
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	return IDOf(b)
}

// IDOf is an id made of bytes that nobody else has (a version 8 UUID, RFC 9562).
func IDOf(b []byte) string {
	h := sha256.Sum256(b)
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return uuid.UUID(h[:16]).Standard()
}
