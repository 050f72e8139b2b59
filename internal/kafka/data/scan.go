package data

import (
	"encoding/binary"

	"ottla/internal/uuid"
)

// scanner reads a request's body in place. It never fails half-way: once a
// length does not hold, bad is set and everything reads as zero, so a parser
// checks once, at the end, before it acts.
type scanner struct {
	b    []byte
	flex bool // compact lengths and tags (KIP-482)
	bad  bool
}

// take gives n bytes.
func (s *scanner) take(n int) []byte {
	if n < 0 || n > len(s.b) {
		s.bad, s.b = true, nil
		return nil
	}
	b := s.b[:n:n]
	s.b = s.b[n:]
	return b
}

func (s *scanner) int8() int8 {
	if b := s.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (s *scanner) int16() int16 {
	if b := s.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (s *scanner) int32() int32 {
	if b := s.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (s *scanner) int64() int64 {
	if b := s.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (s *scanner) uuid() (u uuid.UUID) {
	copy(u[:], s.take(len(u)))
	return u
}

// uvarint reads a varint of at most 32 bits.
func (s *scanner) uvarint() int {
	u, n := binary.Uvarint(s.b)
	if n <= 0 || n > 5 || u > 1<<32-1 {
		s.bad, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return int(u)
}

// length reads a length or count; -1 is null.
func (s *scanner) length(wide bool) int {
	switch {
	case s.flex:
		return s.uvarint() - 1
	case wide:
		return int(s.int32())
	}
	return int(s.int16())
}

// text reads a string; nil is null.
func (s *scanner) text() []byte { return s.lengthed(false) }

// bytes reads bytes or records; nil is null, empty is not nil.
func (s *scanner) bytes() []byte { return s.lengthed(true) }

func (s *scanner) lengthed(wide bool) []byte {
	switch n := s.length(wide); {
	case n == -1:
		return nil
	case n < 0:
		s.bad, s.b = true, nil
		return nil
	default:
		return s.take(n)
	}
}

// count reads an array's count, whose elements take at least min bytes each;
// null reads as none.
func (s *scanner) count(min int) int {
	n := s.length(true)
	if n > len(s.b)/min {
		s.bad, s.b = true, nil
	}
	if n < 0 || s.bad {
		return 0
	}
	return n
}

// maxTags bounds the tagged fields of one struct: Kafka defines three at most.
const maxTags = 64

// tags reads a tag section; each, unless nil, sees the fields it may know.
func (s *scanner) tags(each func(tag int, b []byte)) {
	if !s.flex {
		return
	}
	n := s.uvarint()
	if n > maxTags {
		s.bad, s.b = true, nil
	}
	for ; n > 0 && !s.bad; n-- {
		tag := s.uvarint()
		if b := s.take(s.uvarint()); each != nil && !s.bad {
			each(tag, b)
		}
	}
}
