package schema

import (
	"encoding/binary"
	"errors"
)

// errShort says that a record ends before its fields do.
var errShort = errors.New("it ends before its fields do")

// errLength says that a length is negative, or larger than what is left.
var errLength = errors.New("a length in it is impossible")

// reader takes fields off a record. After the first error it gives zeros.
type reader struct {
	b   []byte
	err error
}

// take gives the next n bytes, borrowed.
func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b) {
		r.err = errShort
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
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

// uvarint reads an unsigned varint of at most 32 bits.
func (r *reader) uvarint() int {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<31-1 {
		r.err = errLength
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// length reads the length of a text or of bytes, -1 for null; wide ones have
// 32 bits, flexible ones are varints of the length plus one.
func (r *reader) length(flexible, wide bool) int {
	switch {
	case flexible:
		return r.uvarint() - 1
	case wide:
		return int(r.int32())
	}
	return int(r.int16())
}

// text reads a text that may not be null.
func (r *reader) text(flexible bool) string {
	n := r.length(flexible, false)
	if r.err == nil && n < 0 {
		r.err = errLength
	}
	return string(r.take(n))
}

// maybeText reads a text that may be null.
func (r *reader) maybeText(flexible bool) *string {
	n := r.length(flexible, false)
	if r.err != nil || n == -1 {
		return nil
	}
	s := string(r.take(n))
	return &s
}

// bytes reads bytes that may not be null.
func (r *reader) bytes(flexible bool) []byte {
	n := r.length(flexible, true)
	if r.err == nil && n < 0 {
		r.err = errLength
	}
	return append([]byte(nil), r.take(n)...)
}

// count reads the length of an array whose elements take at least least bytes
// each, so that it cannot ask for more memory than the record can fill.
func (r *reader) count(flexible bool, least int) int {
	n := r.length(flexible, true)
	if r.err != nil {
		return 0
	}
	if n < 0 || n > len(r.b)/least {
		r.err = errLength
		return 0
	}
	return n
}

// tags walks a section of tagged fields and gives each to visit, borrowed.
func (r *reader) tags(visit func(tag int, b []byte)) {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		tag := r.uvarint()
		if b := r.take(r.uvarint()); r.err == nil && visit != nil {
			visit(tag, b)
		}
	}
}
