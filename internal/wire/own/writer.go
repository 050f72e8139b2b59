package own

import (
	"encoding/binary"

	"ottla/internal/uuid"
)

// writer appends Kafka's flexible encodings (KIP-482).
type writer []byte

func (w writer) bool(yes bool) writer {
	if yes {
		return append(w, 1)
	}
	return append(w, 0)
}
func (w writer) int8(n int8) writer       { return append(w, byte(n)) }
func (w writer) int16(n int16) writer     { return binary.BigEndian.AppendUint16(w, uint16(n)) }
func (w writer) int32(n int32) writer     { return binary.BigEndian.AppendUint32(w, uint32(n)) }
func (w writer) int64(n int64) writer     { return binary.BigEndian.AppendUint64(w, uint64(n)) }
func (w writer) uuid(id uuid.UUID) writer { return append(w, id[:]...) }
func (w writer) length(n int) writer      { return binary.AppendUvarint(w, uint64(n)+1) }
func (w writer) string(s string) writer   { return append(w.length(len(s)), s...) }
func (w writer) bytes(b []byte) writer    { return append(w.length(len(b)), b...) }
func (w writer) noTags() writer           { return append(w, 0) }
