package schema

import "encoding/binary"

// The writers of single fields; lengths of names are bounded by the protocol
// that brought them, so they fit their int16.

func appendInt16(b []byte, v int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }
func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendInt64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func appendText(b []byte, s string) []byte {
	return append(appendInt16(b, int16(len(s))), s...)
}

func appendMaybeText(b []byte, s *string) []byte {
	if s == nil {
		return appendInt16(b, -1)
	}
	return appendText(b, *s)
}

func appendBytes(b, v []byte) []byte {
	return append(appendInt32(b, int32(len(v))), v...)
}

func appendUvarint(b []byte, v int) []byte { return binary.AppendUvarint(b, uint64(v)) }
