package shape

import (
	"encoding/binary"
	"fmt"
)

// Decoded structs may take at most maxGrowth times the body's bytes and
// freeBytes on top. Honest requests stay below: the leanest of them, a
// resource of DescribeConfigs with a one-letter name, decodes to 14 times its
// bytes.
const (
	maxGrowth = 16
	freeBytes = 64 << 10
)

// tagMemory is charged for each unknown tag: the decoder keeps it in a map.
const tagMemory = 128

// maxDepth is above the deepest shape; only a mistake in the table meets it.
const maxDepth = 8

// Error says where a body does not hold what it promises.
type Error struct {
	Field  string
	Reason string
}

// Error names the field and what is wrong with it.
func (e *Error) Error() string { return fmt.Sprintf("field %s %s", e.Field, e.Reason) }

// The reasons of an Error.
const (
	reasonShort   = "reaches past the end of the request"
	reasonCount   = "counts more elements than the request has bytes for"
	reasonNull    = "is null and may not be"
	reasonLength  = "has a negative length"
	reasonMemory  = "makes the request decode to far more than its size"
	reasonTag     = "has a tagged field that does not fill its size"
	reasonNoShape = "has no shape in this version"
	reasonTooDeep = "is nested too deep"
	reasonBadTag  = "has a malformed tag section"
	reasonTwice   = "has the same tagged field twice"
)

// Check walks a request's body (what follows the header) without decoding it,
// and fails when a count or length in it is not honest: counts against the
// bytes that are left, strings against the end, and the memory that decoding
// would take against the size of the body. Bytes after the last field are left
// alone, as in Kafka. It allocates nothing unless it fails.
func Check(key, version int16, body []byte) error {
	p := programFor(key, version)
	if p == nil {
		return &Error{"body", reasonNoShape}
	}
	w := walker{flexible: p.flexible, left: len(body)*maxGrowth + freeBytes}
	_, ok := w.layout(p.top, body, 0)
	if !ok {
		return &Error{w.field, w.reason}
	}
	return nil
}

// walker walks one body.
type walker struct {
	flexible bool
	left     int // memory that may still be promised
	field    string
	reason   string
}

// fail notes the first failure.
func (w *walker) fail(field, reason string) ([]byte, bool) {
	if w.reason == "" {
		w.field, w.reason = field, reason
	}
	return nil, false
}

// charge books memory.
func (w *walker) charge(n int) bool {
	w.left -= n
	return w.left >= 0
}

// layout walks a struct and returns the bytes after it.
func (w *walker) layout(l *layout, b []byte, depth int) ([]byte, bool) {
	if depth > maxDepth {
		return w.fail("body", reasonTooDeep)
	}
	ok := true
	for i := range l.fields {
		if b, ok = w.step(&l.fields[i], b, depth); !ok {
			return nil, false
		}
	}
	if w.flexible {
		return w.tags(l, b, depth)
	}
	return b, true
}

// step walks a field.
func (w *walker) step(s *step, b []byte, depth int) ([]byte, bool) {
	if !s.array {
		return w.element(s, b, depth)
	}
	count, b, ok := w.length(b, 4)
	if !ok {
		return w.fail(s.name, reasonShort)
	}
	if count < 0 {
		if !s.nullable {
			return w.fail(s.name, reasonNull)
		}
		return b, true
	}
	if count > len(b)/s.minWire {
		return w.fail(s.name, reasonCount)
	}
	if !w.charge(count * s.memory) {
		return w.fail(s.name, reasonMemory)
	}
	if fixed := wireSizeOf(s.kind); fixed > 0 {
		return b[count*fixed:], true
	}
	for ; count > 0; count-- {
		if s.kind == kindStruct {
			b, ok = w.layout(s.sub, b, depth+1)
		} else {
			b, ok = w.variable(s, b, false)
		}
		if !ok {
			return nil, false
		}
	}
	return b, true
}

