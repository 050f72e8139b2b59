package kind

import (
	"iter"
	"maps"
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
)

// Entry is a group as a Book holds it.
type Entry interface {
	// Apply takes over a record of the group; a nil value is a tombstone. What
	// cannot be read is passed over.
	Apply(k schema.Key, value []byte)
	// Records tells all of the group, in an order that hangs on no map.
	Records() []coordinator.Record
	// Size is how many members it has.
	Size() int
}

// Book keeps the groups of a kind: the methods of Kind that are the same for
// all. A kind embeds it.
type Book[G Entry] struct {
	// Groups are all of them, by id; only the Book changes the map.
	Groups map[string]G
	// members counts those of all groups, as count was told.
	members int

	end   int16
	fresh func(id string) G
	count func(by int)
}

// NewBook makes an empty one. end is the type of the record whose tombstone ends
// a group, fresh makes a group, count is told by how many the members of all
// groups became more.
func NewBook[G Entry](end int16, fresh func(id string) G, count func(by int)) Book[G] {
	return Book[G]{Groups: map[string]G{}, end: end, fresh: fresh, count: count}
}

// Apply implements Kind. A record of a group that is not there makes it; a
// tombstone does not.
func (b *Book[G]) Apply(key schema.Key, value []byte) {
	g, known := b.Groups[key.Group]
	switch {
	case key.Type == b.end && value == nil:
		if known {
			delete(b.Groups, key.Group)
			b.counted(-g.Size())
		}
		return
	case !known && value == nil:
		return
	case !known:
		g = b.fresh(key.Group)
		b.Groups[key.Group] = g
	}
	before := g.Size()
	g.Apply(key, value)
	b.counted(g.Size() - before)
}

func (b *Book[G]) counted(by int) {
	if by != 0 {
		b.members += by
		b.count(by)
	}
}

// Reset implements Kind.
func (b *Book[G]) Reset() {
	b.counted(-b.members)
	b.Groups = map[string]G{}
}

// IDs implements Kind.
func (b *Book[G]) IDs() []string { return slices.Sorted(maps.Keys(b.Groups)) }

// Has implements Kind.
func (b *Book[G]) Has(id string) bool {
	_, known := b.Groups[id]
	return known
}

// Records implements Kind: group after group.
func (b *Book[G]) Records() iter.Seq[coordinator.Record] {
	return func(yield func(coordinator.Record) bool) {
		for _, id := range b.IDs() {
			for _, r := range b.Groups[id].Records() {
				if !yield(r) {
					return
				}
			}
		}
	}
}
