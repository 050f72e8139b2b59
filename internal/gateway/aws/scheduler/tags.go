package scheduler

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"ottla/internal/event/name"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws/protocol"
)

// tagPair is one tag on the wire.
type tagPair struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

func tagMap(pairs []tagPair) map[string]string {
	out := map[string]string{}
	for _, p := range pairs {
		out[p.Key] = p.Value
	}
	return out
}

// tagged is the group that a path names by its ARN: only groups have tags.
func tagged(c *protocol.Call) (schedule.GroupRef, error) {
	r, err := name.ParseARN(c.Name)
	if err != nil || r.Kind != name.ScheduleGroup {
		return schedule.GroupRef{}, validation("ResourceArn %s is not the ARN of a schedule group.", c.Name)
	}
	return schedule.GroupRef{Account: r.Account, Region: r.Region, Name: r.Name}, nil
}

type tagsOut struct {
	Tags []tagPair `json:"Tags"`
}

func (d door) listTags(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*tagsOut, error) {
	ref, err := tagged(c)
	if err != nil {
		return nil, err
	}
	g, err := d.schedules.Group(ctx, ref)
	if err != nil {
		return nil, refuse("Schedule group "+ref.Name, err)
	}
	out := &tagsOut{Tags: []tagPair{}}
	for _, k := range slices.Sorted(maps.Keys(g.Tags)) {
		out.Tags = append(out.Tags, tagPair{k, g.Tags[k]})
	}
	return out, nil
}

type tagIn struct {
	Tags []tagPair `json:"Tags"`
}

func (d door) tag(ctx context.Context, c *protocol.Call, in *tagIn) (*protocol.Nothing, error) {
	ref, err := tagged(c)
	if err != nil {
		return nil, err
	}
	var b broken
	b.tags("tags", in.Tags)
	if in.Tags == nil {
		b.null("tags")
	}
	if err := b.err(); err != nil {
		return nil, err
	}
	_, err = d.schedules.SetGroupTags(ctx, ref, func(tags map[string]string) { maps.Copy(tags, tagMap(in.Tags)) })
	return nil, refuse("Schedule group "+ref.Name, err)
}

func (d door) untag(ctx context.Context, c *protocol.Call, _ *protocol.Nothing) (*protocol.Nothing, error) {
	ref, err := tagged(c)
	if err != nil {
		return nil, err
	}
	keys := c.Query["TagKeys"]
	var b broken
	if keys == nil {
		b.null("tagKeys")
	}
	for i, k := range keys[:min(len(keys), maxTags)] {
		b.length(fmt.Sprintf("tagKeys.%d.member", i+1), k, 1, maxTagKey)
	}
	if len(keys) > maxTags {
		b.value("tagKeys", fmt.Sprintf("%d keys", len(keys)), fmt.Sprintf("have length less than or equal to %d", maxTags))
	}
	if err := b.err(); err != nil {
		return nil, err
	}
	_, err = d.schedules.SetGroupTags(ctx, ref, func(tags map[string]string) {
		for _, k := range keys {
			delete(tags, k)
		}
	})
	return nil, refuse("Schedule group "+ref.Name, err)
}
