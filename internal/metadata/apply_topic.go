package metadata

import (
	"fmt"
	"slices"

	"ottla/internal/uuid"
)

func (d *Draft) applyTopic(r *TopicRecord) error {
	if t := d.img.TopicByName(r.Name); t != nil {
		return fmt.Errorf("TOPIC %q (%s): the name is taken by %s", r.Name, r.ID, t.ID)
	}
	if t := d.img.TopicByID(r.ID); t != nil {
		return fmt.Errorf("TOPIC %q (%s): the id is taken by %q", r.Name, r.ID, t.Name)
	}
	t := &Topic{Name: r.Name, ID: r.ID, owner: d.owner, head: &Topic{Name: r.Name, ID: r.ID}}
	d.putTopic(t)
	d.changed.topic(r.ID)
	return nil
}

func (d *Draft) putTopic(t *Topic) {
	d.img.byName.set(d.owner, t.Name, t)
	d.img.byID.set(d.owner, t.ID, t)
}

// ownTopic gives the topic in a form that this draft may change: its own, or a
// copy that takes the old one's place.
func (d *Draft) ownTopic(t *Topic) *Topic {
	if t.owner == d.owner {
		return t
	}
	t = &Topic{Name: t.Name, ID: t.ID, Partitions: withRoom(t.Partitions), owner: d.owner, head: t.head}
	d.putTopic(t)
	return t
}

// applyPartition adds the next partition of a topic, or states one anew.
func (d *Draft) applyPartition(r *PartitionRecord) error {
	t := d.img.TopicByID(r.TopicID)
	if t == nil {
		return fmt.Errorf("PARTITION %d of %s: there is no such topic", r.Partition, r.TopicID)
	}
	if r.Partition < 0 || int(r.Partition) > len(t.Partitions) {
		return fmt.Errorf("PARTITION %d of %q: the topic has %d, so the next is %[3]d", r.Partition, t.Name, len(t.Partitions))
	}
	if len(r.Directories) > 0 && len(r.Directories) != len(r.Replicas) {
		return fmt.Errorf("PARTITION %d of %q: %d directories for %d replicas", r.Partition, t.Name, len(r.Directories), len(r.Replicas))
	}
	t = d.ownTopic(t)
	p := &Partition{
		Topic: t.head, Index: r.Partition,
		Replicas: r.Replicas, ISR: r.ISR, ELR: r.ELR, LastELR: r.LastELR,
		Adding: r.Adding, Removing: r.Removing,
		Directories: r.Directories,
		Leader:      r.Leader, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch,
		Recovering: r.LeaderRecoveryState == 1,
	}
	if len(p.Directories) == 0 {
		p.Directories = make([]uuid.UUID, len(p.Replicas))
	}
	if int(r.Partition) == len(t.Partitions) {
		t.Partitions = append(t.Partitions, p)
		d.img.partitions++
	} else {
		t.Partitions[r.Partition] = p
	}
	d.changed.partition(r.TopicID, r.Partition)
	return nil
}

func (d *Draft) applyPartitionChange(r *PartitionChangeRecord) error {
	t := d.img.TopicByID(r.TopicID)
	if t == nil {
		return fmt.Errorf("PARTITION_CHANGE of partition %d of %s: there is no such topic", r.Partition, r.TopicID)
	}
	if r.Partition < 0 || int(r.Partition) >= len(t.Partitions) {
		return fmt.Errorf("PARTITION_CHANGE of partition %d of %q: the topic has %d", r.Partition, t.Name, len(t.Partitions))
	}
	p, err := t.Partitions[r.Partition].with(r)
	if err != nil {
		return fmt.Errorf("PARTITION_CHANGE of partition %d of %q: %w", r.Partition, t.Name, err)
	}
	d.ownTopic(t).Partitions[r.Partition] = p
	d.changed.partition(r.TopicID, r.Partition)
	return nil
}

// with is the partition after a change (KIP-631): every change raises the
// partition epoch, every named leader the leader epoch.
func (p *Partition) with(r *PartitionChangeRecord) (*Partition, error) {
	n := *p
	n.PartitionEpoch++
	if r.Leader != LeaderUnchanged {
		n.Leader = r.Leader
		n.LeaderEpoch++
	}
	if r.LeaderRecoveryState != RecoveryUnchanged {
		n.Recovering = r.LeaderRecoveryState == 1
	}
	for _, f := range []struct {
		to   *[]int32
		from []int32
	}{
		{&n.ISR, r.ISR}, {&n.Replicas, r.Replicas}, {&n.Adding, r.Adding},
		{&n.Removing, r.Removing}, {&n.ELR, r.ELR}, {&n.LastELR, r.LastELR},
	} {
		if f.from != nil {
			*f.to = f.from
		}
	}
	switch {
	case len(r.Directories) > 0:
		n.Directories = r.Directories
	case r.Replicas != nil && len(r.Replicas) != len(n.Directories):
		n.Directories = make([]uuid.UUID, len(n.Replicas))
	}
	if len(n.Directories) != len(n.Replicas) {
		return nil, fmt.Errorf("%d directories for %d replicas", len(n.Directories), len(n.Replicas))
	}
	return &n, nil
}

func (d *Draft) applyRemoveTopic(r *RemoveTopicRecord) error {
	t := d.img.TopicByID(r.TopicID)
	if t == nil {
		return fmt.Errorf("REMOVE_TOPIC %s: there is no such topic", r.TopicID)
	}
	d.img.byName.remove(d.owner, t.Name)
	d.img.byID.remove(d.owner, t.ID)
	d.img.partitions -= len(t.Partitions)
	d.changed.topic(t.ID)
	if d.img.Config(ResourceTopic, t.Name) != nil {
		d.img.configs.remove(d.owner, Resource{ResourceTopic, t.Name})
		d.changed.config(ResourceTopic, t.Name)
	}
	return nil
}

func (d *Draft) applyClearELR(r *ClearELRRecord) error {
	if r.Topic != "" {
		t := d.img.TopicByName(r.Topic)
		if t == nil {
			return fmt.Errorf("CLEAR_ELR of %q: there is no such topic", r.Topic)
		}
		d.clearELR(t)
		return nil
	}
	for _, t := range slices.Collect(d.img.Topics()) {
		d.clearELR(t)
	}
	return nil
}

func (d *Draft) clearELR(t *Topic) {
	for i, p := range t.Partitions {
		if len(p.ELR) == 0 && len(p.LastELR) == 0 {
			continue
		}
		n := *p
		n.ELR, n.LastELR = nil, nil
		n.PartitionEpoch++
		t = d.ownTopic(t)
		t.Partitions[i] = &n
		d.changed.partition(t.ID, p.Index)
	}
}
