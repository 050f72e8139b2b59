package constraint

import (
	"fmt"
	"maps"
	"slices"
)

// Bounds of tags.
const (
	maxTags     = 200
	maxTagKey   = 128
	maxTagValue = 256
)

// Tag is one tag on the wire.
type Tag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// TagMap gives tags as they are kept.
func TagMap(pairs []Tag) map[string]string {
	out := map[string]string{}
	for _, p := range pairs {
		out[p.Key] = p.Value
	}
	return out
}

// TagList gives tags as they are told, by their keys.
func TagList(tags map[string]string) []Tag {
	out := []Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, Tag{key, tags[key]})
	}
	return out
}

// Tags is of tags, whose values have at least leastValue characters.
func (b *Broken) Tags(member string, tags []Tag, leastValue int) {
	if len(tags) > maxTags {
		b.Value(member, fmt.Sprintf("%d tags", len(tags)), fmt.Sprintf("have length less than or equal to %d", maxTags))
		return
	}
	for i, t := range tags {
		at := fmt.Sprintf("%s.%d.member.", member, i+1)
		b.Length(at+"key", t.Key, 1, maxTagKey)
		b.Length(at+"value", t.Value, leastValue, maxTagValue)
	}
}

// TagKeys is of the keys of tags.
func (b *Broken) TagKeys(member string, keys []string) {
	if len(keys) > maxTags {
		b.Value(member, fmt.Sprintf("%d keys", len(keys)), fmt.Sprintf("have length less than or equal to %d", maxTags))
		return
	}
	for i, k := range keys {
		b.Length(fmt.Sprintf("%s.%d.member", member, i+1), k, 1, maxTagKey)
	}
}
