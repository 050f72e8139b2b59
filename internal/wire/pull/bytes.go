package pull

import (
	"encoding/binary"
	"errors"

	"ottla/internal/wire/field"
)

// Version is that of Fetch.
const Version = 18

// ErrMalformed tells that bytes are no such message.
var ErrMalformed = errors.New("the message between replicas is malformed")

// reader takes fields off a message.
type reader struct{ field.Reader }

// count reads the length of a list whose elements take at least least bytes; a
// null list is empty.
func (r *reader) count(least int) int { return r.MaybeCount(true, least) }

// bytes reads compact bytes, a view; null is empty.
func (r *reader) bytes() []byte {
	n := r.Uvarint() - 1
	if n <= 0 {
		return nil
	}
	return r.Take(n)
}

// tags reads tagged fields.
func (r *reader) tags(each func(tag int, b reader)) {
	r.Tags(func(tag int, b []byte) {
		if each != nil {
			each(tag, reader{field.Reader{Rest: b}})
		}
	})
}

// end tells whether all was there, and nothing more.
func (r *reader) end() error {
	if r.Err != nil || len(r.Rest) > 0 {
		return ErrMalformed
	}
	return nil
}

func put16(b []byte, v int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }
func put32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func put64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

// putCount appends the length of a list.
func putCount(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)+1) }

// putTag begins a tagged field of so many bytes.
func putTag(b []byte, tag, size int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(tag)), uint64(size))
}
