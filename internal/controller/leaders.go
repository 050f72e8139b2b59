package controller

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// A replica in the ISR on a live broker may lead; the first of the replicas
// that may is the one that should. When the last in-sync replica goes, the
// partition keeps it as leader and as ISR: nobody else has all its records, it
// will lead again when it is back, and a node alone need not write two records
// for each of its partitions at every stop and start. That it does not serve
// meanwhile is told by its broker being fenced.

// successor finds who leads and who is in sync once broker id is out; ok is
// false when nobody else can.
func (c *Controller) successor(p *metadata.Partition, id int32) (leader int32, isr []int32, ok bool) {
	isr = make([]int32, 0, len(p.ISR))
	for _, r := range p.ISR {
		if r != id {
			isr = append(isr, r)
		}
	}
	if p.Leader != id && slices.Contains(isr, p.Leader) {
		return metadata.LeaderUnchanged, isr, true
	}
	leader, ok = c.firstLive(p.Replicas, isr)
	return leader, isr, ok
}

// leave takes a broker out of every ISR that has another member to lead, and
// gives its leaderships away.
func (c *Controller) leave(id int32) []metadata.Record {
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if !slices.Contains(p.ISR, id) {
			return nil
		}
		leader, isr, ok := c.successor(p, id)
		if !ok {
			return nil
		}
		change := metadata.ChangePartition(t.ID, p.Index)
		change.Leader, change.ISR = leader, isr
		return change
	})
}

// leaveOrRaise is leave for a broker whose process is a new one: what it still
// leads gets a new leader epoch, or no leader where the directory that it lies
// in is not among those that work.
func (c *Controller) leaveOrRaise(id int32, work []uuid.UUID) []metadata.Record {
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		change := metadata.ChangePartition(t.ID, p.Index)
		leader, isr, ok := c.successor(p, id)
		switch {
		case ok && slices.Contains(p.ISR, id):
			change.Leader, change.ISR = leader, isr
		case p.Leader == id && lostWith(p, id, work):
			change.Leader = metadata.NoLeader
		case p.Leader == id:
			change.Leader = id
		default:
			return nil
		}
		return change
	})
}

// comeBack makes a broker lead the partitions that have no leader and that it
// is in sync with, or was the last to be (KIP-966).
func (c *Controller) comeBack(id int32) []metadata.Record {
	work := c.image().Broker(id).Directories
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if p.Leader != metadata.NoLeader || !slices.Contains(p.Replicas, id) || lostWith(p, id, work) {
			return nil
		}
		change := metadata.ChangePartition(t.ID, p.Index)
		change.Leader = id
		switch {
		case slices.Contains(p.ISR, id):
		case len(p.ISR) == 0 && slices.Contains(p.ELR, id), len(p.ISR)+len(p.ELR) == 0 && slices.Contains(p.LastELR, id):
			change.ISR = []int32{id}
			change.ELR, change.LastELR = []int32{}, []int32{}
		default:
			return nil
		}
		return change
	})
}

// eachPartition collects what f makes of every partition, by topic and index.
func (c *Controller) eachPartition(f func(*metadata.Topic, *metadata.Partition) metadata.Record) []metadata.Record {
	var records []metadata.Record
	for t := range c.image().Topics() {
		for _, p := range t.Partitions {
			if r := f(t, p); r != nil {
				records = append(records, r)
			}
		}
	}
	return records
}
