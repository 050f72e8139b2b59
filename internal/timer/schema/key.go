package schema

import (
	"encoding/binary"
	"fmt"

	"ottla/internal/wire/field"
)

// Kind is what a record is of.
type Kind int16

// The kinds of records. Numbers are never used again.
const (
	KindTimer  Kind = iota // a timer that waits, by its key
	KindTarget             // a partition that timers are appended to, and what is on the way there
	KindLine               // how far a partition of a delay line is taken up
	KindIndex              // entries without payload; in snapshots only
)

// ParseKey reads a key: its kind and the rest, borrowed.
func ParseKey(b []byte) (Kind, []byte, error) {
	r := field.Reader{Rest: b}
	kind := Kind(r.Int16())
	if r.Err != nil {
		return 0, nil, fmt.Errorf("timer record key of %d bytes: %w", len(b), r.Err)
	}
	return kind, r.Rest, nil
}

// TimerKey is the key of a timer's record.
func TimerKey(key string) []byte { return append(appendKind(nil, KindTimer), key...) }

// LineKey is the key of a delay line's record.
func LineKey(line string) []byte { return append(appendKind(nil, KindLine), line...) }

// IndexKey is the key of the n-th part of an index.
func IndexKey(n int) []byte {
	return binary.BigEndian.AppendUint32(appendKind(nil, KindIndex), uint32(n))
}

// TargetKey is the key of a target's record.
func TargetKey(topic string, partition int32) []byte {
	return append(binary.BigEndian.AppendUint32(appendKind(nil, KindTarget), uint32(partition)), topic...)
}

// ParseTargetKey reads the rest of a target's key.
func ParseTargetKey(rest []byte) (topic string, partition int32, err error) {
	r := field.Reader{Rest: rest}
	partition = r.Int32()
	if r.Err != nil || partition < 0 || len(r.Rest) == 0 {
		return "", 0, fmt.Errorf("target record key of %d bytes: %w", len(rest), field.ErrLength)
	}
	return string(r.Rest), partition, nil
}

func appendKind(b []byte, k Kind) []byte { return binary.BigEndian.AppendUint16(b, uint16(k)) }
