package controller

import (
	"slices"

	"ottla/internal/controller/election"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// ReassignPartitions gives partitions other replicas (KIP-455); the reply is
// []Result, one per partition, in order. A partition that cannot be served by
// the new replicas yet keeps the old ones beside them, as Adding and Removing
// tell; where they are in sync already it is done at once.
type ReassignPartitions struct {
	Partitions []Reassignment
	// KeepFactor refuses another number of replicas (KIP-860).
	KeepFactor bool
}

// Reassignment is one partition's new replicas, by preference; nil takes back
// the reassignment that is under way.
type Reassignment struct {
	TopicPartition
	Replicas []int32
}

func (c *Controller) reassignPartitions(cmd ReassignPartitions) ([]metadata.Record, any, error) {
	var records []metadata.Record
	reply := make([]Result, 0, len(cmd.Partitions))
	changed := make(map[TopicPartition]bool, len(cmd.Partitions))
	c.because("its replicas were reassigned")
	for i := range cmd.Partitions {
		one := &cmd.Partitions[i]
		record, err := metadata.Record(nil), error(wire.Errorf(wire.InvalidRequest, "the partition is reassigned twice"))
		if !changed[one.TopicPartition] {
			record, err = c.reassign(one, cmd.KeepFactor)
		}
		if record != nil {
			changed[one.TopicPartition] = true
			records = append(records, record)
		}
		reply = append(reply, resultOf(err))
	}
	return records, reply, nil
}

// reassign decides one partition; no record means that nothing changes.
func (c *Controller) reassign(r *Reassignment, keepFactor bool) (metadata.Record, error) {
	t := c.image().TopicByName(r.Topic)
	if t == nil {
		return nil, wire.Errorf(wire.UnknownTopicOrPartition, "Unable to find a topic named %s.", r.Topic)
	}
	if r.Index < 0 || int(r.Index) >= len(t.Partitions) {
		return nil, wire.Errorf(wire.UnknownTopicOrPartition, "Unable to find partition %s:%d.", r.Topic, r.Index)
	}
	p := t.Partitions[r.Index]
	if r.Replicas == nil {
		return c.revert(t, p)
	}
	if err := c.checkAssignment(r.Index, r.Replicas, len(r.Replicas)); err != nil {
		return nil, err
	}
	if had := len(original(p)); keepFactor && had != len(r.Replicas) {
		return nil, wire.Errorf(wire.InvalidReplicationFactor, "The replication factor is changed from %d to %d", had, len(r.Replicas))
	}
	return c.moveTo(t, p, r.Replicas)
}

// reassigning tells whether a reassignment of the partition is under way.
func reassigning(p *metadata.Partition) bool { return len(p.Adding)+len(p.Removing) > 0 }

// original are the replicas without those that a reassignment adds.
func original(p *metadata.Partition) []int32 { return without(p.Replicas, p.Adding) }

func without(list, out []int32) []int32 { return election.Without(list, out...) }

// moveTo begins a reassignment; it ends at once where all targets are in sync.
func (c *Controller) moveTo(t *metadata.Topic, p *metadata.Partition, target []int32) (metadata.Record, error) {
	had := original(p)
	adding, removing := without(target, had), without(had, target)
	merged := append(slices.Clone(target), removing...)
	return c.changeReplicas(t, p, "reassign", election.Change{Replicas: merged, Adding: adding, Removing: removing})
}

// changeReplicas gives a partition other replicas, where one of those that have
// all records stays.
func (c *Controller) changeReplicas(t *metadata.Topic, p *metadata.Partition, what string, change election.Change) (metadata.Record, error) {
	may := p.ISR // who has all records
	for _, next := range [][]int32{p.ELR, p.LastELR} {
		if len(may) == 0 {
			may = next
		}
	}
	if len(may) > 0 && len(without(may, change.Replicas)) == len(may) {
		return nil, unclean(t, p, what)
	}
	change.Directories = c.directoriesOf(p, change.Replicas)
	return orNone(election.Decide(p, change, c.rules(t.Name))), nil
}

// unclean refuses what would leave none of the replicas that have all records.
func unclean(t *metadata.Topic, p *metadata.Partition, what string) error {
	return wire.Errorf(wire.InvalidReplicaAssignment, "Unable to %s partition assignment for %s:%d because it would require an unclean leader election.", what, t.Name, p.Index)
}

// directoriesOf keeps the directories of replicas that stay.
func (c *Controller) directoriesOf(p *metadata.Partition, replicas []int32) []uuid.UUID {
	out, h := make([]uuid.UUID, len(replicas)), homes{c: c}
	for i, id := range replicas {
		if at := slices.Index(p.Replicas, id); at >= 0 {
			out[i] = p.Directories[at]
		} else if b := c.image().Broker(id); b != nil {
			out[i] = h.choose(b)
		}
	}
	return out
}

// revert takes a reassignment back: the replicas are those of before, and
// where none of them is in sync any more it stays as it is.
func (c *Controller) revert(t *metadata.Topic, p *metadata.Partition) (metadata.Record, error) {
	if !reassigning(p) {
		return nil, wire.NoReassignmentInProgress
	}
	had := original(p)
	if len(had) == 0 {
		return nil, unclean(t, p, "revert")
	}
	return c.changeReplicas(t, p, "revert", election.Change{Replicas: had, Adding: []int32{}, Removing: []int32{}})
}
