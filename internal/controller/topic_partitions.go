package controller

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// CreatePartitions; the reply is []Result, one per topic, in order.
type CreatePartitions struct {
	Topics       []MorePartitions
	ValidateOnly bool
}

// MorePartitions raises a topic's number of partitions to Count.
type MorePartitions struct {
	Name        string
	Count       int32
	Assignments [][]int32 // replicas of each new partition, or nil
}

func (c *Controller) createPartitions(cmd CreatePartitions) ([]metadata.Record, any, error) {
	named := make(map[string]int)
	for i := range cmd.Topics {
		named[cmd.Topics[i].Name]++
	}
	place, h := c.placer(), homes{c: c}
	var records []metadata.Record
	var reply []Result
	added := 0
	for i := range cmd.Topics {
		t := &cmd.Topics[i]
		var more []metadata.Record
		err := wire.Errorf(wire.InvalidRequest, "Duplicate topic name.")
		if named[t.Name] == 1 {
			more, err = c.morePartitions(t, place, &h)
		}
		records = append(records, more...)
		reply = append(reply, resultOf(err))
		if added += len(more); added > maxPartitionsPerStep {
			return nil, nil, errTooManyPartitions
		}
	}
	if cmd.ValidateOnly {
		return nil, reply, nil
	}
	return records, reply, nil
}

var errTooManyPartitions = wire.Errorf(wire.PolicyViolation, "Excessively large number of additional partitions per request.")

// morePartitions gives the records of a topic's new partitions. They have as
// many replicas as its first is to have; while that one moves it has more.
func (c *Controller) morePartitions(m *MorePartitions, place *placer, h *homes) ([]metadata.Record, error) {
	t := c.image().TopicByName(m.Name)
	if t == nil {
		return nil, wire.UnknownTopicOrPartition
	}
	have := len(t.Partitions)
	add := int(m.Count) - have
	switch {
	case add == 0:
		return nil, wire.Errorf(wire.InvalidPartitions, "Topic already has %d partition(s).", have)
	case add < 0:
		return nil, wire.Errorf(wire.InvalidPartitions, "The topic %s currently has %d partition(s); %d would not be an increase.", m.Name, have, m.Count)
	case add > maxPartitionsPerStep:
		return nil, errTooManyPartitions
	case m.Assignments != nil && len(m.Assignments) != add:
		return nil, wire.Errorf(wire.InvalidReplicaAssignment, "Attempted to add %d additional partition(s), but only %d assignment(s) were specified.", add, len(m.Assignments))
	case have == 0:
		return nil, wire.Errorf(wire.UnknownServerError, "Invalid state: topic %s appears to have no partitions.", m.Name)
	}
	factor := len(without(t.Partitions[0].Replicas, t.Partitions[0].Removing))
	lists := m.Assignments
	if lists == nil {
		var err error
		if lists, err = place.partitions(add, factor); err != nil {
			return nil, err
		}
	}
	records := make([]metadata.Record, 0, add)
	for i, replicas := range lists {
		index := int32(have + i)
		if m.Assignments != nil {
			if err := c.checkAssignment(index, replicas, factor); err != nil {
				return nil, err
			}
			replicas = slices.Clone(replicas)
		}
		records = append(records, c.newPartition(h, t.ID, index, replicas))
	}
	return records, nil
}
