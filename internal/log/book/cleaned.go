package book

import (
	"cmp"
	"slices"
	"sync"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
)

// Cleaned is the lines of cleaner-offset-checkpoint by directory name.
type Cleaned struct {
	mu      sync.Mutex
	offsets map[string]int64
}

// CleanedTo tells up to where a log was compacted.
func (b *Book) CleanedTo(name string) (int64, bool) {
	c := &b.cleaned
	c.mu.Lock()
	defer c.mu.Unlock()
	to, ok := c.offsets[name]
	return to, ok
}

// NoteCleaned writes the file with a log's new offset and the lines of those that
// holds knows. What is lost of it is cleaned once more.
func (b *Book) NoteCleaned(name string, to int64, holds func(topic string, partition int32) bool) error {
	c := &b.cleaned
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offsets == nil {
		c.offsets = map[string]int64{}
	}
	c.offsets[name] = to
	return b.writeCleaned(holds)
}

// ForgetCleaned takes a log out, durably, before its directory goes: a topic that
// gets the name later is dirty from its start.
func (b *Book) ForgetCleaned(name string, holds func(topic string, partition int32) bool) error {
	c := &b.cleaned
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.offsets[name]; !ok {
		return nil
	}
	delete(c.offsets, name)
	return b.writeCleaned(holds)
}

func (b *Book) writeCleaned(holds func(topic string, partition int32) bool) error {
	var lines []checkpoint.Offset
	for name, to := range b.cleaned.offsets {
		if topic, partition, ok := layout.ParseDirName(name); ok && holds(topic, partition) {
			lines = append(lines, checkpoint.Offset{Topic: topic, Partition: partition, Offset: to})
		}
	}
	slices.SortFunc(lines, func(a, b checkpoint.Offset) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return checkpoint.Write(b.fs, b.path, checkpoint.CleanerOffsets, checkpoint.AppendOffsets(nil, lines), true)
}
