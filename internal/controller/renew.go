package controller

import (
	"slices"

	"ottla/internal/controller/election"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
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
	if _, err := c.registered(cmd.ID, cmd.Epoch); err != nil {
		return nil, nil, err
	}
	if len(cmd.Partitions) > maxPartitionsPerStep {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "%d replicas are renewed at once; the most is %d", len(cmd.Partitions), maxPartitionsPerStep)
	}
	c.because("the replica of node %d is damaged and is fetched anew", cmd.ID)
	records, reply := eachOnce(cmd.Partitions, "the replica is renewed twice", func(tp TopicIDPartition) (*metadata.PartitionChangeRecord, error) {
		return c.renew(cmd.ID, tp)
	})
	return records, reply, nil
}

// eachOnce decides partitions one by one, with a Result for each; one that has changed
// and is named again is refused as twice says.
func eachOnce(partitions []TopicIDPartition, twice string, decide func(TopicIDPartition) (*metadata.PartitionChangeRecord, error)) ([]metadata.Record, []Result) {
	var records []metadata.Record
	reply := make([]Result, 0, len(partitions))
	changed := make(map[TopicIDPartition]bool, len(partitions))
	for _, tp := range partitions {
		record, err := (*metadata.PartitionChangeRecord)(nil), error(wire.Errorf(wire.InvalidRequest, "%s", twice))
		if !changed[tp] {
			record, err = decide(tp)
		}
		if record != nil {
			changed[tp] = true
			records = append(records, record)
		}
		reply = append(reply, resultOf(err))
	}
	return records, reply
}

// SettleEnd tells of a replica that is counted on and whose log was cut at its end when
// it was opened, for bytes there could not be read: it has heard how far the others'
// logs go. The reply is nil. Where another that is counted on is alive nobody counts on
// this one any more, as after RenewReplicas, but what it has stays. Else its heir takes
// its place, and where it has none it is counted on as it is; with somebody away that is
// never silent.
// INVALID_UPDATE_VERSION: the partition has changed, the others are to be heard again.
type SettleEnd struct {
	ID             int32
	Epoch          int64
	TopicID        uuid.UUID
	Index          int32
	PartitionEpoch int32
	// Heir is the replica whose log goes furthest, where it goes further than this one;
	// -1 where none does.
	Heir int32
	// Away are those that were not heard and may have more.
	Away []int32
}

func (c *Controller) settleEnd(cmd SettleEnd) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil {
		return nil, nil, err
	}
	p := c.partition(TopicIDPartition{cmd.TopicID, cmd.Index})
	switch {
	case p == nil || !slices.Contains(p.Replicas, b.ID):
		return nil, nil, wire.UnknownTopicOrPartition
	case p.PartitionEpoch != cmd.PartitionEpoch:
		return nil, nil, wire.InvalidUpdateVersion
	}
	c.because("bytes at the end of node %d's log could not be read after its start", b.ID)
	if change, others := c.uncount(b.ID, p, nil); others {
		return []metadata.Record{change}, nil, nil
	}
	if cmd.Heir < 0 {
		c.doubt("bytes at the end of node %d's log could not be read after its start, and nodes %v, which may have them, are away", b.ID, cmd.Away)
		change := metadata.ChangePartition(p.Topic.ID, p.Index)
		change.Leader = p.Leader
		return []metadata.Record{change}, nil, nil
	}
	if !slices.Contains(p.Replicas, cmd.Heir) || cmd.Heir == b.ID {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "node %d is no other replica of %s-%d", cmd.Heir, p.Topic.Name, p.Index)
	}
	c.because("bytes at the end of node %d's log could not be read after its start; node %d has more than it", b.ID, cmd.Heir)
	if len(cmd.Away) > 0 {
		c.doubt("bytes at the end of node %d's log could not be read after its start; node %d has more than it, and nodes %v, which may have still more, are away", b.ID, cmd.Heir, cmd.Away)
	}
	change, others := c.uncount(b.ID, p, []int32{cmd.Heir})
	if !others {
		return nil, nil, wire.Errorf(wire.EligibleLeadersNotAvailable, "node %d has more of %s-%d and does not serve", cmd.Heir, p.Topic.Name, p.Index)
	}
	return []metadata.Record{change}, nil, nil
}

