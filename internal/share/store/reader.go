package store

import (
	"encoding/binary"
	"errors"
)

var (
	errShort  = errors.New("it ends before its fields do")
	errLength = errors.New("a length in it is impossible")
)

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

func (r *reader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
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

// tags walks a section of tagged fields and gives each to visit, borrowed.
func (r *reader) tags(visit func(tag int, b []byte)) {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		tag := r.uvarint()
		if b := r.take(r.uvarint()); r.err == nil {
			visit(tag, b)
		}
	}
}
