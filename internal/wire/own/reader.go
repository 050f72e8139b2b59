package own

import (
	"encoding/binary"
	"errors"

	"ottla/internal/uuid"
)

// Why a message cannot be decoded.
var (
	errShort = errors.New("the message ends too early")
	errCount = errors.New("the message counts more than it has bytes for")
	errTags  = errors.New("the message has a malformed tag section")
	errRest  = errors.New("the message has bytes after its end")
)

// maxTags bounds the tagged fields of one section; a release adds a few.
const maxTags = 64

// reader decodes what writer wrote; the first failure sticks, and everything
// after it reads as zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// take gives the next n bytes, nil after a failure.
func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n > len(r.b) {
		r.fail(errShort)
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) bool() bool {
	b := r.take(1)
	return b != nil && b[0] != 0
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

func (r *reader) uuid() (id uuid.UUID) {
	copy(id[:], r.take(len(id)))
	return id
}

func (r *reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[size:]
	return n
}

// length reads a compact length of elements that take at least size bytes
// each; null counts as none.
func (r *reader) length(size int) int {
	n := r.uvarint()
	if n == 0 {
		return 0
	}
	if n--; n > uint64(len(r.b)/size) {
		r.fail(errCount)
		return 0
	}
	return int(n)
}

func (r *reader) string() string { return string(r.take(r.length(1))) }

// bytes is nil when there are none.
func (r *reader) bytes() []byte {
	if b := r.take(r.length(1)); len(b) > 0 {
		return append([]byte(nil), b...)
	}
	return nil
}

// tags steps over a section of tagged fields.
func (r *reader) tags() {
	count := r.uvarint()
	if count > maxTags {
		r.fail(errTags)
		return
	}
	for ; count > 0 && r.err == nil; count-- {
		r.uvarint()
		if size := r.uvarint(); size > uint64(len(r.b)) {
			r.fail(errTags)
		} else {
			r.take(int(size))
		}
	}
}

// end asks that all was read.
func (r *reader) end() {
	if len(r.b) > 0 {
		r.fail(errRest)
	}
}

// list reads an array whose elements take at least size bytes each; nil when
// it is empty.
func list[E any](r *reader, size int, element func(*reader) E) []E {
	n := r.length(size)
	if n == 0 {
		return nil
	}
	out := make([]E, 0, n)
	for range n {
		e := element(r)
		r.tags()
		if r.err != nil {
			return nil
		}
		out = append(out, e)
	}
	return out
}
