package schema

import "fmt"

// Types of records, as the int16 that a key begins with.
const (
	// LegacyOffsetCommit is what brokers before 0.9 wrote; it reads like
	// OffsetCommit.
	LegacyOffsetCommit int16 = 0
	OffsetCommit       int16 = 1
	GroupMetadata      int16 = 2
)

// Key is a record's key.
type Key struct {
	Type  int16
	Group string
	// Topic and Partition are those of the offset types.
	Topic     string
	Partition int32
}

// IsOffset tells whether the key is one of a committed offset.
func (k Key) IsOffset() bool { return k.Type == OffsetCommit || k.Type == LegacyOffsetCommit }

// Known tells whether the key is of a type that this package reads.
func (k Key) Known() bool { return k.IsOffset() || k.Type == GroupMetadata }

// ParseKey reads a key. Of a type that this package does not read it gives the
// type alone.
func ParseKey(b []byte) (Key, error) {
	r := reader{b: b}
	k := Key{Type: r.int16()}
	if r.err == nil && !k.Known() {
		return k, nil
	}
	k.Group = r.text(false)
	if k.IsOffset() {
		k.Topic = r.text(false)
		k.Partition = r.int32()
	}
	if r.err != nil {
		return Key{}, fmt.Errorf("group record key of %d bytes: %w", len(b), r.err)
	}
	return k, nil
}

// AppendOffsetKey writes the key of a committed offset.
func AppendOffsetKey(b []byte, group, topic string, partition int32) []byte {
	b = appendInt16(b, OffsetCommit)
	b = appendText(b, group)
	b = appendText(b, topic)
	return appendInt32(b, partition)
}

// AppendGroupKey writes the key of a group's metadata.
func AppendGroupKey(b []byte, group string) []byte {
	return appendText(appendInt16(b, GroupMetadata), group)
}
