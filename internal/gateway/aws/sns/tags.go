package sns

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"ottla/internal/event/sns"
	"ottla/internal/gateway/aws/protocol"
)

// tagMap takes tags by their keys, each of which is there once.
func tagMap(tags []tag) (map[string]string, error) {
	out := map[string]string{}
	for _, t := range tags {
		if _, twice := out[t.Key]; twice {
			return nil, badParameter("Tags", "the key %q is there twice", t.Key)
		}
		out[t.Key] = t.Value
	}
	return out, nil
}

// noResource is what operations on tags answer where there is no topic.
func noResource(err error) error {
	if errors.Is(err, sns.ErrNotFound) {
		return fault("ResourceNotFound", http.StatusNotFound, "Resource does not exist")
	}
	return refuse(theTopic, err)
}

type tagsOut struct {
	Tags []tag `json:"Tags" query:"Tags.member"`
}

func (d door) listTags(ctx context.Context, _ *protocol.Call, in *resourceIn) (*tagsOut, error) {
	ref, err := topicRef("ResourceArn", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	t, err := d.topics.Get(ctx, ref)
	if err != nil {
		return nil, noResource(err)
	}
	out := &tagsOut{}
	for _, k := range slices.Sorted(maps.Keys(t.Tags)) {
		out.Tags = append(out.Tags, tag{k, t.Tags[k]})
	}
	return out, nil
}

type tagIn struct {
	ResourceARN string `json:"ResourceArn"`
	Tags        []tag  `json:"Tags" query:"Tags.member"`
}

// empty is an answer that has a place for content, and none.
type empty struct {
	None *string `json:"None,omitempty"`
}

func (d door) tagResource(ctx context.Context, _ *protocol.Call, in *tagIn) (*empty, error) {
	ref, err := topicRef("ResourceArn", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	_, err = d.topics.Update(ctx, ref, func(s *sns.TopicSpec) error {
		if s.Tags == nil {
			s.Tags = map[string]string{}
		}
		maps.Copy(s.Tags, tags)
		return nil
	})
	return &empty{}, noResource(err)
}

type untagIn struct {
	ResourceARN string   `json:"ResourceArn"`
	TagKeys     []string `json:"TagKeys" query:"TagKeys.member"`
}

func (d door) untagResource(ctx context.Context, _ *protocol.Call, in *untagIn) (*empty, error) {
	ref, err := topicRef("ResourceArn", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	_, err = d.topics.Update(ctx, ref, func(s *sns.TopicSpec) error {
		for _, k := range in.TagKeys {
			delete(s.Tags, k)
		}
		return nil
	})
	return &empty{}, noResource(err)
}
