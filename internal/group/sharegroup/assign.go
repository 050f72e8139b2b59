package sharegroup

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"ottla/internal/group/schema"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// assignor is the name of the only way that share groups are assigned.
const assignor = "simple"

// refresh raises the group's epoch when it must, or when its topics are not
// what they were, and makes the assignment of the new epoch.
func (e *edit) refresh(must bool) {
	if !must && !e.g.stale {
		return
	}
	e.then(func(g *group) { g.stale = false })
	hash := e.hash()
	if !must && hash == e.g.hash {
		return
	}
	e.bump(hash)
	e.assign()
	e.noteStates()
}

// hash is of the topics that the group reads.
func (e *edit) hash() int64 {
	img, h := e.k.s.Image(), fnv.New64a()
	var b []byte
	for _, name := range e.g.topics() {
		if t := img.TopicByName(name); t != nil {
			b = append(append(b[:0], name...), t.ID[:]...)
			_, _ = h.Write(binary.BigEndian.AppendUint32(b, uint32(len(t.Partitions)))) // a hash takes all
		}
	}
	return int64(h.Sum64())
}

// assign shares the partitions of each topic among those who read it: everyone
// has at least one, and every partition somebody. Where there are more readers
// than partitions, partitions have several.
func (e *edit) assign() {
	g, img := e.g, e.k.s.Image()
	next := map[string][]schema.TopicPartitions{}
	for _, name := range g.topics() {
		t := img.TopicByName(name)
		if t == nil || len(t.Partitions) == 0 {
			continue
		}
		var readers []string
		for _, id := range g.ids() {
			if slices.Contains(g.members[id].said.Topics, name) {
				readers = append(readers, id)
			}
		}
		for i, parts := range spread(len(readers), len(t.Partitions), start(t, len(readers))) {
			next[readers[i]] = append(next[readers[i]], schema.TopicPartitions{Topic: t.ID, Partitions: parts})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.members)) {
		slices.SortFunc(next[id], func(a, b schema.TopicPartitions) int { return slices.Compare(a.Topic[:], b.Topic[:]) })
		if old, ok := g.target[id]; !ok || !sameParts(old, next[id]) {
			e.write(schema.ShareTargetMember, id, schema.AppendTargetMember(nil, next[id]))
		}
	}
	e.write(schema.ShareTarget, "", schema.AppendTarget(nil, schema.TargetValue{Epoch: g.epoch, AtMs: e.t.Wall.UnixMilli()}))
}

// start is with which reader a topic begins, so that topics of few partitions
// do not all go to the same members.
func start(t *metadata.Topic, readers int) int {
	if readers == 0 {
		return 0
	}
	return int(binary.BigEndian.Uint32(idTail(t.ID))) % readers
}

func idTail(id uuid.UUID) []byte { return id[12:] }

// spread gives each of n readers partitions of count, beginning with reader
// first.
func spread(n, count, first int) [][]int32 {
	out := make([][]int32, n)
	for i := range max(n, count) {
		if n == 0 {
			break
		}
		r := (first + i) % n
		out[r] = append(out[r], int32(i%count))
	}
	for i := range out {
		slices.Sort(out[i])
		out[i] = slices.Compact(out[i])
	}
	return out
}

// interval is when a member shall report again.
func (k *Kind) interval(group string) time.Duration {
	if d := k.s.Of(group).Heartbeat; d > 0 {
		return d
	}
	return k.s.Pace()
}
