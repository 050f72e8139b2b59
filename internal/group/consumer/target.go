package consumer

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"ottla/internal/group/assign"
	"ottla/internal/group/schema"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// refresh raises the group's epoch when it must, or when its topics are not
// what they were. They are looked at when the group was told that they changed.
func (e *edit) refresh(must bool) {
	if !must && !e.outdated() {
		return
	}
	if hash := e.hash(); must || hash != e.g.hash {
		e.bump(hash)
	}
	// A look at regular expressions that runs may not have seen the change.
	if !e.g.resolving || len(e.g.readers) == 0 {
		now := e.t.Now
		e.then(func(g *group) { g.stale, g.looked = false, now })
	}
}

// outdated tells that the topics must be looked at again: the group was told
// that they changed, or it is long since it last looked.
func (e *edit) outdated() bool { return e.g.stale || e.t.Now.Sub(e.g.looked) >= lookAgain }

// lookAgain is after how long a group looks at its topics without being told
// to.
const lookAgain = 3 * time.Minute

// hash is of the topics that the group reads: names, ids, partitions, racks; 0
// when there are none. It is not Kafka's: a log that comes from there is
// assigned anew once.
func (e *edit) hash() int64 {
	img, h := e.k.s.Image(), fnv.New64a()
	var b []byte
	none := true
	for _, name := range e.g.topics() {
		t := img.TopicByName(name)
		if t == nil {
			continue
		}
		none = false
		b = append(append(b[:0], name...), t.ID[:]...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(t.Partitions)))
		for _, racks := range racksOf(img, t) {
			for _, r := range racks {
				b = append(append(b, r...), 0)
			}
			b = append(b, 1)
		}
		_, _ = h.Write(b) // a hash takes all
	}
	if none {
		return 0
	}
	return int64(h.Sum64())
}

// racksOf tells where the replicas of each partition are; nil when no broker
// says.
func racksOf(img *metadata.Image, t *metadata.Topic) [][]string {
	known := false
	out := make([][]string, len(t.Partitions))
	for i, p := range t.Partitions {
		for _, id := range p.Replicas {
			if b := img.Broker(id); b != nil && b.Rack != "" {
				out[i] = append(out[i], b.Rack)
				known = true
			}
		}
		slices.Sort(out[i])
		out[i] = slices.Compact(out[i])
	}
	if !known {
		return nil
	}
	return out
}

// assign makes another target when the group's epoch is ahead of the one at
// hand, unless the last is too fresh: then a later heartbeat does.
func (e *edit) assign() {
	g := e.g
	if g.epoch <= g.targetEpoch || len(g.members) == 0 {
		return
	}
	if wait := e.k.assignEvery(g); wait > 0 {
		if g.targetEpoch == 0 && g.assigned.IsZero() { // a new group waits for more members
			e.noteAssigned()
			return
		}
		if e.t.Now.Sub(g.assigned) < wait {
			return
		}
	}
	spec, ids := e.spec()
	parts := assign.ByName(g.assignor(e.k.s.Assignors))(spec)
	for i, id := range g.ids {
		s := slotsFrom(parts[i], ids)
		if old, ok := g.target[id]; !ok || !slices.Equal(old, s) {
			e.aim(id, s)
		}
	}
	e.write(schema.ConsumerTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: g.epoch, AtMs: e.t.Wall.UnixMilli()}))
	e.noteAssigned()
}

// noteAssigned begins the interval to the next assignment.
func (e *edit) noteAssigned() {
	now := e.t.Now
	e.then(func(g *group) { g.assigned = now })
}

func (k *Kind) assignEvery(g *group) time.Duration {
	if d := k.s.Of(g.id).Assignment; d >= 0 {
		return d
	}
	return assignEvery(len(g.members))
}

// spec is the group as an assignor sees it, with the ids of its topics.
func (e *edit) spec() (*assign.Spec, []uuid.UUID) {
	g, img := e.g, e.k.s.Image()
	s, ids := &assign.Spec{}, []uuid.UUID(nil)
	byName, byID := map[string]int{}, map[uuid.UUID]int{}
	racks := slices.ContainsFunc(g.ids, func(id string) bool { return g.members[id].said.RackID != nil })
	for _, name := range g.topics() {
		t := img.TopicByName(name)
		if t == nil {
			continue
		}
		row := assign.Topic{Partitions: len(t.Partitions)}
		if racks {
			row.Racks = racksOf(img, t)
		}
		byName[name], byID[t.ID] = len(ids), len(ids)
		s.Topics, ids = append(s.Topics, row), append(ids, t.ID)
	}
	for _, id := range g.ids {
		m := g.members[id]
		row := assign.Member{ID: id, Instance: m.instance(), Topics: g.indexes(m, byName)}
		if m.said.RackID != nil {
			row.Rack = *m.said.RackID
		}
		target := g.target[id]
		row.Has = make([]assign.Part, 0, len(target))
		for _, x := range target {
			if t, ok := byID[x.topic]; ok {
				row.Has = append(row.Has, assign.Part{Topic: t, Partition: x.partition})
			}
		}
		s.Members = append(s.Members, row)
	}
	return s, ids
}

// indexes are the topics that a member reads, by their place in a spec, sorted.
func (g *group) indexes(m *member, byName map[string]int) []int {
	out := make([]int, 0, len(m.said.Topics))
	for _, list := range [][]string{m.said.Topics, g.regexes[m.regex()].Topics} {
		for _, name := range list {
			if t, ok := byName[name]; ok {
				out = append(out, t)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// slotsFrom turns what an assignor gave into slots.
func slotsFrom(parts []assign.Part, ids []uuid.UUID) slots {
	if len(parts) == 0 {
		return nil
	}
	out := make(slots, 0, len(parts))
	for _, p := range parts {
		out = append(out, slot{topic: ids[p.Topic], partition: p.Partition})
	}
	slices.SortFunc(out, compareSlots)
	return out
}
