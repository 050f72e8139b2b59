package metadata

import (
	"maps"
	"slices"
)

// Diff lists what has to be done to get from one image to another that many
// steps lie between: what a reader acts on whose node took a snapshot. Lists
// are in the order of the images' own lists.
func Diff(before, after *Image) *Delta {
	d := &Delta{}
	for was := range before.Topics() {
		if after.TopicByID(was.ID) == nil {
			d.Deleted = append(d.Deleted, was)
		}
	}
	for is := range after.Topics() {
		was := before.TopicByID(is.ID)
		switch {
		case was == nil:
			d.Created = append(d.Created, is)
		case was != is:
			d.Changed = append(d.Changed, changedPartitions(was, is)...)
		}
	}
	d.Configs = diffConfigs(before, after)
	d.Brokers = diffBrokers(before, after)
	d.Features = !maps.Equal(maps.Collect(before.Features()), maps.Collect(after.Features()))
	return d
}

// changedPartitions of a topic; partitions are never taken from one.
func changedPartitions(was, is *Topic) []*Partition {
	var out []*Partition
	for i, p := range is.Partitions {
		// Every change of a partition raises its epoch.
		if i >= len(was.Partitions) || was.Partitions[i] != p && !samePartition(was.Partitions[i], p) {
			out = append(out, p)
		}
	}
	return out
}

func samePartition(a, b *Partition) bool {
	return a.Leader == b.Leader && a.LeaderEpoch == b.LeaderEpoch && a.PartitionEpoch == b.PartitionEpoch && a.Recovering == b.Recovering &&
		slices.Equal(a.Replicas, b.Replicas) && slices.Equal(a.ISR, b.ISR) && slices.Equal(a.ELR, b.ELR) && slices.Equal(a.LastELR, b.LastELR) &&
		slices.Equal(a.Adding, b.Adding) && slices.Equal(a.Removing, b.Removing) && slices.Equal(a.Directories, b.Directories)
}

func diffConfigs(before, after *Image) []ConfigChange {
	var out []ConfigChange
	for r := range before.configs.all() {
		if _, there := after.configs.get(r); !there {
			out = append(out, ConfigChange(r))
		}
	}
	for r, is := range after.configs.all() {
		if was, there := before.configs.get(r); !there || was != is && !maps.Equal(was.values, is.values) {
			out = append(out, ConfigChange(r))
		}
	}
	return out
}

func diffBrokers(before, after *Image) []int32 {
	var out []int32
	for was := range before.Brokers() {
		if after.Broker(was.ID) == nil {
			out = append(out, was.ID)
		}
	}
	for is := range after.Brokers() {
		if was := before.Broker(is.ID); was == nil || !sameBroker(was, is) {
			out = append(out, is.ID)
		}
	}
	return out
}

// sameBroker: a registration's epoch says the most, fencing and the directories
// change under it.
func sameBroker(a, b *Broker) bool {
	return a == b || a.Epoch == b.Epoch && a.Incarnation == b.Incarnation && a.Fenced == b.Fenced && a.Rack == b.Rack &&
		a.InControlledShutdown == b.InControlledShutdown && slices.Equal(a.Directories, b.Directories) &&
		slices.Equal(a.Cordoned, b.Cordoned) && maps.Equal(a.Features, b.Features) &&
		slices.EqualFunc(a.Endpoints, b.Endpoints, func(x, y Endpoint) bool {
			return x.Name == y.Name && x.Host == y.Host && x.Port == y.Port && x.SecurityProtocol == y.SecurityProtocol
		})
}
