package broker

import (
	"hash/maphash"
	"iter"
	"maps"
	"sync/atomic"

	"ottla/internal/partition"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// shards is how many maps the topics are spread over. A change copies the maps
// it touches: at 10,000 topics some forty entries.
const shards = 256

// table finds topics by name and by id. Readers take no lock; one goroutine
// writes.
type table struct {
	seed  maphash.Seed
	names [shards]atomic.Pointer[map[string]*topic]
	ids   [shards]atomic.Pointer[map[uuid.UUID]*topic]
}

// topic is a topic's partitions as they are held here. It is immutable; a
// change makes another.
type topic struct {
	name  string
	id    uuid.UUID
	parts []*held // by index; nil where this node has no replica
}

func newTable() *table {
	t := &table{seed: maphash.MakeSeed()}
	for i := range shards {
		t.names[i].Store(&map[string]*topic{})
		t.ids[i].Store(&map[uuid.UUID]*topic{})
	}
	return t
}

// byName and byID give nil when there is no such topic.
func (t *table) byName(name []byte) *topic {
	return (*t.names[maphash.Bytes(t.seed, name)%shards].Load())[string(name)]
}

func (t *table) byID(id uuid.UUID) *topic { return (*t.ids[idShard(id)].Load())[id] }

// idShard uses the last byte, which is random in every id that is drawn.
func idShard(id uuid.UUID) int { return int(id[15]) }

// topics lists all, in no order.
func (t *table) topics() iter.Seq[*topic] {
	return func(yield func(*topic) bool) {
		for i := range shards {
			for _, x := range *t.ids[i].Load() {
				if !yield(x) {
					return
				}
			}
		}
	}
}

// change takes topics out and puts others in, or in the place of those with
// the same id; each map is copied once however many it gets.
func (t *table) change(out, in []*topic) {
	names := map[int]map[string]*topic{}
	ids := map[int]map[uuid.UUID]*topic{}
	touched := func(x *topic) (map[string]*topic, map[uuid.UUID]*topic) {
		n, i := int(maphash.String(t.seed, x.name)%shards), idShard(x.id)
		if names[n] == nil {
			names[n] = maps.Clone(*t.names[n].Load())
		}
		if ids[i] == nil {
			ids[i] = maps.Clone(*t.ids[i].Load())
		}
		return names[n], ids[i]
	}
	for _, x := range out {
		n, i := touched(x)
		delete(n, x.name)
		delete(i, x.id)
	}
	for _, x := range in {
		n, i := touched(x)
		n[x.name], i[x.id] = x, x
	}
	for n, m := range names {
		t.names[n].Store(&m)
	}
	for i, m := range ids {
		t.ids[i].Store(&m)
	}
}

// serve finds a partition of the topic to serve; t may be nil.
func (t *topic) serve(index int32, unknown wire.Code) (*partition.Partition, wire.Code) {
	if t == nil {
		return nil, unknown
	}
	if index < 0 || int(index) >= len(t.parts) {
		return nil, wire.UnknownTopicOrPartition
	}
	return t.parts[index].serve(false)
}

// read finds a partition of the topic to read from, led here or followed; t may be
// nil.
func (t *topic) read(index int32, unknown wire.Code) (*partition.Partition, wire.Code) {
	if t == nil {
		return nil, unknown
	}
	if index < 0 || int(index) >= len(t.parts) {
		return nil, wire.UnknownTopicOrPartition
	}
	return t.parts[index].serve(true)
}

// tail tells how far the log of a replica goes; t may be nil.
func (t *topic) tail(index int32) (partition.Tail, wire.Code) {
	if t == nil || index < 0 || int(index) >= len(t.parts) {
		return partition.Tail{}, wire.UnknownTopicOrPartition
	}
	return t.parts[index].tail()
}
