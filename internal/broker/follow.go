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
	first := !b.begun
	if first {
		b.begun = true
		found = b.survey(img)
	}
	b.drop(d.Deleted)
	later := b.create(img, d.Created, found)
	if len(d.Configs) > 0 { // before anything moves: it may be throttled
		b.reconfigure(img, d.Configs)
	}
	b.change(img, d.Changed)
	b.image.Store(img)
	b.openLater(later) // what opens may ask what the metadata are
	if first {
		b.resumeMoves()
	}
	if b.misplaced || cordonsChanged(d.Configs) {
		b.misplaced = false
		b.tellSoon()
	}
}

// create makes the partitions of new topics that have a replica here. Those
// found on disk, or missed there, are given back, to open in the background; the others
// are open before it returns.
func (b *Broker) create(img *metadata.Image, topics []*metadata.Topic, found map[spot]int) (later []*held) {
	if len(topics) == 0 {
		return nil
	}
	var now []*held
	made := make([]*topic, 0, len(topics))
	for _, mt := range topics {
		t := &topic{name: mt.Name, id: mt.ID, parts: make([]*held, len(mt.Partitions))}
		c := b.configOf(img, mt.Name)
		for i, mp := range mt.Partitions {
			if !slices.Contains(mp.Replicas, b.o.NodeID) {
				continue
			}
			at, onDisk := b.firstHome(mp, mt.Name, found)
			h := b.hold(mt, mp, at, c)
			t.parts[i] = h
			if onDisk || h.dir().Misses(h.id) {
				h.mended = b.rot() != nil
				later = append(later, h)
			} else {
				now = append(now, h)
			}
		}
		made = append(made, t)
	}
	b.openNow(now)
	b.table.change(nil, made)
	return later
}

// firstHome is where a partition lies, and whether it was found on disk. At the
// start (found is not nil) what the metadata have in a directory that does not
// work is left there, whatever lies elsewhere: a copy that a move left behind
// may be older. And what is not found while a directory does not work may be in
// it.
func (b *Broker) firstHome(mp *metadata.Partition, topic string, found map[spot]int) (*home, bool) {
	if found == nil {
		return b.homeOf(mp), false
	}
	named, ok := b.namedHome(mp)
	at, onDisk := found[spot{topic, mp.Index}]
	switch {
	case ok && named == lost && b.mayBegin(mp):
		if onDisk { // it began anew, and the controller has not heard of it
			b.misplaced = true
			b.replaced.Store(true)
			return b.enter(at), true
		}
		return b.anew(), false
	case ok && (named == lost || b.dirs[named].Err() != nil):
		return b.enter(named), false
	case onDisk:
		return b.enter(at), true
	case !ok:
		if i := slices.IndexFunc(b.dirs, func(d *log.Dir) bool { return d.Err() != nil }); i >= 0 {
			return b.enter(i), false
		}
	}
	return b.homeOf(mp), false
}

// anew is a directory for a replica that begins anew; the controller is to hear
// of it.
func (b *Broker) anew() *home {
	b.misplaced = true
	b.replaced.Store(true)
	return b.enter(b.place())
}

// mayBegin tells whether a replica whose directory this node was not started
// with may begin anew in another: nobody counts on what it held, and no
// directory is out of order that might still have it. So a node that lost its
// disk fetches everything again.
func (b *Broker) mayBegin(mp *metadata.Partition) bool {
	me := b.o.NodeID
	if mp.Leader == me || slices.Contains(mp.ISR, me) || slices.Contains(mp.ELR, me) {
		return false
	}
	return !slices.ContainsFunc(b.dirs, func(d *log.Dir) bool { return d.Err() != nil })
}

// coordinatorOf is what runs on a topic's partitions, nil on most.
func (b *Broker) coordinatorOf(topic string) Coordinator {
	if b.o.Stepping != nil {
		return b.o.Stepping.Coordinators[topic]
	}
	if c := b.o.Coordinators[topic]; c != nil {
		return c
	}
	return nil
}

// rot is who is told of damage, nil for nobody.
func (b *Broker) rot() func(*partition.Partition, int64) {
	switch {
	case b.o.Stepping != nil:
		return b.o.Stepping.Rot
	case b.mending == nil:
		return nil
	}
	return b.mending.Found
}

// Trust ends the doubt about a partition's end: it takes its role.
func (b *Broker) Trust(p *partition.Partition) {
	d := p.Describe()
	if t := b.table.byID(d.ID); t != nil && int(d.Index) < len(t.parts) && t.parts[d.Index] != nil && t.parts[d.Index].p == p {
		t.parts[d.Index].settle(b.o.Logger)
	}
}

// hold makes a partition that is not open yet.
func (b *Broker) hold(mt *metadata.Topic, mp *metadata.Partition, at *home, c partition.Config) *held {
	h := &held{
		broker:   b,
		id:       log.Ident{Topic: mt.Name, Partition: mp.Index, ID: mt.ID},
		internal: metadata.IsInternal(mt.Name), node: b.o.NodeID, coordinator: b.coordinatorOf(mt.Name),
		p: partition.New(partition.Options{
			Topic: mt.Name, ID: mt.ID, Index: mp.Index, NodeID: b.o.NodeID,
			Now: b.o.Now, Steady: b.steady, Logger: b.o.Logger, Config: c, InSync: b.inSync.Look, Rot: b.rot(),
		}),
	}
	h.at.Store(at)
	b.assign(h, mp)
	return h
}
