package controller

import (
	"ottla/internal/controller/election"
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
	c.because("a preferred leader was asked for")
	if cmd.Unclean {
		c.because("an unclean election was asked for")
	}
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
	r := c.rules(t.Name)
	r.Unclean = unclean
	led := p.Leader != metadata.NoLeader && c.live(p.Leader)
	if unclean && led || !unclean && p.Leader == p.Replicas[0] && led {
		return nil, wire.ElectionNotNeeded
	}
	change := election.Decide(p, election.Change{Preferred: !unclean}, r)
	switch {
	case change != nil && change.Leader >= 0:
		return change, nil
	case unclean:
		return nil, wire.EligibleLeadersNotAvailable
	}
	return nil, wire.PreferredLeaderNotAvailable
}

// Rebalance lets preferred replicas lead again where they may, and somebody
// lead where nobody does and an unclean election is allowed; the reply is
// Rebalanced. Who keeps the interval (leader.imbalance.check.interval.seconds)
// gives it anew at once when there is More.
type Rebalance struct{}

// Rebalanced tells what a Rebalance did.
type Rebalanced struct {
	Moved int32 // partitions with another leader
	More  bool  // than one step changes
}

// maxRebalance bounds the leaders that one step moves, as in Kafka: each costs
// its clients a look at the metadata.
const maxRebalance = 1000

func (c *Controller) rebalance(Rebalance) ([]metadata.Record, any, error) {
	c.because("leadership goes back to the preferred replica")
	reply := Rebalanced{}
	records := c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if p.Leader == p.Replicas[0] || reply.More {
			return nil
		}
		change := election.Decide(p, election.Change{Preferred: true}, c.rules(t.Name))
		if change == nil || change.Leader < 0 {
			return nil
		}
		if reply.Moved == maxRebalance {
			reply.More = true
			return nil
		}
		reply.Moved++
		return change
	})
	return records, reply, nil
}
