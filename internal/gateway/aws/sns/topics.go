package sns

import (
	"context"
	"errors"

	"ottla/internal/event/name"
	"ottla/internal/event/sns"
	"ottla/internal/gateway/aws/protocol"
)

type tag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

type createTopicIn struct {
	Name           string            `json:"Name"`
	Attributes     map[string]string `json:"Attributes" query:"Attributes.entry,key,value"`
	Tags           []tag             `json:"Tags" query:"Tags.member"`
	DataProtection string            `json:"DataProtectionPolicy"`
}

type topicOut struct {
	TopicARN string `json:"TopicArn"`
}

func (d door) createTopic(ctx context.Context, c *protocol.Call, in *createTopicIn) (*topicOut, error) {
	if in.Name == "" {
		return nil, badParameter("Name", "it is missing")
	}
	ref := name.Ref{Kind: name.SNS, Account: c.Account, Region: c.Region, Name: in.Name}
	tags, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	t, err := d.topics.Create(ctx, ref, sns.TopicSpec{Attributes: in.Attributes, Tags: tags, DataProtection: in.DataProtection})
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	return &topicOut{t.ARN()}, nil
}

type topicIn struct {
	TopicARN string `json:"TopicArn"`
}

// deleteTopic answers alike when there is none, as SNS does.
func (d door) deleteTopic(ctx context.Context, _ *protocol.Call, in *topicIn) (*protocol.Nothing, error) {
	ref, err := topicRef("TopicArn", in.TopicARN)
	if err != nil {
		return nil, err
	}
	if err := d.topics.Delete(ctx, ref); err != nil && !errors.Is(err, sns.ErrNotFound) {
		return nil, refuse(theTopic, err)
	}
	return nil, nil
}

type listIn struct {
	NextToken string `json:"NextToken"`
}

type listTopicsOut struct {
	Topics    []topicOut `json:"Topics" query:"Topics.member"`
	NextToken string     `json:"NextToken,omitempty"`
}

func (d door) listTopics(ctx context.Context, c *protocol.Call, in *listIn) (*listTopicsOut, error) {
	from, bad := after(in.NextToken)
	if bad != nil {
		return nil, bad
	}
	all, next, err := d.topics.List(ctx, name.Ref{Kind: name.SNS, Account: c.Account, Region: c.Region}, from, page)
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	out := &listTopicsOut{NextToken: token(next)}
	for i := range all {
		out.Topics = append(out.Topics, topicOut{all[i].ARN()})
	}
	return out, nil
}
