package txn

import (
	"cmp"
	"slices"

	"ottla/internal/txn/schema"
)

func compare(a, b TopicPartition) int {
	if c := cmp.Compare(a.Topic, b.Topic); c != 0 {
		return c
	}
	return cmp.Compare(a.Partition, b.Partition)
}

// partitions are sorted and each is there once; they are never changed.
type partitions []TopicPartition

func (p partitions) has(tp TopicPartition) bool {
	_, ok := slices.BinarySearchFunc(p, tp, compare)
	return ok
}

// with gives p and more; p itself when it has them all.
func (p partitions) with(more []TopicPartition) partitions {
	if !slices.ContainsFunc(more, func(tp TopicPartition) bool { return !p.has(tp) }) {
		return p
	}
	all := make(partitions, 0, len(p)+len(more))
	all = append(append(all, p...), more...)
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}

// topics is how a record has them.
func (p partitions) topics() []schema.Topic {
	var out []schema.Topic
	for _, tp := range p {
		if n := len(out); n == 0 || out[n-1].Name != tp.Topic {
			out = append(out, schema.Topic{Name: tp.Topic})
		}
		t := &out[len(out)-1]
		t.Partitions = append(t.Partitions, tp.Partition)
	}
	return out
}

func partitionsOf(topics []schema.Topic) partitions {
	var out partitions
	for _, t := range topics {
		for _, p := range t.Partitions {
			out = append(out, TopicPartition{t.Name, p})
		}
	}
	slices.SortFunc(out, compare)
	return slices.Compact(out)
}
