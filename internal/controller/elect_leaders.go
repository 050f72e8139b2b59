package controller

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// ElectLeaders makes the preferred replica lead (KIP-183), or with Unclean,
// where no in-sync replica is alive, one that may have lost records (KIP-460).
// Nil Partitions means all; the reply is []ElectResult, one per partition in
// order, without those that need no election when all were asked for.
type ElectLeaders struct {
	Unclean    bool
	Partitions []TopicPartition
}

// TopicPartition names a partition.
type TopicPartition struct {
	Topic string
	Index int32
}

// ElectResult is the outcome for one partition.
type ElectResult struct {
	TopicPartition
	Result
}

func (c *Controller) electLeaders(cmd ElectLeaders) ([]metadata.Record, any, error) {
	var records []metadata.Record
	reply := []ElectResult{}
	elect := func(tp TopicPartition) {
		record, err := c.elect(tp, cmd.Unclean)
		if record != nil {
			records = append(records, record)
		}
		if cmd.Partitions != nil || err != wire.ElectionNotNeeded {
			reply = append(reply, ElectResult{tp, resultOf(err)})
		}
	}
	for _, tp := range cmd.Partitions {
		elect(tp)
	}
	if cmd.Partitions == nil {
		for t := range c.image().Topics() {
			for _, p := range t.Partitions {
				elect(TopicPartition{t.Name, p.Index})
			}
		}
	}
	return records, reply, nil
}

// elect decides one partition.
func (c *Controller) elect(tp TopicPartition, unclean bool) (metadata.Record, error) {
	t := c.image().TopicByName(tp.Topic)
	if t == nil {
		return nil, wire.Errorf(wire.UnknownTopicOrPartition, "No such topic as %s", tp.Topic)
	}
	if tp.Index < 0 || int(tp.Index) >= len(t.Partitions) {
		return nil, wire.Errorf(wire.UnknownTopicOrPartition, "No such partition as %s-%d", tp.Topic, tp.Index)
	}
	p := t.Partitions[tp.Index]
	change := metadata.ChangePartition(t.ID, p.Index)
	if unclean {
		return c.electUnclean(p, change)
	}
	switch preferred := p.Replicas[0]; {
	case !slices.Contains(p.ISR, preferred) || !c.live(preferred):
		return nil, wire.PreferredLeaderNotAvailable
	case p.Leader == preferred:
		return nil, wire.ElectionNotNeeded
	default:
		change.Leader = preferred
	}
	return change, nil
}

// electUnclean takes the first live replica of those that have all records: in
// sync, then eligible (KIP-966); where there is none, the first that is alive
// at all. One from outside the ISR becomes the whole ISR; one that may have
// lost records is marked as recovering.
func (c *Controller) electUnclean(p *metadata.Partition, change *metadata.PartitionChangeRecord) (metadata.Record, error) {
	if p.Leader != metadata.NoLeader && c.live(p.Leader) {
		return nil, wire.ElectionNotNeeded
	}
	if id, ok := c.firstLive(p.Replicas, p.ISR); ok {
		change.Leader = id
		return change, nil
	}
	id, ok := c.firstLive(p.Replicas, p.ELR)
	if !ok {
		if id, ok = c.firstLive(p.Replicas, p.Replicas); !ok {
			return nil, wire.EligibleLeadersNotAvailable
		}
		change.LeaderRecoveryState = 1
	}
	change.Leader, change.ISR = id, []int32{id}
	if len(p.ELR)+len(p.LastELR) > 0 {
		change.ELR, change.LastELR = []int32{}, []int32{}
	}
	return change, nil
}

// firstLive finds the first replica, by preference, that is alive and among
// those asked for.
func (c *Controller) firstLive(replicas, among []int32) (int32, bool) {
	for _, id := range replicas {
		if slices.Contains(among, id) && c.live(id) {
			return id, true
		}
	}
	return 0, false
}