// element walks a field that is no array.
func (w *walker) element(s *step, b []byte, depth int) ([]byte, bool) {
	if s.kind == kindStruct {
		if s.nullable {
			if len(b) < 1 {
				return w.fail(s.name, reasonShort)
			}
			if int8(b[0]) < 0 {
				return b[1:], true
			}
			b = b[1:]
			if !w.charge(s.memory) {
				return w.fail(s.name, reasonMemory)
			}
		}
		return w.layout(s.sub, b, depth+1)
	}
	if fixed := wireSizeOf(s.kind); fixed > 0 {
		if len(b) < fixed {
			return w.fail(s.name, reasonShort)
		}
		return b[fixed:], true
	}
	return w.variable(s, b, s.nullable)
}

// variable walks a string or bytes.
func (w *walker) variable(s *step, b []byte, nullable bool) ([]byte, bool) {
	width := 4
	if s.kind == kindString {
		width = 2
	}
	n, b, ok := w.length(b, width)
	switch {
	case !ok || n > len(b):
		return w.fail(s.name, reasonShort)
	case n == -1:
		if !nullable {
			return w.fail(s.name, reasonNull)
		}
		return b, true
	case n < -1:
		return w.fail(s.name, reasonLength)
	}
	return b[n:], true
}

// length reads a length or a count: an unsigned varint that is one higher in
// flexible versions, else an integer of width bytes; -1 is null.
func (w *walker) length(b []byte, width int) (int, []byte, bool) {
	if w.flexible {
		u, n := uvarint(b)
		if n <= 0 || u > 1<<31 {
			return 0, nil, false
		}
		return int(u) - 1, b[n:], true
	}
	if len(b) < width {
		return 0, nil, false
	}
	if width == 2 {
		return int(int16(binary.BigEndian.Uint16(b))), b[2:], true
	}
	return int(int32(binary.BigEndian.Uint32(b))), b[4:], true
}

// uvarint reads an unsigned varint of at most 32 bits, which is at most five
// bytes long; n is 0 or below when there is none.
func uvarint(b []byte) (u uint64, n int) {
	if u, n = binary.Uvarint(b); n > 5 || u > 1<<32-1 {
		return 0, -1
	}
	return u, n
}

// wireSizeOf is the fixed size of a kind, 0 for structs, strings and bytes.
func wireSizeOf(k kind) int {
	if k == kindStruct {
		return 0
	}
	return wireSize[k]
}

// tags walks a struct's tagged fields: known ones by their shape, unknown ones
// over.
func (w *walker) tags(l *layout, b []byte, depth int) ([]byte, bool) {
	count, n := uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return w.fail("tags", reasonBadTag)
	}
	b = b[n:]
	seen := uint64(0) // known tags, a bit each
	for ; count > 0; count-- {
		tag, n := uvarint(b)
		if n <= 0 {
			return w.fail("tags", reasonBadTag)
		}
		b = b[n:]
		size, n := uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return w.fail("tags", reasonBadTag)
		}
		b = b[n:]
		s := l.taggedStep(tag)
		if s == nil {
			if !w.charge(tagMemory) {
				return w.fail("tags", reasonMemory)
			}
		} else if !w.known(s, &seen, b[:size], depth) {
			return nil, false
		}
		b = b[size:]
	}
	return b, true
}

// known walks a known tagged field, which fills exactly its size.
func (w *walker) known(s *step, seen *uint64, b []byte, depth int) bool {
	bit := uint64(1) << uint(s.tag&63)
	if *seen&bit != 0 {
		w.fail(s.name, reasonTwice)
		return false
	}
	*seen |= bit
	rest, ok := w.step(s, b, depth)
	if ok && len(rest) != 0 {
		w.fail(s.name, reasonTag)
		return false
	}
	return ok
}

// taggedStep finds a known tag.
func (l *layout) taggedStep(tag uint64) *step {
	for i := range l.tagged {
		if uint64(l.tagged[i].tag) == tag {
			return &l.tagged[i]
		}
	}
	return nil
}
