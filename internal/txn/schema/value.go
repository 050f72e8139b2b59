package schema

import "fmt"

// Value is where a transactional id stands.
type Value struct {
	ProducerID int64
	Epoch      int16
	TimeoutMs  int32
	// Status is the state's number.
	Status int8
	// Topics are the partitions of the transaction, none when it is empty.
	Topics []Topic
	// LastUpdateMs and StartMs are in milliseconds since 1970; StartMs is -1
	// when no transaction has begun.
	LastUpdateMs, StartMs int64

	// What follows is in version 1 only; version 0 reads as the defaults, -1
	// and for the client's version 0.

	// PreviousProducerID is what the producer had before the last change.
	PreviousProducerID int64
	// NextProducerID is what it gets when the end is complete, -1 for the same.
	NextProducerID int64
	// ClientVersion is the transaction version of the client (KIP-890).
	ClientVersion int16
	// NextEpoch is the epoch beside NextProducerID (KIP-939).
	NextEpoch int16
}

// Topic is a topic with partitions of a transaction.
type Topic struct {
	Name       string
	Partitions []int32
}

// Tags of version 1.
const (
	tagPreviousProducerID = 0
	tagNextProducerID     = 1
	tagClientVersion      = 2
	tagNextEpoch          = 3
)

// The fewest bytes that a topic and a partition take, which bound the counts.
const (
	leastTopic     = 2
	leastPartition = 4
)

// ParseValue reads versions 0 and 1, and tells which it was.
func ParseValue(b []byte) (v Value, version int16, err error) {
	r := read(b)
	version = r.Int16()
	if r.Err == nil && (version < 0 || version > 1) {
		return Value{}, version, fmt.Errorf("transaction record of version %d, 0 and 1 are known", version)
	}
	flexible := version >= 1
	v = Value{PreviousProducerID: -1, NextProducerID: -1, NextEpoch: -1}
	v.ProducerID, v.Epoch, v.TimeoutMs, v.Status = r.Int64(), r.Int16(), r.Int32(), r.Int8()
	if n := r.MaybeCount(flexible, leastTopic); n > 0 {
		v.Topics = make([]Topic, 0, n)
		for range n {
			v.Topics = append(v.Topics, r.topic(flexible))
		}
	}
	v.LastUpdateMs, v.StartMs = r.Int64(), r.Int64()
	if flexible {
		r.TagsOr(v.take)
	}
	if r.Err != nil {
		return Value{}, version, fmt.Errorf("transaction record of version %d in %d bytes: %w", version, len(b), r.Err)
	}
	return v, version, nil
}

func (r *reader) topic(flexible bool) Topic {
	t := Topic{Name: r.Text(flexible)}
	if n := r.MaybeCount(flexible, leastPartition); n > 0 {
		t.Partitions = make([]int32, 0, n)
		for range n {
			t.Partitions = append(t.Partitions, r.Int32())
		}
	}
	if flexible {
		r.Tags(nil)
	}
	return t
}

// take sets the field of a tag; unknown ones are passed over.
func (v *Value) take(tag int, field []byte) error {
	r := read(field)
	switch tag {
	case tagPreviousProducerID:
		v.PreviousProducerID = r.Int64()
	case tagNextProducerID:
		v.NextProducerID = r.Int64()
	case tagClientVersion:
		v.ClientVersion = r.Int16()
	case tagNextEpoch:
		v.NextEpoch = r.Int16()
	}
	return r.Err
}

// AppendValue writes a value in version 0 or 1. Version 0 loses what only
// version 1 has.
func AppendValue(b []byte, v *Value, version int16) []byte {
	flexible := version >= 1
	b = appendInt64(appendInt16(b, version), v.ProducerID)
	b = appendInt32(appendInt16(b, v.Epoch), v.TimeoutMs)
	b = append(b, byte(v.Status))
	b = appendTopics(b, v, flexible)
	b = appendInt64(appendInt64(b, v.LastUpdateMs), v.StartMs)
	if flexible {
		b = appendTags(b, v)
	}
	return b
}

// appendTopics writes null, as Kafka does, for a transaction that is empty:
// Status 0 or no partition.
func appendTopics(b []byte, v *Value, flexible bool) []byte {
	if len(v.Topics) == 0 {
		if v.Status == 0 {
			return appendNullArray(b, flexible)
		}
		return appendCount(b, 0, flexible)
	}
	b = appendCount(b, len(v.Topics), flexible)
	for i := range v.Topics {
		t := &v.Topics[i]
		b = appendCount(appendText(b, t.Name, flexible), len(t.Partitions), flexible)
		for _, p := range t.Partitions {
			b = appendInt32(b, p)
		}
		if flexible {
			b = append(b, 0)
		}
	}
	return b
}

// appendTags writes the fields that differ from their defaults.
func appendTags(b []byte, v *Value) []byte {
	n := byte(0)
	at := len(b)
	b = append(b, 0)
	if v.PreviousProducerID != -1 {
		b, n = appendInt64(append(b, tagPreviousProducerID, 8), v.PreviousProducerID), n+1
	}
	if v.NextProducerID != -1 {
		b, n = appendInt64(append(b, tagNextProducerID, 8), v.NextProducerID), n+1
	}
	if v.ClientVersion != 0 {
		b, n = appendInt16(append(b, tagClientVersion, 2), v.ClientVersion), n+1
	}
	if v.NextEpoch != -1 {
		b, n = appendInt16(append(b, tagNextEpoch, 2), v.NextEpoch), n+1
	}
	b[at] = n
	return b
}
