package schema

import (
	"encoding/binary"
	"fmt"

	"ottla/internal/uuid"
)

// Target is the value of a target's record: how timers are appended to a
// partition, and which are on their way. Those have one batch, whose sequence
// begins at Sequence: it may be sent any number of times and is there once.
type Target struct {
	TopicID    uuid.UUID
	ProducerID int64
	Sequence   int32
	// TimeMs is when it was decided that Flight goes, which its records are dated
	// by. Meaningless without one.
	TimeMs int64
	Flight []Ref
}

// Ref is a timer on its way.
type Ref struct {
	Hash   [16]byte // of its key
	Offset int64    // of its record
}

// refSize is what a Ref takes.
const refSize = 16 + 8

// AppendTarget writes a target's value.
func AppendTarget(b []byte, t *Target) []byte {
	b = append(appendInt16(b, 0), t.TopicID[:]...)
	b = appendInt64(appendInt32(appendInt64(b, t.ProducerID), t.Sequence), t.TimeMs)
	b = appendCount(b, len(t.Flight))
	for i := range t.Flight {
		b = binary.BigEndian.AppendUint64(append(b, t.Flight[i].Hash[:]...), uint64(t.Flight[i].Offset))
	}
	return append(b, 0)
}

// ParseTarget reads a target's value.
func ParseTarget(b []byte) (Target, error) {
	r, err := value(b)
	if err != nil {
		return Target{}, fmt.Errorf("target record of %d bytes: %w", len(b), err)
	}
	t := Target{TopicID: r.UUID(), ProducerID: r.Int64(), Sequence: r.Int32(), TimeMs: r.Int64()}
	if n := r.Count(true, refSize); n > 0 {
		t.Flight = make([]Ref, n)
		for i := range t.Flight {
			copy(t.Flight[i].Hash[:], r.Take(16))
			t.Flight[i].Offset = r.Int64()
		}
	}
	if err := r.end("target", len(b)); err != nil {
		return Target{}, err
	}
	return t, nil
}