// renew decides one partition. The leader epoch rises whoever leads: so no fetch
// that the replica made before can bring it back among those in sync.
func (c *Controller) renew(id int32, tp TopicIDPartition) (*metadata.PartitionChangeRecord, error) {
	p := c.partition(tp)
	if p == nil || !slices.Contains(p.Replicas, id) {
		return nil, wire.UnknownTopicOrPartition
	}
	change, others := c.uncount(id, p, nil)
	if !others {
		return nil, wire.Errorf(wire.EligibleLeadersNotAvailable, "no other replica of %s-%d that is alive has all its records", p.Topic.Name, p.Index)
	}
	return change, nil
}

// uncount takes a replica from those that are counted on, with heirs in its place;
// false where none of the others there is alive.
func (c *Controller) uncount(id int32, p *metadata.Partition, heirs []int32) (*metadata.PartitionChangeRecord, bool) {
	r := c.rules(p.Topic.Name)
	r.Unclean = false
	r.MayLead = func(p *metadata.Partition, other int32) bool { return other != id && c.mayLead(p, other) }
	isr := election.Without(p.ISR, id)
	isr = append(isr, election.Without(heirs, isr...)...)
	others := isr
	if len(others) == 0 {
		others = election.Without(p.ELR, id)
	}
	if !slices.ContainsFunc(others, func(other int32) bool { return r.MayLead(p, other) }) {
		return nil, false
	}
	change := election.Decide(p, election.Change{ISR: isr, Lost: []int32{id}}, r)
	if change == nil {
		change = metadata.ChangePartition(p.Topic.ID, p.Index)
	}
	if change.Leader == metadata.LeaderUnchanged {
		change.Leader = p.Leader
	}
	return change, true
}

// YieldLeads tells that a broker has no room for what partitions that it leads are to
// take: another replica in sync leads instead, and the broker's counts again once it
// has caught up. The reply is []Result, one per partition, in order:
// NOT_ENOUGH_REPLICAS where fewer than min.insync.replicas would be left,
// ELIGIBLE_LEADERS_NOT_AVAILABLE where none of them is alive. Then nothing changes:
// what is there can be read.
type YieldLeads struct {
	ID         int32
	Epoch      int64
	Partitions []TopicIDPartition
}

func (c *Controller) yieldLeads(cmd YieldLeads) ([]metadata.Record, any, error) {
	if _, err := c.registered(cmd.ID, cmd.Epoch); err != nil {
		return nil, nil, err
	}
	if len(cmd.Partitions) > maxPartitionsPerStep {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "%d leaderships are given away at once; the most is %d", len(cmd.Partitions), maxPartitionsPerStep)
	}
	c.because("the disk of its leader, node %d, is full", cmd.ID)
	records, reply := eachOnce(cmd.Partitions, "the leadership is given away twice", func(tp TopicIDPartition) (*metadata.PartitionChangeRecord, error) {
		return c.yield(cmd.ID, tp)
	})
	return records, reply, nil
}

// yield decides one partition.
func (c *Controller) yield(id int32, tp TopicIDPartition) (*metadata.PartitionChangeRecord, error) {
	p := c.partition(tp)
	switch {
	case p == nil:
		return nil, wire.UnknownTopicOrPartition
	case p.Leader != id:
		return nil, wire.NotLeaderOrFollower
	case len(election.Without(p.ISR, id)) < min(c.minISR(p.Topic.Name), len(p.Replicas)):
		return nil, wire.NotEnoughReplicas
	}
	change := c.without(p.Topic, p, id, nil)
	if change == nil || change.Leader < 0 {
		return nil, wire.EligibleLeadersNotAvailable
	}
	return change, nil
}
