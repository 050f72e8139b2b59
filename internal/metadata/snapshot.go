package metadata

import (
	"iter"
	"maps"
	"slices"
)

// Records lists the image as records, for snapshots; applying them to Empty
// gives it back. The order is the same for equal images: features, the
// metadata version first; controllers; brokers; topics with their partitions;
// configs; producer ids; kept records; an open transaction.
func (i *Image) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, part := range []func(func(Record) bool) bool{
			i.featureRecords, i.nodeRecords, i.topicRecords, i.configRecords, i.otherRecords,
		} {
			if !part(yield) {
				return
			}
		}
	}
}

func (i *Image) featureRecords(yield func(Record) bool) bool {
	if v, ok := i.Feature(MetadataVersion); ok && !yield(&FeatureLevelRecord{Name: MetadataVersion, Level: v}) {
		return false
	}
	for name, level := range i.Features() {
		if name != MetadataVersion && !yield(&FeatureLevelRecord{Name: name, Level: level}) {
			return false
		}
	}
	return true
}

func (i *Image) nodeRecords(yield func(Record) bool) bool {
	for c := range i.Controllers() {
		if !yield(&RegisterControllerRecord{
			ControllerID: c.ID, IncarnationID: c.Incarnation,
			Endpoints: c.Endpoints, Features: featureRanges(c.Features),
		}) {
			return false
		}
	}
	for b := range i.Brokers() {
		if !yield(b.Record()) {
			return false
		}
	}
	return true
}

// Record states the registration whole.
func (b *Broker) Record() *RegisterBrokerRecord {
	r := &RegisterBrokerRecord{
		BrokerID: b.ID, IncarnationID: b.Incarnation, BrokerEpoch: b.Epoch,
		Endpoints: b.Endpoints, Features: featureRanges(b.Features),
		Fenced: b.Fenced, InControlledShutdown: b.InControlledShutdown,
		LogDirs: b.Directories, CordonedLogDirs: b.Cordoned,
	}
	if b.Rack != "" {
		r.Rack = &b.Rack
	}
	return r
}

func featureRanges(m map[string][2]int16) []FeatureRange {
	var list []FeatureRange
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, FeatureRange{Name: name, Min: m[name][0], Max: m[name][1]})
	}
	return list
}

func (i *Image) topicRecords(yield func(Record) bool) bool {
	for t := range i.Topics() {
		if !yield(&TopicRecord{Name: t.Name, ID: t.ID}) {
			return false
		}
		for _, p := range t.Partitions {
			if !yield(p.Record()) {
				return false
			}
		}
	}
	return true
}

// Record states the partition whole.
func (p *Partition) Record() *PartitionRecord {
	r := &PartitionRecord{
		Partition: p.Index, TopicID: p.Topic.ID,
		Replicas: p.Replicas, ISR: p.ISR, Removing: p.Removing, Adding: p.Adding,
		Leader: p.Leader, LeaderEpoch: p.LeaderEpoch, PartitionEpoch: p.PartitionEpoch,
		Directories: p.Directories, ELR: orNull(p.ELR), LastELR: orNull(p.LastELR),
	}
	if p.Recovering {
		r.LeaderRecoveryState = 1
	}
	return r
}

// orNull writes an empty list as null, as Kafka does for these fields.
func orNull(list []int32) []int32 {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (i *Image) configRecords(yield func(Record) bool) bool {
	for res, c := range i.configs.all() {
		for _, name := range slices.Sorted(maps.Keys(c.values)) {
			value := c.values[name]
			if !yield(&ConfigRecord{ResourceType: res.Type, ResourceName: res.Name, Name: name, Value: &value}) {
				return false
			}
		}
	}
	return true
}

func (i *Image) otherRecords(yield func(Record) bool) bool {
	if i.producerIDs.NextProducerID > 0 {
		last := i.producerIDs
		if !yield(&last) {
			return false
		}
	}
	for _, r := range i.opaque {
		if !yield(r) {
			return false
		}
	}
	for _, r := range i.pending {
		if !yield(r) {
			return false
		}
	}
	return true
}
