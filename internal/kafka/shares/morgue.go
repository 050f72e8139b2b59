package shares

import (
	"context"
	"slices"

	"ottla/internal/kafka/post"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// Morgue writes dead letters of queues, each once, whatever is killed when.
type Morgue interface {
	// Buried tells which offsets of a share-partition have their letters, of
	// those that Bury was given last in the state of an epoch.
	Buried(ctx context.Context, key store.Key, state int32) (map[int64]bool, error)
	// Bury writes batches into a partition of a topic, and that the offsets have
	// their letters: all of it or nothing. It returns when that is committed.
	Bury(ctx context.Context, key store.Key, state int32, topic string, partition int32, offsets []int64, batches [][]byte) error
}

// gathered is a post.Box that keeps batches until all are there.
type gathered struct {
	post.Box
	batches [][]byte
}

// Put keeps a batch. One that the box would not take is a letter that is too large
// by itself: it is refused before a transaction is begun.
func (g *gathered) Put(_ context.Context, batch []byte) error {
	if most := g.MostBytes(); len(batch) > most {
		return wire.Errorf(wire.MessageTooLarge, "a dead letter of %d bytes, where its topic takes %d", len(batch), most)
	}
	g.batches = append(g.batches, slices.Clone(batch))
	return nil
}

// queueLetters writes dead letters of a queue, but those that are written: the
// archiving of their records was not stored when somebody was killed.
func (f *Family) queueLetters(ctx context.Context, w *letters, topic string) (err error) {
	if w.buried, err = f.d.Morgue.Buried(ctx, w.d.Key, w.d.State); err != nil {
		return wire.Errorf(passingCode(err), "look which dead letters are written: %w", err)
	}
	if err := w.d.Leads(); err != nil {
		return wire.Errorf(passingCode(err), "write dead letters of %s: %w", w.d.Key, err)
	}
	box := &gathered{Box: w.to}
	w.to = box
	if err := w.write(ctx); err != nil || len(w.offsets) == 0 {
		return err
	}
	t := f.d.Cluster.Image().TopicByName(topic)
	if t == nil || len(t.Partitions) == 0 {
		return wire.UnknownTopicOrPartition
	}
	if err := f.d.Morgue.Bury(ctx, w.d.Key, w.d.State, topic, w.d.Key.Partition%int32(len(t.Partitions)), withLetters(w), box.batches); err != nil {
		return wire.Errorf(passingCode(err), "write dead letters to %s: %w", topic, err)
	}
	return nil
}

// withLetters are the offsets that have letters with this step, in order: those of the
// step, and those of the last one whose records may still wait to be archived. That
// is all from the range on: it is the lowest that waits, but for letters that were
// refused, and what was known when it was told is stored.
func withLetters(w *letters) []int64 {
	out := slices.Clone(w.offsets)
	for at := range w.buried {
		if at >= w.d.Range.First && !slices.Contains(w.offsets, at) {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}

// passingCode is the code of an error of the morgue: it is tried again, unless
// the topic does not take the letters.
func passingCode(err error) wire.Code {
	switch code := wire.CodeOf(err); code {
	case wire.MessageTooLarge, wire.InvalidRecord, wire.RecordListTooLarge, wire.UnknownTopicOrPartition:
		return code
	}
	return wire.CoordinatorNotAvailable
}
