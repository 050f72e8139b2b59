package index

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// OffsetSize is the size of one .index entry on disk.
const OffsetSize = 8

// Offset says that the batch at byte Pos ends with the offset Rel (relative
// to the segment's base offset). Kafka notes the last offset of a batch, not
// its first, so a look-up of an offset inside that batch begins one entry
// earlier.
type Offset struct {
	Rel int32
	Pos int32
}

// Offsets is a sparse index of one segment, rising in both fields. Readers may
// keep a copy of the slice header while one writer appends.
type Offsets []Offset

// Floor gives the byte from which a walk finds the batch that holds rel: the
// position of the last entry not above rel, or 0. exact is its entry's index,
// -1 when the walk begins at the start of the segment.
func (o Offsets) Floor(rel int64) (pos int64, entry int) {
	i := sort.Search(len(o), func(i int) bool { return int64(o[i].Rel) > rel })
	if i == 0 {
		return 0, -1
	}
	return int64(o[i-1].Pos), i - 1
}

// FloorByte gives the last entry whose position is not above pos.
func (o Offsets) FloorByte(pos int64) (int64, int) {
	i := sort.Search(len(o), func(i int) bool { return int64(o[i].Pos) > pos })
	if i == 0 {
		return 0, -1
	}
	return int64(o[i-1].Pos), i - 1
}

// Above gives the first entry whose position is not below pos.
func (o Offsets) Above(pos int64) (Offset, bool) {
	i := sort.Search(len(o), func(i int) bool { return int64(o[i].Pos) >= pos })
	if i == len(o) {
		return Offset{}, false
	}
	return o[i], true
}

// Cut drops the entries at or above byte pos.
func (o Offsets) Cut(pos int64) Offsets {
	i := sort.Search(len(o), func(i int) bool { return int64(o[i].Pos) >= pos })
	return o[:i:i]
}

// Append adds the file form of the index to b.
func (o Offsets) Append(b []byte) []byte {
	for _, e := range o {
		b = binary.BigEndian.AppendUint32(b, uint32(e.Rel))
		b = binary.BigEndian.AppendUint32(b, uint32(e.Pos))
	}
	return b
}

// ParseOffsets reads an .index file of a segment whose .log holds logSize
// bytes. A tail of zeros (Kafka preallocates) ends the index; anything else
// that does not rise, or points past the log, is an error.
func ParseOffsets(b []byte, logSize int64) (Offsets, error) {
	if len(b)%OffsetSize != 0 {
		return nil, fmt.Errorf("offset index has %d bytes, no multiple of %d", len(b), OffsetSize)
	}
	out := make(Offsets, 0, len(b)/OffsetSize)
	last := Offset{-1, -1}
	for i := 0; i < len(b); i += OffsetSize {
		e := Offset{int32(binary.BigEndian.Uint32(b[i:])), int32(binary.BigEndian.Uint32(b[i+4:]))}
		if e == (Offset{}) {
			if !zeros(b[i:]) {
				return nil, fmt.Errorf("offset index has an empty entry at byte %d and more after it", i)
			}
			break
		}
		if e.Rel <= last.Rel || e.Pos <= last.Pos || int64(e.Pos) >= logSize {
			return nil, fmt.Errorf("offset index entry at byte %d (offset +%d, position %d) does not rise or lies outside the %d bytes of the log", i, e.Rel, e.Pos, logSize)
		}
		out = append(out, e)
		last = e
	}
	return out, nil
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
