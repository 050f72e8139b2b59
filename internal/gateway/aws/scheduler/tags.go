package scheduler

import (
	"context"
	"maps"

	"ottla/internal/event/name"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

// tagged is the group that a path names by its ARN: only groups have tags.
func tagged(c *protocol.Call) (schedule.GroupRef, error) {
	r, err := name.ParseARN(c.Name)
	if err != nil || r.Kind != name.ScheduleGroup {
		return schedule.GroupRef{}, validation("ResourceArn %s is not the ARN of a schedule group.", c.Name)
	}
	return schedule.GroupRef{Account: r.Account, Region: r.Region, Name: r.Name}, nil
}

type tagsOut struct {
	Tags []constraint.Tag `json:"Tags"`
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
	return &tagsOut{constraint.TagList(g.Tags)}, nil
}

type tagIn struct {
	Tags []constraint.Tag `json:"Tags"`
}

func (d door) tag(ctx context.Context, c *protocol.Call, in *tagIn) (*protocol.Nothing, error) {
	ref, err := tagged(c)
	if err != nil {
		return nil, err
	}
	var b broken
	b.Tags("tags", in.Tags, 1)
	if in.Tags == nil {
		b.Null("tags")
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	_, err = d.schedules.SetGroupTags(ctx, ref, func(tags map[string]string) { maps.Copy(tags, constraint.TagMap(in.Tags)) })
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
		b.Null("tagKeys")
	}
	b.TagKeys("tagKeys", keys)
	if err := b.Err(); err != nil {
		return nil, err
	}
	_, err = d.schedules.SetGroupTags(ctx, ref, func(tags map[string]string) {
		for _, k := range keys {
			delete(tags, k)
		}
	})
	return nil, refuse("Schedule group "+ref.Name, err)
}
