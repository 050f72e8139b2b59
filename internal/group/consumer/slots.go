package consumer

import (
	"bytes"
	"cmp"
	"slices"

	"ottla/internal/group/schema"
	"ottla/internal/uuid"
)

// slot is a partition, with the epoch since which its member has it where that
// is said.
type slot struct {
	topic     uuid.UUID
	partition int32
	epoch     int32
}

// place is a partition.
type place struct {
	topic     uuid.UUID
	partition int32
}

func (s slot) place() place { return place{s.topic, s.partition} }

func compareSlots(a, b slot) int {
	if c := bytes.Compare(a.topic[:], b.topic[:]); c != 0 {
		return c
	}
	return cmp.Compare(a.partition, b.partition)
}

// slots are sorted by topic and partition, each once.
type slots []slot

// slotsOf reads what a record or a request lists, in whatever order.
func slotsOf(parts []schema.TopicPartitions) slots {
	n := 0
	for i := range parts {
		n += len(parts[i].Partitions)
	}
	if n == 0 {
		return nil
	}
	out := make(slots, 0, n)
	for i := range parts {
		p := &parts[i]
		for j, partition := range p.Partitions {
			s := slot{topic: p.Topic, partition: partition}
			if p.Epochs != nil {
				s.epoch = p.Epochs[j]
			}
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, compareSlots)
	return slices.CompactFunc(out, func(a, b slot) bool { return compareSlots(a, b) == 0 })
}

// parts lists slots by topic, with their epochs or without.
func (s slots) parts(epochs bool) []schema.TopicPartitions {
	var out []schema.TopicPartitions
	for i := 0; i < len(s); {
		end := i + 1
		for end < len(s) && s[end].topic == s[i].topic {
			end++
		}
		t := schema.TopicPartitions{Topic: s[i].topic, Partitions: make([]int32, 0, end-i)}
		for _, x := range s[i:end] {
			t.Partitions = append(t.Partitions, x.partition)
			if epochs {
				t.Epochs = append(t.Epochs, x.epoch)
			}
		}
		out = append(out, t)
		i = end
	}
	return out
}

// find gives a slot by its place.
func (s slots) find(x slot) (slot, bool) {
	i, ok := slices.BinarySearchFunc(s, x, compareSlots)
	if !ok {
		return slot{}, false
	}
	return s[i], true
}

func (s slots) has(x slot) bool {
	_, ok := s.find(x)
	return ok
}

// split parts slots by a rule, in order.
func (s slots) split(keep func(slot) bool) (kept, rest slots) {
	for _, x := range s {
		if keep(x) {
			kept = append(kept, x)
		} else {
			rest = append(rest, x)
		}
	}
	return kept, rest
}

// with joins two lists; where both have a place, the first's slot stays.
func (s slots) with(other slots) slots {
	if len(other) == 0 {
		return s
	}
	out := append(slices.Clone(s), other...)
	slices.SortStableFunc(out, compareSlots)
	return slices.CompactFunc(out, func(a, b slot) bool { return compareSlots(a, b) == 0 })
}

// samePlaces tells whether two lists name the same partitions.
func samePlaces(a, b slots) bool {
	return slices.EqualFunc(a, b, func(x, y slot) bool { return compareSlots(x, y) == 0 })
}
