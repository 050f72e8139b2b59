package events

import (
	"context"
	"maps"

	"ottla/internal/event/bus"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

type tagsIn struct {
	ARN  string           `json:"ResourceARN"`
	Tags []constraint.Tag `json:"Tags"`
	Keys []string         `json:"TagKeys"`
}

type tagsOut struct {
	Tags []constraint.Tag `json:"Tags"`
}

// tagged is the bus or the rule that an ARN names: only these have tags.
func tagged(arn string) (name.Ref, error) {
	var b broken
	b.arn("resourceARN", arn)
	if err := b.Err(); err != nil {
		return name.Ref{}, err
	}
	ref, err := name.ParseARN(arn)
	if err != nil || ref.Kind != name.Bus && ref.Kind != name.Rule {
		return name.Ref{}, invalid("Parameter ResourceARN is not valid. Reason: %s is the ARN of no event bus and no rule.", arn)
	}
	return ref, nil
}

func (d door) listTags(ctx context.Context, _ *protocol.Call, in *tagsIn) (*tagsOut, error) {
	ref, err := tagged(in.ARN)
	if err != nil {
		return nil, err
	}
	if ref.Kind == name.Rule {
		r, err := d.rule(ctx, bus.RuleRefOf(ref))
		if err != nil {
			return nil, err
		}
		return &tagsOut{constraint.TagList(r.Tags)}, nil
	}
	b, err := d.buses.Get(ctx, bus.RefOf(ref))
	if err != nil {
		return nil, refuse("Event bus "+ref.Name, err)
	}
	return &tagsOut{constraint.TagList(b.Tags)}, nil
}

func (d door) tag(ctx context.Context, _ *protocol.Call, in *tagsIn) (*protocol.Nothing, error) {
	var b broken
	if in.Tags == nil {
		b.Null("tags")
	}
	b.Tags("tags", in.Tags, 0)
	return d.changeTags(ctx, in.ARN, &b, func(tags map[string]string) { maps.Copy(tags, constraint.TagMap(in.Tags)) })
}

func (d door) untag(ctx context.Context, _ *protocol.Call, in *tagsIn) (*protocol.Nothing, error) {
	var b broken
	if in.Keys == nil {
		b.Null("tagKeys")
	}
	b.TagKeys("tagKeys", in.Keys)
	return d.changeTags(ctx, in.ARN, &b, func(tags map[string]string) {
		for _, k := range in.Keys {
			delete(tags, k)
		}
	})
}

// changeTags changes the tags of a bus or a rule, unless something is broken.
func (d door) changeTags(ctx context.Context, arn string, b *broken, change func(map[string]string)) (*protocol.Nothing, error) {
	if err := b.Err(); err != nil {
		return nil, err
	}
	ref, err := tagged(arn)
	if err != nil {
		return nil, err
	}
	changed := func(tags map[string]string) map[string]string {
		if tags == nil {
			tags = map[string]string{}
		}
		change(tags)
		return tags
	}
	if ref.Kind == name.Bus {
		_, err := d.buses.Update(ctx, bus.RefOf(ref), func(s *bus.Spec) error { s.Tags = changed(s.Tags); return nil })
		return nil, refuse("Event bus "+ref.Name, err)
	}
	r, err := d.rule(ctx, bus.RuleRefOf(ref))
	if err != nil {
		return nil, err
	}
	_, err = d.buses.UpdateRule(ctx, r.RuleRef, func(s *bus.RuleSpec) error { s.Tags = changed(s.Tags); return nil })
	return nil, refuseRule(r.RuleRef, err)
}
