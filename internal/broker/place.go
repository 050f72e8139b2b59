package broker

import "ottla/internal/log"

// homes counts the partitions of each log directory. It belongs to OnImage's
// caller.
type homes struct{ counts []int }

// place chooses a directory for a new partition: of those that work the one
// with the fewest partitions, the first of equals. When none works the first
// is taken, and the partition answers for it.
func (b *Broker) place() int {
	best := -1
	for i, d := range b.dirs {
		if d.Err() == nil && (best < 0 || b.homes.counts[i] < b.homes.counts[best]) {
			best = i
		}
	}
	best = max(best, 0)
	b.homes.counts[best]++
	return best
}

// settleIn counts a partition where it was found.
func (b *Broker) settleIn(home int) { b.homes.counts[home]++ }

// moveOut counts one that is gone.
func (b *Broker) moveOut(home int) { b.homes.counts[home]-- }

// place of a log on disk: topic and index.
type spot struct {
	topic string
	index int32
}

func spotOf(id log.Ident) spot { return spot{id.Topic, id.Partition} }
