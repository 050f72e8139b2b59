package controller

import (
	"slices"
	"strconv"

	"ottla/internal/controller/election"
	"ottla/internal/metadata"
)

// Who leads, and who is in sync, when a broker goes or comes. Package election
// decides each partition; a node alone is the exception that keeps explains.

// rules are a topic's, as it is set up now.
func (c *Controller) rules(topic string) election.Rules {
	return election.Rules{
		ELR: c.level(metadata.ELRVersion) > 0, MinISR: c.minISR(topic), Unclean: c.setting(topic, uncleanElection) == "true",
		MayLead: c.mayLead,
	}
}

// mayLead tells whether a replica's broker takes part and the directory that it
// lies in works.
func (c *Controller) mayLead(p *metadata.Partition, id int32) bool {
	b := c.image().Broker(id)
	return b != nil && b.Live() && !lostWith(p, id, b.Directories)
}

// The settings that decide who may lead.
const (
	minInsync       = "min.insync.replicas"
	uncleanElection = "unclean.leader.election.enable"
	durability      = "durability"
)

// setting is a topic's own value, else the cluster's, else what this node was
// started with.
func (c *Controller) setting(topic, name string) string {
	if v, ok := c.image().Config(metadata.ResourceTopic, topic)[name]; ok {
		return v
	}
	return c.clusterSetting(name)
}

func (c *Controller) clusterSetting(name string) string {
	if v, ok := c.image().Config(metadata.ResourceBroker, "")[name]; ok {
		return v
	}
	switch name {
	case minInsync:
		return strconv.Itoa(int(max(c.options.MinInsync, 1)))
	case uncleanElection:
		return strconv.FormatBool(c.options.Unclean)
	case durability:
		return c.options.Durability
	}
	return ""
}

// minISR is how many replicas of a topic must be in sync.
func (c *Controller) minISR(topic string) int {
	n, err := strconv.Atoi(c.setting(topic, minInsync))
	if err != nil { // stored by another version or by hand
		return int(max(c.options.MinInsync, 1))
	}
	return n
}

// synced tells whether a topic's records are on the disk of every replica in
// sync before they are acknowledged: then no stop loses any.
func (c *Controller) synced(topic string) bool {
	d := c.setting(topic, durability)
	return d == "" || d == "fsync"
}

// leave takes a broker out of every ISR, and gives its leaderships away.
func (c *Controller) leave(id int32) []metadata.Record {
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if p.Leader != id && !slices.Contains(p.ISR, id) || c.keeps(p, id) {
			return nil
		}
		return orNone(c.without(t, p, id, nil))
	})
}

// startedAnew is leave for a broker whose process is a new one; a lossy start
// takes it from those that are eligible too, where its records may be missing.
func (c *Controller) startedAnew(b *metadata.Broker, lossy bool) []metadata.Record {
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if c.keeps(p, b.ID) {
			return raise(t, p, b)
		}
		var lost []int32
		if slices.Contains(p.Replicas, b.ID) && lossy && !c.synced(t.Name) {
			lost = []int32{b.ID}
		}
		if p.Leader != b.ID && !slices.Contains(p.ISR, b.ID) && (lost == nil || !slices.Contains(p.ELR, b.ID)) {
			return nil
		}
		return orNone(c.without(t, p, b.ID, lost))
	})
}

// raise gives a partition that its leader keeps a new leader epoch, or no leader
// where the directory that it lies in is not among those that work.
func raise(t *metadata.Topic, p *metadata.Partition, b *metadata.Broker) metadata.Record {
	if p.Leader != b.ID {
		return nil
	}
	change := metadata.ChangePartition(t.ID, p.Index)
	change.Leader = b.ID
	if lostWith(p, b.ID, b.Directories) {
		change.Leader = metadata.NoLeader
	}
	return change
}

// without takes a broker out of one partition's ISR.
func (c *Controller) without(t *metadata.Topic, p *metadata.Partition, id int32, lost []int32) *metadata.PartitionChangeRecord {
	r := c.rules(t.Name)
	r.MayLead = func(p *metadata.Partition, other int32) bool { return other != id && c.mayLead(p, other) }
	return election.Decide(p, election.Change{ISR: election.Without(p.ISR, id), Lost: lost}, r)
}

// orNone turns no change into no record.
func orNone(r *metadata.PartitionChangeRecord) metadata.Record {
	if r == nil {
		return nil
	}
	return r
}

// comeBack elects leaders for the partitions that have none, now that a broker
// takes part again.
func (c *Controller) comeBack(id int32) []metadata.Record {
	work := c.image().Broker(id).Directories
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if p.Leader != metadata.NoLeader || !slices.Contains(p.Replicas, id) {
			return nil
		}
		r := c.rules(t.Name)
		r.MayLead = func(p *metadata.Partition, other int32) bool {
			if other == id {
				return !lostWith(p, id, work)
			}
			return c.mayLead(p, other)
		}
		return orNone(election.Decide(p, election.Change{}, r))
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

// followConfigs is what comes with records that change the settings which decide
// who may lead. A replica is eligible only as long as too few others are in sync
// for records to be committed without it: when fewer are asked for, that may be
// over. And a partition without a leader gets one where any may now be taken.
func (c *Controller) followConfigs(records []metadata.Record) []metadata.Record {
	if !slices.ContainsFunc(records, decidesLeaders) {
		return nil
	}
	after := &Controller{options: c.options, state: c.image().Draft()}
	for _, r := range records {
		if after.state.Apply(r) != nil {
			return nil // our bug: Apply of the controller itself will say so
		}
	}
	c.because("%s or %s was changed", minInsync, uncleanElection)
	var out []metadata.Record
	for t := range c.image().Topics() {
		fewer := after.minISR(t.Name) < c.minISR(t.Name)
		r := after.rules(t.Name)
		for _, p := range t.Partitions {
			if fewer && len(p.ISR) > 0 && len(p.ELR) > 0 || r.Unclean && p.Leader == metadata.NoLeader {
				if change := election.Decide(p, election.Change{}, r); change != nil {
					out = append(out, change)
				}
			}
		}
	}
	return out
}

// decidesLeaders tells whether a record changes one of those settings.
func decidesLeaders(r metadata.Record) bool {
	one, ok := r.(*metadata.ConfigRecord)
	return ok && (one.Name == minInsync || one.Name == uncleanElection)
}
