package broker

import (
	"slices"

	"ottla/internal/log"
	"ottla/internal/metadata"
)

// metadataTopic is the quorum's log, which lies among the partitions.
const metadataTopic = "__cluster_metadata"

// survey lists what lies on disk: of what the metadata assign to this node the
// directory it is in, and the rest is set aside.
func (b *Broker) survey(img *metadata.Image) map[spot]int {
	found := map[spot]int{}
	for home, dir := range b.dirs {
		if dir.Err() != nil {
			continue
		}
		for _, id := range dir.Found() {
			if id.Topic == metadataTopic {
				continue
			}
			if !b.assigned(img, id) {
				b.setAside(dir, id)
				continue
			}
			if other, twice := found[spotOf(id)]; twice && !b.outranks(id, home, other) {
				continue
			}
			found[spotOf(id)] = home
		}
	}
	return found
}

// outranks decides between two directories that hold the same log: a move
// between them ended in a crash. The one that has moved more often is the log
// and the other is deleted.
func (b *Broker) outranks(id log.Ident, home, other int) bool {
	mine, others := b.dirs[home].Moves(id), b.dirs[other].Moves(id)
	if mine == others {
		b.o.Logger.Error("partition lies in two log directories; the second is left alone",
			"topic", id.Topic, "partition", id.Partition, "dir", b.dirs[other].Path(), "second", b.dirs[home].Path())
		return false
	}
	old := home
	if mine > others {
		old = other
	}
	if err := b.dirs[old].Discard(id); err != nil {
		b.o.Logger.Error("the old copy of a moved partition stays", "topic", id.Topic, "partition", id.Partition, "err", err)
	}
	return mine > others
}

// assigned tells whether the metadata know the log and have it here. A
// directory that lost its partition.metadata goes by its name.
func (b *Broker) assigned(img *metadata.Image, id log.Ident) bool {
	t := img.TopicByName(id.Topic)
	if t == nil || !id.ID.IsZero() && t.ID != id.ID || int(id.Partition) >= len(t.Partitions) {
		return false
	}
	return slices.Contains(t.Partitions[id.Partition].Replicas, b.o.NodeID)
}

// setAside renames a stray directory. If that fails it stays where it is: a
// topic of that name will then say what is in its way.
func (b *Broker) setAside(dir *log.Dir, id log.Ident) {
	to, err := dir.SetAside(id)
	if err != nil {
		b.o.Logger.Error("stray partition directory could not be set aside", "topic", id.Topic, "partition", id.Partition, "err", err)
		return
	}
	b.o.Logger.Warn("partition directory of a topic that the metadata do not know is set aside",
		"topic", id.Topic, "partition", id.Partition, "topic_id", id.ID.String(), "saved_to", to)
}
