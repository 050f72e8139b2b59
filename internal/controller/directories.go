package controller

import (
	"slices"

	"ottla/internal/controller/election"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// FailDirectories tells that log directories of a broker failed: it goes on
// without them. Partitions that lie there get another leader, or none. Reply
// nil.
type FailDirectories struct {
	ID          int32
	Epoch       int64
	Directories []uuid.UUID
}

// CordonDirectories tells which of a broker's log directories take no new
// replicas (KIP-1066). Reply nil.
type CordonDirectories struct {
	ID          int32
	Epoch       int64
	Directories []uuid.UUID
}

// AssignDirectories tells in which of its log directories a broker keeps
// replicas (KIP-858). Reply nil; what is not a replica of the broker any more
// is passed by.
type AssignDirectories struct {
	ID         int32
	Epoch      int64
	Partitions []DirectoryAssignment
}

// DirectoryAssignment is where one replica lies.
type DirectoryAssignment struct {
	TopicID   uuid.UUID
	Index     int32
	Directory uuid.UUID
}

func (c *Controller) failDirectories(cmd FailDirectories) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil {
		return nil, nil, err
	}
	left := slices.DeleteFunc(slices.Clone(b.Directories), func(d uuid.UUID) bool { return slices.Contains(cmd.Directories, d) })
	if len(left) == len(b.Directories) {
		return nil, nil, nil
	}
	if len(left) == 0 { // a change has no way to say "none": it is out altogether
		return c.fenceBroker(FenceBroker{ID: b.ID, Epoch: b.Epoch})
	}
	records := c.abandon(b.ID, left)
	return append(records, &metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, LogDirs: left}), nil, nil
}

// abandon takes a broker out of the partitions that do not lie in one of the
// directories it has left: another replica leads, or nobody.
func (c *Controller) abandon(id int32, left []uuid.UUID) []metadata.Record {
	c.because("a log directory of node %d failed", id)
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if p.Leader != id && !slices.Contains(p.ISR, id) || !lostWith(p, id, left) {
			return nil
		}
		if !c.keeps(p, id) {
			return orNone(c.without(t, p, id, nil))
		}
		if p.Leader != id {
			return nil
		}
		change := metadata.ChangePartition(t.ID, p.Index)
		change.Leader = metadata.NoLeader // it stays in sync: nobody else has the records
		return change
	})
}

// lostWith tells whether a broker's replica lies in a directory that is not
// among those that work. One that was never assigned may lie in any.
func lostWith(p *metadata.Partition, id int32, work []uuid.UUID) bool {
	at := slices.Index(p.Replicas, id)
	if at < 0 || len(work) == 0 {
		return false
	}
	d := p.Directories[at]
	return !unassigned(d) && !slices.Contains(work, d)
}

// unassigned tells the identifiers that stand for "not known yet" (KIP-858).
func unassigned(d uuid.UUID) bool { return d.IsZero() || d == uuid.UUID{15: 2} }

func (c *Controller) cordonDirectories(cmd CordonDirectories) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil {
		return nil, nil, err
	}
	cordoned := []uuid.UUID{}
	for _, d := range b.Directories { // in one order, each once
		if slices.Contains(cmd.Directories, d) {
			cordoned = append(cordoned, d)
		}
	}
	if slices.Equal(cordoned, b.Cordoned) {
		return nil, nil, nil
	}
	return []metadata.Record{&metadata.BrokerRegistrationChangeRecord{
		BrokerID: b.ID, BrokerEpoch: b.Epoch, CordonedLogDirs: cordoned,
	}}, nil, nil
}

func (c *Controller) assignDirectories(cmd AssignDirectories) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil {
		return nil, nil, err
	}
	if len(cmd.Partitions) > maxPartitionsPerStep {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "%d partitions are assigned to directories at once; the most is %d", len(cmd.Partitions), maxPartitionsPerStep)
	}
	var records []metadata.Record
	for _, a := range cmd.Partitions {
		t := c.image().TopicByID(a.TopicID)
		if t == nil || a.Index < 0 || int(a.Index) >= len(t.Partitions) {
			continue
		}
		p := t.Partitions[a.Index]
		at := slices.Index(p.Replicas, b.ID)
		if at < 0 || p.Directories[at] == a.Directory {
			continue
		}
		if !slices.Contains(b.Directories, a.Directory) {
			return nil, nil, wire.Errorf(wire.InvalidRequest, "Broker %d has no log directory %s", b.ID, a.Directory)
		}
		records = append(records, c.moved(t, p, at, b, a.Directory))
	}
	return records, nil, nil
}

// moved is a replica in another directory. One that was taken for lost, and is
// in sync, leads again. One that lay in a directory which does not work, and is
// not in sync, began anew: what made it eligible to lead is gone.
func (c *Controller) moved(t *metadata.Topic, p *metadata.Partition, at int, b *metadata.Broker, to uuid.UUID) metadata.Record {
	change := metadata.ChangePartition(t.ID, p.Index)
	change.Directories = slices.Clone(p.Directories)
	change.Directories[at] = to
	switch in := slices.Contains(p.ISR, b.ID); {
	case in && p.Leader == metadata.NoLeader && b.Live():
		change.Leader = b.ID
	case !in && lostWith(p, b.ID, b.Directories):
		if slices.Contains(p.ELR, b.ID) {
			change.ELR = election.Without(p.ELR, b.ID)
		}
		if slices.Contains(p.LastELR, b.ID) {
			change.LastELR = election.Without(p.LastELR, b.ID)
		}
	}
	return change
}

// homes chooses log directories for new replicas: of a broker's those that
// take any, the one with the fewest replicas, the first of equals. It counts
// once, for the first broker that has a choice.
type homes struct {
	c      *Controller
	counts map[uuid.UUID]int
}

// choose gives the directory of one more replica on b; zero where the broker
// told of none.
func (h *homes) choose(b *metadata.Broker) uuid.UUID {
	switch len(b.Directories) {
	case 0:
		return uuid.UUID{}
	case 1:
		return b.Directories[0]
	}
	if h.counts == nil {
		h.count()
	}
	best, fewest := uuid.UUID{}, -1
	for _, d := range b.Directories {
		if n := h.counts[d]; (fewest < 0 || n < fewest) && !slices.Contains(b.Cordoned, d) {
			best, fewest = d, n
		}
	}
	if fewest < 0 { // all cordoned, and chosen by hand all the same
		best = b.Directories[0]
	}
	h.counts[best]++
	return best
}

func (h *homes) count() {
	h.counts = map[uuid.UUID]int{}
	for t := range h.c.image().Topics() {
		for _, p := range t.Partitions {
			for _, d := range p.Directories {
				h.counts[d]++
			}
		}
	}
}
