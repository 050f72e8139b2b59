package cluster

import (
	"fmt"
	"hash/fnv"
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/test/history"
)

// rules hold what must be at every moment against what is; what clients saw is
// judged by package history at the end.
type rules struct {
	w       *World
	ops     []history.Op
	clock   int64
	images  map[int64]uint64    // by offset: what the metadata are
	gone    map[uuid.UUID]int64 // topics that were deleted, by what offset
	leaders map[leadership]int32
	last    map[int32]*metadata.Image
	lists   map[*process][]*watched
}

// leadership is one epoch of a partition.
type leadership struct {
	topic uuid.UUID
	index int32
	epoch int32
}

// watched is a partition of a process, with the marks it had.
type watched struct {
	part *partition.Partition
	high int64
	lead bool
}

func newRules(w *World) *rules {
	return &rules{w: w, images: map[int64]uint64{}, gone: map[uuid.UUID]int64{}, leaders: map[leadership]int32{},
		last: map[int32]*metadata.Image{}, lists: map[*process][]*watched{}}
}

// tick is a time that no other operation has.
func (r *rules) tick() int64 {
	r.clock = max(r.clock+1, int64(r.w.loop.Now()))
	return r.clock
}

// place is a partition as package history has it.
func place(topic string, index int32) string { return fmt.Sprintf("%s-%d", topic, index) }

// add notes what a client did and saw.
func (r *rules) add(op history.Op) { r.ops = append(r.ops, op) }

// look holds the marks of a process's partitions against each other and against
// those before.
func (r *rules) look(p *process) {
	for _, x := range r.lists[p] {
		o := x.part.Offsets()
		switch {
		case o.HighWatermark < x.high:
			r.w.fail("%v: the high watermark of %s fell from %d to %d", p.n, x.part.Topic(), x.high, o.HighWatermark)
		case x.lead && (o.LastStable > o.HighWatermark || o.HighWatermark > o.LogEnd):
			r.w.fail("%v: %s stands at %+v", p.n, x.part.Topic(), o)
		}
		x.high = o.HighWatermark
	}
}

// begunAgain tells of a replica that begins with nothing.
func (r *rules) begunAgain(p *process, part *partition.Partition) {
	for _, x := range r.lists[p] {
		if x.part == part {
			x.high = 0
		}
	}
}

// ended forgets a process.
func (r *rules) ended(p *process) {
	delete(r.lists, p)
	delete(r.last, p.n.id)
}

// image holds a step of a node's metadata against those of the others.
func (r *rules) image(p *process, img *metadata.Image) {
	before := r.last[p.n.id]
	if before != nil && img.Offset < before.Offset {
		r.w.fail("%v: the metadata go back from offset %d to %d", p.n, before.Offset, img.Offset)
	}
	sum := fingerprint(img)
	if was, known := r.images[img.Offset]; known && was != sum {
		r.w.fail("%v has other metadata at offset %d than another node", p.n, img.Offset)
	}
	r.images[img.Offset] = sum
	r.w.note("node %d image %d %x", p.n.id, img.Offset, sum)
	r.topics(p, before, img)
	r.last[p.n.id] = img
}

// fingerprint is a hash of all that the metadata are.
func fingerprint(img *metadata.Image) uint64 {
	h := fnv.New64a()
	var buf []byte
	for rec := range img.Records() {
		buf = metadata.Append(buf[:0], rec)
		h.Write(buf)
	}
	return h.Sum64()
}

// topics looks at deletions, and at who leads.
func (r *rules) topics(p *process, before, img *metadata.Image) {
	for t := range img.Topics() {
		if at, gone := r.gone[t.ID]; gone && img.Offset >= at {
			r.w.fail("%v: topic %s (%s), deleted by offset %d, is back at offset %d", p.n, t.Name, t.ID, at, img.Offset)
		}
		for _, x := range t.Partitions {
			r.led(p, t, x)
			r.copied(p, t, x)
			r.say(p, before, t, x)
		}
	}
	if before == nil {
		return
	}
	for t := range before.Topics() {
		if img.TopicByID(t.ID) == nil {
			if at, gone := r.gone[t.ID]; !gone || img.Offset < at {
				r.gone[t.ID] = img.Offset
			}
		}
	}
}

// say notes a partition that changed.
func (r *rules) say(p *process, before *metadata.Image, t *metadata.Topic, x *metadata.Partition) {
	if before != nil {
		if was := before.TopicByID(t.ID); was != nil && int(x.Index) < len(was.Partitions) && was.Partitions[x.Index].PartitionEpoch == x.PartitionEpoch {
			return
		}
	}
	r.w.note("node %d: %s-%d has leader %d epoch %d/%d, in sync %v, eligible %v, replicas %v +%v -%v",
		p.n.id, t.Name, x.Index, x.Leader, x.LeaderEpoch, x.PartitionEpoch, x.ISR, x.ELR, x.Replicas, x.Adding, x.Removing)
}

// led holds that a partition has one leader an epoch, and that it is in sync.
func (r *rules) led(p *process, t *metadata.Topic, x *metadata.Partition) {
	if x.Leader < 0 {
		return
	}
	if !slices.Contains(x.ISR, x.Leader) || !slices.Contains(x.Replicas, x.Leader) {
		r.w.fail("%v: %s-%d is led by %d, in sync are %v of %v", p.n, t.Name, x.Index, x.Leader, x.ISR, x.Replicas)
	}
	at := leadership{t.ID, x.Index, x.LeaderEpoch}
	if was, known := r.leaders[at]; known && was != x.Leader {
		r.w.fail("%s-%d has leaders %d and %d in epoch %d", t.Name, x.Index, was, x.Leader, x.LeaderEpoch)
	}
	r.leaders[at] = x.Leader
}

// copied holds that a partition has as many replicas as every topic is asked for, but
// for those that a move is about to take away.
func (r *rules) copied(p *process, t *metadata.Topic, x *metadata.Partition) {
	if len(x.Replicas)-len(x.Removing) != copies {
		r.w.fail("%v: %s-%d has replicas %v, removing %v, and is to have %d", p.n, t.Name, x.Index, x.Replicas, x.Removing, copies)
	}
}

// watch keeps the list of a process's partitions up to date.
func (r *rules) watch(p *process) {
	had := map[*partition.Partition]*watched{}
	for _, x := range r.lists[p] {
		had[x.part] = x
	}
	var list []*watched
	for _, part := range p.partitions() {
		x := had[part]
		if x == nil {
			x = &watched{part: part, high: part.Offsets().HighWatermark}
		}
		d := part.Describe()
		t := p.broker.Image().TopicByID(d.ID)
		x.lead = t != nil && int(d.Index) < len(t.Partitions) && t.Partitions[d.Index].Leader == p.n.id
		list = append(list, x)
	}
	r.lists[p] = list
}
