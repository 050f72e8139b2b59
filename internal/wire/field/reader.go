package field

import (
	"encoding/binary"
	"errors"

	"ottla/internal/uuid"
)

// What Err says of bytes that do not hold their fields.
var (
	// ErrShort says that the bytes end before their fields do.
	ErrShort = errors.New("it ends before its fields do")
	// ErrLength says that a length is negative, or larger than what is left.
	ErrLength = errors.New("a length in it is impossible")
)

// Reader takes fields off bytes. After the first error it gives zeros.
type Reader struct {
	Rest []byte // what was not taken yet
	Err  error  // the first
}

// Take gives the next n bytes, borrowed.
func (r *Reader) Take(n int) []byte {
	if r.Err != nil {
		return nil
	}
	if n < 0 || n > len(r.Rest) {
		r.Err = ErrShort
		return nil
	}
	out := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return out
}

// Int8 reads one byte.
func (r *Reader) Int8() int8 {
	if b := r.Take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

// Int16 reads two bytes.
func (r *Reader) Int16() int16 {
	if b := r.Take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Int32 reads four bytes.
func (r *Reader) Int32() int32 {
	if b := r.Take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads eight bytes.
func (r *Reader) Int64() int64 {
	if b := r.Take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// UUID reads sixteen bytes.
func (r *Reader) UUID() (id uuid.UUID) {
	copy(id[:], r.Take(len(id)))
	return id
}

// Uvarint reads an unsigned varint of at most 31 bits.
func (r *Reader) Uvarint() int {
	if r.Err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.Rest)
	if n <= 0 || v > 1<<31-1 {
		r.Err = ErrLength
		return 0
	}
	r.Rest = r.Rest[n:]
	return int(v)
}

// Length reads the length of a text or of bytes, -1 for null: flexible ones are
// varints of the length plus one (KIP-482), of the others wide ones have 32 bits
// and the rest 16.
func (r *Reader) Length(flexible, wide bool) int {
	switch {
	case flexible:
		return r.Uvarint() - 1
	case wide:
		return int(r.Int32())
	}
	return int(r.Int16())
}

// Text reads a text that may not be null.
func (r *Reader) Text(flexible bool) string {
	n := r.Length(flexible, false)
	if r.Err == nil && n < 0 {
		r.Err = ErrLength
	}
	return string(r.Take(n))
}

// MaybeText reads a text that may be null.
func (r *Reader) MaybeText(flexible bool) *string {
	n := r.Length(flexible, false)
	if r.Err != nil || n == -1 {
		return nil
	}
	s := string(r.Take(n))
	return &s
}

// Bytes reads bytes that may not be null, and gives a copy.
func (r *Reader) Bytes(flexible bool) []byte {
	n := r.Length(flexible, true)
	if r.Err == nil && n < 0 {
		r.Err = ErrLength
	}
	return append([]byte(nil), r.Take(n)...)
}

// Count reads the length of an array that may not be null, whose elements take
// at least least bytes each, so that it cannot ask for more memory than the
// bytes can fill.
func (r *Reader) Count(flexible bool, least int) int {
	n := r.Length(flexible, true)
	if r.Err != nil {
		return 0
	}
	if n < 0 || n > len(r.Rest)/least {
		r.Err = ErrLength
		return 0
	}
	return n
}

// MaybeCount is Count of an array that may be null, which is 0.
func (r *Reader) MaybeCount(flexible bool, least int) int {
	n := r.Length(flexible, true)
	if r.Err != nil || n == -1 {
		return 0
	}
	if n < 0 || n > len(r.Rest)/least {
		r.Err = ErrLength
		return 0
	}
	return n
}

// Tags walks a section of tagged fields and gives each to visit, borrowed; nil
// passes over all of them.
func (r *Reader) Tags(visit func(tag int, b []byte)) {
	r.TagsOr(func(tag int, b []byte) error {
		if visit != nil {
			visit(tag, b)
		}
		return nil
	})
}

// TagsOr is Tags for a visit that may refuse a field; what it says first is Err.
func (r *Reader) TagsOr(visit func(tag int, b []byte) error) {
	for n := r.Uvarint(); n > 0 && r.Err == nil; n-- {
		tag := r.Uvarint()
		if b := r.Take(r.Uvarint()); r.Err == nil {
			r.Err = visit(tag, b)
		}
	}
}
