package controller

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// assignByHand checks the replicas that a CreateTopics gives by hand.
func (s *topicStep) assignByHand(t *NewTopic) ([][]int32, error) {
	switch {
	case t.Replicas != -1:
		return nil, wire.Errorf(wire.InvalidRequest, "A manual partition assignment was specified, but replication factor was not set to -1.")
	case t.Partitions != -1:
		return nil, wire.Errorf(wire.InvalidRequest, "A manual partition assignment was specified, but numPartitions was not set to -1.")
	}
	lists := make([][]int32, len(t.Assignments))
	for index := range lists {
		replicas, ok := t.Assignments[int32(index)]
		if !ok {
			return nil, wire.Errorf(wire.InvalidReplicaAssignment, "partitions should be a consecutive 0-based integer sequence")
		}
		if err := s.checkAssignment(int32(index), replicas, len(t.Assignments[0])); err != nil {
			return nil, err
		}
		lists[index] = slices.Clone(replicas)
	}
	return lists, nil
}

// checkAssignment applies the rules of one partition's replicas given by hand;
// factor is how many there must be.
func (c *Controller) checkAssignment(index int32, replicas []int32, factor int) error {
	refuse := func(format string, args ...any) error {
		return wire.Errorf(wire.InvalidReplicaAssignment, format, args...)
	}
	if len(replicas) == 0 {
		return refuse("The manual partition assignment includes an empty replica list.")
	}
	sorted := slices.Sorted(slices.Values(replicas))
	anyLive := false
	for i, id := range sorted {
		if i > 0 && sorted[i-1] == id {
			return refuse("The manual partition assignment includes the broker %d more than once.", id)
		}
		b := c.image().Broker(id)
		if b == nil || reserved(b) {
			return refuse("The manual partition assignment includes broker %d, but no such broker is registered.", id)
		}
		if cordoned(b) {
			return refuse("The manual partition assignment includes broker %d, but all its log directories are cordoned.", id)
		}
		anyLive = anyLive || b.Live()
	}
	if len(replicas) != factor {
		return refuse("The manual partition assignment includes a partition with %d replica(s), but this is not consistent with previous partitions, which have %d replica(s).", len(replicas), factor)
	}
	if !anyLive {
		return refuse("All brokers specified in the manual partition assignment for partition %d are fenced or in controlled shutdown.", index)
	}
	return nil
}

// cordoned tells whether a broker takes no new replicas.
func cordoned(b *metadata.Broker) bool {
	return len(b.Directories) > 0 && len(b.Cordoned) >= len(b.Directories)
}
