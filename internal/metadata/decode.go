package metadata

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ottla/internal/uuid"
)

// errShort and its neighbours are what a body can have wrong; Parse wraps them
// with the type and the place.
var (
	errShort    = errors.New("ends too early")
	errVarint   = errors.New("has a varint that is too long")
	errLength   = errors.New("has a length beyond its end")
	errNull     = errors.New("has null where a value must stand")
	errTrailing = errors.New("has bytes behind its end")
)

// reader walks a record. The first error sticks and every later read gives the
// zero value, so that parsers read straight through and check once. It never
// allocates more than a small multiple of what is left to read.
type reader struct {
	b   []byte
	off int
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%w (byte %d of %d)", err, r.off, len(r.b))
	}
}

func (r *reader) left() int { return len(r.b) - r.off }

// take returns the next n bytes, a view of the input, or nil with the error
// set.
func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > r.left() {
		r.fail(errShort)
		return nil
	}
	v := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return v
}

func (r *reader) int8() int8 {
	if v := r.take(1); v != nil {
		return int8(v[0])
	}
	return 0
}

func (r *reader) bool() bool { return r.int8() != 0 }

func (r *reader) int16() int16 {
	if v := r.take(2); v != nil {
		return int16(binary.BigEndian.Uint16(v))
	}
	return 0
}

func (r *reader) int32() int32 {
	if v := r.take(4); v != nil {
		return int32(binary.BigEndian.Uint32(v))
	}
	return 0
}

func (r *reader) int64() int64 {
	if v := r.take(8); v != nil {
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (r *reader) uuid() (u uuid.UUID) {
	copy(u[:], r.take(16))
	return u
}

// uvarint reads an unsigned varint of at most 32 bits, as Kafka does.
func (r *reader) uvarint() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.take(1)
		if b == nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.fail(errVarint)
	return 0
}

// length reads a compact length for elements of at least size bytes each; -1
// is null.
func (r *reader) length(size int) int {
	n := int64(r.uvarint()) - 1
	if r.err != nil {
		return -1
	}
	if n*int64(size) > int64(r.left()) {
		r.fail(errLength)
		return -1
	}
	return int(n)
}

// notNull is length where null is an error.
func (r *reader) notNull(size int) int {
	n := r.length(size)
	if n < 0 {
		r.fail(errNull)
		return 0
	}
	return n
}

func (r *reader) string() string { return string(r.take(r.notNull(1))) }

func (r *reader) nullableString() *string {
	n := r.length(1)
	if n < 0 {
		return nil
	}
	s := string(r.take(n))
	return &s
}

func (r *reader) nullableInt32s() []int32 {
	n := r.length(4)
	if n < 0 {
		return nil
	}
	list := make([]int32, n)
	for i := range list {
		list[i] = r.int32()
	}
	return list
}

// int32s refuses null; an empty list is nil-safe but not nil.
func (r *reader) int32s() []int32 {
	list := r.nullableInt32s()
	if list == nil {
		r.fail(errNull)
	}
	return list
}

func (r *reader) nullableUUIDs() []uuid.UUID {
	n := r.length(16)
	if n < 0 {
		return nil
	}
	list := make([]uuid.UUID, n)
	for i := range list {
		list[i] = r.uuid()
	}
	return list
}

func (r *reader) uuids() []uuid.UUID {
	list := r.nullableUUIDs()
	if list == nil {
		r.fail(errNull)
	}
	return list
}
