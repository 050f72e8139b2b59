package broker

import (
	"slices"
	"sync/atomic"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// homes counts the partitions of each log directory.
type homes struct{ counts []atomic.Int64 }

// lost stands for log directories that the metadata name and this node was not
// started with, or that could not even be opened.
const lost = -1

// homeOf finds the directory of a replica that lies nowhere yet: the one that
// the metadata name, else one of our own choice. A directory that has failed
// while the controller did not know is no place for what is new.
func (b *Broker) homeOf(mp *metadata.Partition) *home {
	index, named := b.namedHome(mp)
	if named && index != lost && b.dirs[index].Err() == nil {
		return b.enter(index)
	}
	b.misplaced = b.misplaced || named
	return b.enter(b.place())
}

// namedHome is the directory that the metadata name for our replica, by its
// index or lost; false when they name none.
func (b *Broker) namedHome(mp *metadata.Partition) (index int, named bool) {
	at := slices.Index(mp.Replicas, b.o.NodeID)
	if len(b.o.Directories) == 0 || at < 0 || at >= len(mp.Directories) {
		return 0, false
	}
	id := mp.Directories[at]
	if id.IsZero() || id == (uuid.UUID{15: 2}) { // not assigned, or on its way (KIP-858)
		return 0, false
	}
	return slices.Index(b.o.Directories, id), true // -1 is lost
}

// place chooses a directory for a new partition: of those that work the one
// with the fewest partitions, the first of equals. When none works the first
// is taken, and the partition answers for it.
func (b *Broker) place() int {
	best := 0
	for i, d := range b.dirs {
		if d.Err() == nil && (b.dirs[best].Err() != nil || b.homes.counts[i].Load() < b.homes.counts[best].Load()) {
			best = i
		}
	}
	return best
}

// enter counts a partition where it lies.
func (b *Broker) enter(index int) *home {
	if index == lost {
		return &home{lost, b.nowhere}
	}
	b.homes.counts[index].Add(1)
	return &home{index, b.dirs[index]}
}

// leave counts one that is gone.
func (b *Broker) leave(h *held) {
	if index := h.at.Load().index; index != lost {
		b.homes.counts[index].Add(-1)
	}
}

// place of a log on disk: topic and index.
type spot struct {
	topic string
	index int32
}

func spotOf(id log.Ident) spot { return spot{id.Topic, id.Partition} }
