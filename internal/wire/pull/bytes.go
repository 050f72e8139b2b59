package pull

import (
	"encoding/binary"
	"errors"

	"ottla/internal/uuid"
)

// Version is that of Fetch.
const Version = 18

// ErrMalformed tells that bytes are no such message.
var ErrMalformed = errors.New("the message between replicas is malformed")

// reader takes fields off b; once something is missing it gives zeros and bad
// stays true.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) uuid() (u uuid.UUID) {
	copy(u[:], r.take(len(u)))
	return u
}

func (r *reader) uvarint() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<31-1 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// count reads the length of a list whose elements take at least least bytes; a
// null list is empty.
func (r *reader) count(least int) int {
	n := max(r.uvarint()-1, 0)
	if n > len(r.b)/least {
		r.bad, r.b = true, nil
		return 0
	}
	return n
}

// bytes reads compact bytes, a view; null is empty.
func (r *reader) bytes() []byte {
	n := r.uvarint() - 1
	if n <= 0 {
		return nil
	}
	return r.take(n)
}

// tags reads tagged fields.
func (r *reader) tags(each func(tag int, b reader)) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		tag := r.uvarint()
		b := r.take(r.uvarint())
		if each != nil && !r.bad {
			each(tag, reader{b: b})
		}
	}
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
