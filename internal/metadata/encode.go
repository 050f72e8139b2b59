package metadata

import (
	"encoding/binary"

	"ottla/internal/uuid"
)

// The flexible encoding of Kafka (KIP-482): big-endian numbers; lengths as
// unsigned varints of n+1, 0 for null.

func appendInt16(dst []byte, v int16) []byte { return binary.BigEndian.AppendUint16(dst, uint16(v)) }
func appendInt32(dst []byte, v int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(v)) }
func appendInt64(dst []byte, v int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(v)) }

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendLen(dst []byte, n int) []byte { return binary.AppendUvarint(dst, uint64(n)+1) }

func appendString(dst []byte, s string) []byte {
	return append(appendLen(dst, len(s)), s...)
}

func appendNullableString(dst []byte, s *string) []byte {
	if s == nil {
		return append(dst, 0)
	}
	return appendString(dst, *s)
}

// appendInt32s writes a list, nil as an empty one.
func appendInt32s(dst []byte, list []int32) []byte {
	dst = appendLen(dst, len(list))
	for _, v := range list {
		dst = appendInt32(dst, v)
	}
	return dst
}

func appendUUIDs(dst []byte, list []uuid.UUID) []byte {
	dst = appendLen(dst, len(list))
	for i := range list {
		dst = append(dst, list[i][:]...)
	}
	return dst
}
