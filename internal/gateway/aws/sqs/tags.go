package sqs

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/aws/protocol"
)

// Limits of tags, in characters.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return badParameter("Too many tags: a queue has at most %d.", maxTags)
	}
	for _, k := range sorted(tags) {
		switch {
		case k == "" || utf8.RuneCountInString(k) > maxTagKey:
			return badParameter("The tag key %q is invalid: it has 1 to %d characters.", k, maxTagKey)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return badParameter("The tag key %q is invalid: it cannot start with aws:.", k)
		case utf8.RuneCountInString(tags[k]) > maxTagValue:
			return badParameter("The value of tag %q has more than %d characters.", k, maxTagValue)
		}
	}
	return nil
}

type tagsOut struct {
	Tags map[string]string `json:"Tags,omitempty" query:"Tag,Key,Value"`
}

func (d door) listQueueTags(ctx context.Context, c *protocol.Call, in *queueIn) (*tagsOut, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	q, err := d.queues.Get(ctx, ref)
	if err != nil {
		return nil, refuse(err)
	}
	return &tagsOut{q.Tags}, nil
}

type tagIn struct {
	QueueURL string            `json:"QueueUrl"`
	Tags     map[string]string `json:"Tags" query:"Tag|Tags,Key,Value"`
}

func (d door) tagQueue(ctx context.Context, c *protocol.Call, in *tagIn) (*protocol.Nothing, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, missing("Tags")
	}
	_, err = d.queues.Update(ctx, ref, func(s *queue.Spec) error {
		tags := maps.Clone(s.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		maps.Copy(tags, in.Tags)
		s.Tags = tags
		return checkTags(tags)
	})
	return nil, refuse(err)
}

type untagIn struct {
	QueueURL string   `json:"QueueUrl"`
	TagKeys  []string `json:"TagKeys" query:"TagKey|TagKeys"`
}

func (d door) untagQueue(ctx context.Context, c *protocol.Call, in *untagIn) (*protocol.Nothing, error) {
	ref, err := refOf(c, in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, missing("TagKeys")
	}
	_, err = d.queues.Update(ctx, ref, func(s *queue.Spec) error {
		tags := maps.Clone(s.Tags)
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
		s.Tags = tags
		return nil
	})
	return nil, refuse(err)
}
