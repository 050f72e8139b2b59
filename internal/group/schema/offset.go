package schema

import (
	"fmt"

	"ottla/internal/uuid"
)

// OffsetValue is a committed offset.
type OffsetValue struct {
	Offset int64
	// LeaderEpoch of the last consumed record, -1 when unknown (v3, KIP-320).
	LeaderEpoch int32
	// Metadata is the committer's text.
	Metadata string
	// CommitMs and ExpireMs are in milliseconds since 1970; ExpireMs is -1
	// unless the committer asked for a time of its own (v1, before KIP-211).
	CommitMs, ExpireMs int64
	// TopicID is the topic's at the time of the commit, zero when unknown (v4).
	TopicID uuid.UUID
}

// topicIDTag is the tag of the topic's id in v4.
const topicIDTag = 0

// ParseOffsetValue reads versions 0 to 4.
func ParseOffsetValue(b []byte) (OffsetValue, error) {
	r := read(b)
	version := r.Int16()
	if r.Err == nil && (version < 0 || version > 4) {
		return OffsetValue{}, fmt.Errorf("committed offset of version %d, 0 to 4 are known", version)
	}
	v := OffsetValue{Offset: r.Int64(), LeaderEpoch: -1, ExpireMs: -1}
	if version >= 3 {
		v.LeaderEpoch = r.Int32()
	}
	v.Metadata = r.Text(version >= 4)
	v.CommitMs = r.Int64()
	if version == 1 {
		v.ExpireMs = r.Int64()
	}
	if version >= 4 {
		r.Tags(func(tag int, field []byte) {
			if tag == topicIDTag && len(field) == len(v.TopicID) {
				v.TopicID = uuid.UUID(field)
			}
		})
	}
	if r.Err != nil {
		return OffsetValue{}, fmt.Errorf("committed offset of version %d in %d bytes: %w", version, len(b), r.Err)
	}
	return v, nil
}

// AppendOffsetValue writes version 4, or version 1 for an offset with an
// expiry time of its own, as Kafka 4.4 does.
func AppendOffsetValue(b []byte, v OffsetValue) []byte {
	if v.ExpireMs >= 0 {
		b = appendInt64(appendInt16(b, 1), v.Offset)
		b = appendText(b, v.Metadata)
		return appendInt64(appendInt64(b, v.CommitMs), v.ExpireMs)
	}
	b = appendInt64(appendInt16(b, 4), v.Offset)
	b = appendInt32(b, v.LeaderEpoch)
	b = appendUvarint(b, len(v.Metadata)+1)
	b = append(b, v.Metadata...)
	b = appendInt64(b, v.CommitMs)
	if v.TopicID.IsZero() {
		return append(b, 0)
	}
	b = append(b, 1, topicIDTag, byte(len(v.TopicID)))
	return append(b, v.TopicID[:]...)
}
