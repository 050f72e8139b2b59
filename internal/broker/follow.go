package broker

import (
	"slices"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
)

// OnImage is for quorum.Options.OnImage. When it returns, the partitions that
// the step created serve; recovering those found at start goes on in the
// background (each answers when it is ready).
func (b *Broker) OnImage(img *metadata.Image, d *metadata.Delta) {
	if b.stopped.Load() {
		return
	}
	var found map[spot]int
	if !b.begun {
		b.begun = true
		found = b.survey(img)
	}
	b.drop(d.Deleted)
	b.create(img, d.Created, found)
	b.change(img, d.Changed)
	if len(d.Configs) > 0 {
		b.reconfigure(img, d.Configs)
	}
	b.image.Store(img)
}

// create makes the partitions of new topics that have a replica here. Those
// found on disk open in the background, the others before it returns.
func (b *Broker) create(img *metadata.Image, topics []*metadata.Topic, found map[spot]int) {
	if len(topics) == 0 {
		return
	}
	var now, later []*held
	made := make([]*topic, 0, len(topics))
	for _, mt := range topics {
		t := &topic{name: mt.Name, id: mt.ID, parts: make([]*held, len(mt.Partitions))}
		c := b.configOf(img, mt.Name)
		for i, mp := range mt.Partitions {
			if !slices.Contains(mp.Replicas, b.o.NodeID) {
				continue
			}
			home, onDisk := found[spot{mt.Name, mp.Index}]
			if onDisk {
				b.settleIn(home)
			} else {
				home = b.place()
			}
			h := b.hold(mt, mp, home, c)
			t.parts[i] = h
			if onDisk {
				later = append(later, h)
			} else {
				now = append(now, h)
			}
		}
		made = append(made, t)
	}
	b.openNow(now)
	b.table.change(nil, made)
	b.openLater(later)
}

// hold makes a partition that is not open yet.
func (b *Broker) hold(mt *metadata.Topic, mp *metadata.Partition, home int, c partition.Config) *held {
	h := &held{
		id: log.Ident{Topic: mt.Name, Partition: mp.Index, ID: mt.ID}, dir: b.dirs[home], home: home,
		internal: metadata.IsInternal(mt.Name), node: b.o.NodeID, coordinator: b.o.Coordinators[mt.Name],
		p: partition.New(partition.Options{
			Topic: mt.Name, ID: mt.ID, Index: mp.Index, NodeID: b.o.NodeID,
			Now: b.o.Now, Logger: b.o.Logger, Config: c,
		}),
	}
	b.assign(h, mp)
	return h
}
