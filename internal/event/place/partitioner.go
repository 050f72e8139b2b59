package place

import "github.com/twmb/franz-go/pkg/kgo"

// Anywhere as a record's partition leaves it to its key, as Kafka's producers have it.
const Anywhere = -1

// Partitioner leaves records in the partition that they say, and those that say
// Anywhere to their key; those without a key go where a batch is being filled.
func Partitioner() kgo.Partitioner { return placed{kgo.StickyKeyPartitioner(nil)} }

type placed struct{ byKey kgo.Partitioner }

// ForTopic implements kgo.Partitioner.
func (p placed) ForTopic(topic string) kgo.TopicPartitioner {
	return placedIn{p.byKey.ForTopic(topic)}
}

type placedIn struct{ kgo.TopicPartitioner }

// RequiresConsistency implements kgo.TopicPartitioner: a record that says where
// it belongs goes nowhere else.
func (p placedIn) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.TopicPartitioner.RequiresConsistency(r)
}

// Partition implements kgo.TopicPartitioner.
func (p placedIn) Partition(r *kgo.Record, n int) int {
	if at := int(r.Partition); at >= 0 {
		return min(at, n-1)
	}
	return p.TopicPartitioner.Partition(r, n)
}
