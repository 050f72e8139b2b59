package controller

import (
	"slices"

	"ottla/internal/controller/election"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// RenewReplicas tells that a broker's replicas of some partitions have lost
// records that were durable, and shall be fetched anew: nobody counts on them from
// then on, and another leads what they led. The reply is []Result, one per
// partition, in order: ELIGIBLE_LEADERS_NOT_AVAILABLE where no other replica that
// is alive has all records, and nothing changes.
type RenewReplicas struct {
	ID         int32
	Epoch      int64
	Partitions []TopicIDPartition
}

func (c *Controller) renewReplicas(cmd RenewReplicas) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil {
		return nil, nil, err
	}
	if len(cmd.Partitions) > maxPartitionsPerStep {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "%d replicas are renewed at once; the most is %d", len(cmd.Partitions), maxPartitionsPerStep)
	}
	c.because("the replica of node %d is damaged and is fetched anew", cmd.ID)
	var records []metadata.Record
	reply := make([]Result, 0, len(cmd.Partitions))
	changed := make(map[TopicIDPartition]bool, len(cmd.Partitions))
	for _, tp := range cmd.Partitions {
		record, err := metadata.Record(nil), error(wire.Errorf(wire.InvalidRequest, "the replica is renewed twice"))
		if !changed[tp] {
			record, err = c.renew(b.ID, tp)
		}
		if record != nil {
			changed[tp] = true
			records = append(records, record)
		}
		reply = append(reply, resultOf(err))
	}
	return records, reply, nil
}

// renew decides one partition. The leader epoch rises whoever leads: so no fetch
// that the replica made before can bring it back among those in sync.
func (c *Controller) renew(id int32, tp TopicIDPartition) (metadata.Record, error) {
	p := c.partition(tp)
	if p == nil || !slices.Contains(p.Replicas, id) {
		return nil, wire.UnknownTopicOrPartition
	}
	r := c.rules(p.Topic.Name)
	r.Unclean = false
	r.MayLead = func(p *metadata.Partition, other int32) bool { return other != id && c.mayLead(p, other) }
	isr := without(p.ISR, []int32{id})
	others := isr
	if len(others) == 0 {
		others = without(p.ELR, []int32{id})
	}
	if !slices.ContainsFunc(others, func(other int32) bool { return r.MayLead(p, other) }) {
		return nil, wire.Errorf(wire.EligibleLeadersNotAvailable, "no other replica of %s-%d that is alive has all its records", p.Topic.Name, p.Index)
	}
	change := election.Decide(p, election.Change{ISR: isr, Lost: []int32{id}}, r)
	if change == nil {
		change = metadata.ChangePartition(p.Topic.ID, p.Index)
	}
	if change.Leader == metadata.LeaderUnchanged {
		change.Leader = p.Leader
	}
	return change, nil
}
