package schema

import "ottla/internal/uuid"

// TopicPartitions are partitions of a topic, as assignments list them.
type TopicPartitions struct {
	Topic uuid.UUID
	// Partitions are sorted in what this package's callers write.
	Partitions []int32
	// Epochs tell since which epoch a member has each partition (tag 0 of
	// CURRENT_MEMBER_ASSIGNMENT, KIP-1251); nil where that is not said.
	Epochs []int32
}

// epochsTag is the tag of Epochs.
const epochsTag = 0

// leastTopic is how many bytes a topic's partitions take at least.
const leastTopic = 16 + 2

// parts reads an array of TopicPartitions, which is flexible in every type.
func (r *reader) parts() []TopicPartitions {
	n := r.Count(true, leastTopic)
	if n == 0 {
		return nil
	}
	out := make([]TopicPartitions, 0, n)
	for range n {
		var t TopicPartitions
		copy(t.Topic[:], r.Take(len(t.Topic)))
		t.Partitions = r.int32s()
		r.Tags(func(tag int, b []byte) {
			if tag == epochsTag && len(b) > 0 && b[0] != 0 {
				t.Epochs = read(b).int32s()
			}
		})
		if len(t.Epochs) != len(t.Partitions) {
			t.Epochs = nil
		}
		out = append(out, t)
	}
	return out
}

// int32s reads an array of numbers.
func (r *reader) int32s() []int32 {
	n := r.Count(true, 4)
	if n == 0 {
		return nil
	}
	out := make([]int32, 0, n)
	for range n {
		out = append(out, r.Int32())
	}
	return out
}

// texts reads an array of texts.
func (r *reader) texts() []string {
	n := r.Count(true, 1)
	if n == 0 {
		return nil
	}
	out := make([]string, 0, n)
	for range n {
		out = append(out, r.Text(true))
	}
	return out
}

func appendParts(b []byte, parts []TopicPartitions) []byte {
	b = appendUvarint(b, len(parts)+1)
	for i := range parts {
		t := &parts[i]
		b = append(b, t.Topic[:]...)
		b = appendInt32s(b, t.Partitions)
		if t.Epochs == nil {
			b = append(b, 0)
			continue
		}
		field := appendInt32s(nil, t.Epochs)
		b = append(b, 1, epochsTag)
		b = append(appendUvarint(b, len(field)), field...)
	}
	return b
}

func appendInt32s(b []byte, list []int32) []byte {
	b = appendUvarint(b, len(list)+1)
	for _, v := range list {
		b = appendInt32(b, v)
	}
	return b
}

func appendTexts(b []byte, list []string) []byte {
	b = appendUvarint(b, len(list)+1)
	for _, s := range list {
		b = appendShort(b, s)
	}
	return b
}

// appendShort writes a text of a flexible version.
func appendShort(b []byte, s string) []byte {
	return append(appendUvarint(b, len(s)+1), s...)
}

// appendMaybeShort writes a text of a flexible version that may be null.
func appendMaybeShort(b []byte, s *string) []byte {
	if s == nil {
		return append(b, 0)
	}
	return appendShort(b, *s)
}
