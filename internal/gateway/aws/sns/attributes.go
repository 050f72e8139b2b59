package sns

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"

	"ottla/internal/event/name"
	"ottla/internal/event/sns"
	"ottla/internal/event/sns/notice"
	"ottla/internal/gateway/aws/protocol"
)

type attributesOut struct {
	Attributes map[string]string `json:"Attributes" query:"Attributes.entry,key,value"`
}

func (d door) getTopicAttributes(ctx context.Context, _ *protocol.Call, in *topicIn) (*attributesOut, error) {
	ref, err := topicRef("TopicArn", in.TopicARN)
	if err != nil {
		return nil, err
	}
	t, err := d.topics.Get(ctx, ref)
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	subs, _, err := d.topics.Subscriptions(ctx, ref, true, "", 1<<30)
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	out := topicAttributes(&t)
	pending := 0
	for i := range subs {
		if subs[i].Pending {
			pending++
		}
	}
	out["SubscriptionsConfirmed"], out["SubscriptionsPending"], out["SubscriptionsDeleted"] = strconv.Itoa(len(subs)-pending), strconv.Itoa(pending), "0"
	return &attributesOut{out}, nil
}

// topicAttributes are what a topic was told, and what SNS tells of every topic.
func topicAttributes(t *sns.Topic) map[string]string {
	out := map[string]string{sns.DisplayName: "", sns.Policy: defaultPolicy(t.Ref)}
	if t.FIFO() {
		out[sns.ContentBasedDeduplication], out[sns.FifoThroughputScope] = "false", "Topic"
	}
	maps.Copy(out, t.Attributes)
	if !t.FIFO() {
		delete(out, sns.FifoTopic)
		delete(out, sns.ContentBasedDeduplication)
	}
	out["TopicArn"], out["Owner"] = t.ARN(), t.Account
	out["EffectiveDeliveryPolicy"] = notice.EffectiveTopicDelivery(t.Attributes[sns.DeliveryPolicy])
	return out
}

// defaultPolicy is the policy that SNS gives topics of which nothing was said: their
// owner may do everything.
func defaultPolicy(ref name.Ref) string {
	type statement struct {
		Effect, Sid string
		Principal   map[string]string
		Action      []string
		Resource    string
		Condition   map[string]map[string]string
	}
	b, err := json.Marshal(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []statement
	}{"2008-10-17", "__default_policy_ID", []statement{{
		Effect: "Allow", Sid: "__default_statement_ID", Principal: map[string]string{"AWS": "*"},
		Action: []string{
			"SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
			"SNS:ListSubscriptionsByTopic", "SNS:Publish",
		},
		Resource: ref.ARN(), Condition: map[string]map[string]string{"StringEquals": {"AWS:SourceOwner": ref.Account}},
	}}})
	if err != nil {
		return ""
	}
	return string(b)
}

type setTopicAttributesIn struct {
	TopicARN string `json:"TopicArn"`
	Name     string `json:"AttributeName"`
	Value    string `json:"AttributeValue"`
}

func (d door) setTopicAttributes(ctx context.Context, _ *protocol.Call, in *setTopicAttributesIn) (*protocol.Nothing, error) {
	ref, err := topicRef("TopicArn", in.TopicARN)
	if err != nil {
		return nil, err
	}
	if err := sns.KnownTopicAttribute(in.Name); err != nil { // else an empty value would be forgotten with its name
		return nil, refuse(theTopic, err)
	}
	_, err = d.topics.Update(ctx, ref, func(s *sns.TopicSpec) error {
		if s.Attributes == nil {
			s.Attributes = map[string]string{}
		}
		s.Attributes[in.Name] = in.Value
		return nil
	})
	return nil, refuse(theTopic, err)
}

type resourceIn struct {
	ResourceARN string `json:"ResourceArn"`
}

type dataProtection struct {
	Policy string `json:"DataProtectionPolicy"`
}

func (d door) getDataProtection(ctx context.Context, _ *protocol.Call, in *resourceIn) (*dataProtection, error) {
	ref, err := topicRef("ResourceArn", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	t, err := d.topics.Get(ctx, ref)
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	return &dataProtection{t.DataProtection}, nil
}

type putDataProtectionIn struct {
	ResourceARN string `json:"ResourceArn"`
	Policy      string `json:"DataProtectionPolicy"`
}

// mostDataProtection bounds a data protection policy, as SNS does.
const mostDataProtection = 30_720

func (d door) putDataProtection(ctx context.Context, _ *protocol.Call, in *putDataProtectionIn) (*protocol.Nothing, error) {
	ref, err := topicRef("ResourceArn", in.ResourceARN)
	if err != nil {
		return nil, err
	}
	if in.Policy != "" && !json.Valid([]byte(in.Policy)) || len(in.Policy) > mostDataProtection {
		return nil, badParameter("DataProtectionPolicy", "it is no JSON of at most %d bytes", mostDataProtection)
	}
	_, err = d.topics.Update(ctx, ref, func(s *sns.TopicSpec) error {
		s.DataProtection = in.Policy
		return nil
	})
	return nil, refuse(theTopic, err)
}
