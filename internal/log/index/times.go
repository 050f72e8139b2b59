package index

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// TimeSize is the size of one .timeindex entry on disk.
const TimeSize = 12

// Time says that the largest timestamp so far, TimestampMs, is first reached
// in the batch that ends with the offset Rel (relative to the base offset).
type Time struct {
	TimestampMs int64
	Rel         int32
}

// Times is a sparse time index of one segment: timestamps and offsets rise.
type Times []Time

// Add appends an entry when its timestamp is above the last one, as Kafka
// does; a time index notes maxima only.
func (t Times) Add(e Time) Times {
	if n := len(t); n > 0 && e.TimestampMs <= t[n-1].TimestampMs {
		return t
	}
	return append(t, e)
}

// Floor gives the last entry whose timestamp is not above ms.
func (t Times) Floor(ms int64) (Time, bool) {
	i := sort.Search(len(t), func(i int) bool { return t[i].TimestampMs > ms })
	if i == 0 {
		return Time{}, false
	}
	return t[i-1], true
}

// Cut drops the entries at or above the relative offset rel.
func (t Times) Cut(rel int64) Times {
	i := sort.Search(len(t), func(i int) bool { return int64(t[i].Rel) >= rel })
	return t[:i:i]
}

// Append adds the file form of the index to b.
func (t Times) Append(b []byte) []byte {
	for _, e := range t {
		b = binary.BigEndian.AppendUint64(b, uint64(e.TimestampMs))
		b = binary.BigEndian.AppendUint32(b, uint32(e.Rel))
	}
	return b
}

// ParseTimes reads a .timeindex file. A tail of zeros ends it; entries that do
// not rise are an error.
func ParseTimes(b []byte) (Times, error) {
	if len(b)%TimeSize != 0 {
		return nil, fmt.Errorf("time index has %d bytes, no multiple of %d", len(b), TimeSize)
	}
	out := make(Times, 0, len(b)/TimeSize)
	for i := 0; i < len(b); i += TimeSize {
		e := Time{int64(binary.BigEndian.Uint64(b[i:])), int32(binary.BigEndian.Uint32(b[i+8:]))}
		if e == (Time{}) && zeros(b[i:]) {
			break
		}
		if n := len(out); e.Rel < 0 || n > 0 && (e.TimestampMs <= out[n-1].TimestampMs || e.Rel <= out[n-1].Rel) {
			return nil, fmt.Errorf("time index entry at byte %d (%d ms, offset +%d) does not rise", i, e.TimestampMs, e.Rel)
		}
		out = append(out, e)
	}
	return out, nil
}
