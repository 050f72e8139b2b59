package logimport

import (
	"strconv"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// records states Kafka's metadata as that of a cluster of one node: the same
// topics, settings and kept records, each partition led here in a new leader
// epoch. Brokers and controllers are left out; the node registers itself when
// it starts.
func (r *run) records() [][]metadata.Record {
	out := [][]metadata.Record{{&metadata.FeatureLevelRecord{Name: metadata.MetadataVersion, Level: maxLevel}}}
	for rec := range r.image.Records() {
		switch m := rec.(type) {
		case *metadata.TopicRecord:
			out = append(out, []metadata.Record{m})
		case *metadata.PartitionRecord:
			// A topic and its partitions are one step.
			last := len(out) - 1
			out[last] = append(out[last], r.partition(m))
		case *metadata.ConfigRecord:
			if r.ours(m) {
				r.result.Settings++
				out = append(out, []metadata.Record{m})
			}
		case *metadata.ProducerIDsRecord:
			out = append(out, []metadata.Record{&metadata.ProducerIDsRecord{
				BrokerID: r.result.NodeID, BrokerEpoch: m.BrokerEpoch, NextProducerID: m.NextProducerID,
			}})
		case *metadata.Opaque:
			out = append(out, []metadata.Record{m})
		}
	}
	return out
}

func (r *run) partition(m *metadata.PartitionRecord) *metadata.PartitionRecord {
	here := []int32{r.result.NodeID}
	return &metadata.PartitionRecord{
		Partition: m.Partition, TopicID: m.TopicID, Replicas: here, ISR: here, Leader: r.result.NodeID,
		LeaderEpoch: m.LeaderEpoch + 1, PartitionEpoch: m.PartitionEpoch + 1, Directories: []uuid.UUID{r.dirID},
	}
}

// ours tells whether a setting is of something that goes on: not that of
// another broker.
func (r *run) ours(m *metadata.ConfigRecord) bool {
	return m.ResourceType != metadata.ResourceBroker || m.ResourceName == "" || m.ResourceName == strconv.Itoa(int(r.result.NodeID))
}
