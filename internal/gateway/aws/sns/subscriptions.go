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

type subscribeIn struct {
	TopicARN   string            `json:"TopicArn"`
	Protocol   string            `json:"Protocol"`
	Endpoint   string            `json:"Endpoint"`
	Attributes map[string]string `json:"Attributes" query:"Attributes.entry,key,value"`
	ReturnARN  bool              `json:"ReturnSubscriptionArn"`
}

type subscriptionOut struct {
	SubscriptionARN string `json:"SubscriptionArn"`
}

// What stands for the ARN of a subscription that waits to be confirmed.
const (
	pendingSubscribed = "pending confirmation"
	pendingListed     = "PendingConfirmation"
)

func (d door) subscribe(ctx context.Context, c *protocol.Call, in *subscribeIn) (*subscriptionOut, error) {
	ref, err := topicRef("TopicArn", in.TopicARN)
	if err != nil {
		return nil, err
	}
	sub, err := d.topics.Subscribe(ctx, ref, sns.SubscriptionSpec{Protocol: in.Protocol, Endpoint: in.Endpoint, Attributes: in.Attributes, Base: c.Base})
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	if sub.Pending && !in.ReturnARN {
		return &subscriptionOut{pendingSubscribed}, nil
	}
	return &subscriptionOut{sub.ARN()}, nil
}

type subscriptionIn struct {
	SubscriptionARN string `json:"SubscriptionArn"`
}

func (d door) unsubscribe(ctx context.Context, c *protocol.Call, in *subscriptionIn) (*protocol.Nothing, error) {
	ref, err := subscriptionRef(in.SubscriptionARN)
	if err != nil {
		return nil, err
	}
	return nil, refuse(theSubscription, d.topics.Unsubscribe(ctx, ref, c.Caller != ""))
}

// listed is a subscription in a list.
type listed struct {
	SubscriptionARN string `json:"SubscriptionArn"`
	Owner           string `json:"Owner"`
	Protocol        string `json:"Protocol"`
	Endpoint        string `json:"Endpoint"`
	TopicARN        string `json:"TopicArn"`
}

type listSubscriptionsOut struct {
	Subscriptions []listed `json:"Subscriptions" query:"Subscriptions.member"`
	NextToken     string   `json:"NextToken,omitempty"`
}

func (d door) listSubscriptions(ctx context.Context, c *protocol.Call, in *listIn) (*listSubscriptionsOut, error) {
	return d.list(ctx, name.Ref{Kind: name.SNS, Account: c.Account, Region: c.Region}, false, in.NextToken)
}

type listByTopicIn struct {
	TopicARN  string `json:"TopicArn"`
	NextToken string `json:"NextToken"`
}

func (d door) listSubscriptionsByTopic(ctx context.Context, _ *protocol.Call, in *listByTopicIn) (*listSubscriptionsOut, error) {
	ref, err := topicRef("TopicArn", in.TopicARN)
	if err != nil {
		return nil, err
	}
	return d.list(ctx, ref, true, in.NextToken)
}

func (d door) list(ctx context.Context, of name.Ref, topic bool, next string) (*listSubscriptionsOut, error) {
	from, bad := after(next)
	if bad != nil {
		return nil, bad
	}
	all, next, err := d.topics.Subscriptions(ctx, of, topic, from, page)
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	out := &listSubscriptionsOut{NextToken: token(next)}
	for i := range all {
		s := &all[i]
		one := listed{s.ARN(), s.Account, s.Protocol, s.Endpoint, s.TopicRef().ARN()}
		if s.Pending {
			one.SubscriptionARN = pendingListed
		}
		out.Subscriptions = append(out.Subscriptions, one)
	}
	return out, nil
}

func (d door) getSubscriptionAttributes(ctx context.Context, _ *protocol.Call, in *subscriptionIn) (*attributesOut, error) {
	ref, err := subscriptionRef(in.SubscriptionARN)
	if err != nil {
		return nil, err
	}
	s, err := d.topics.Subscription(ctx, ref)
	if err != nil {
		return nil, refuse(theSubscription, err)
	}
	out := map[string]string{
		sns.RawMessageDelivery: "false", "SubscriptionArn": s.ARN(), "TopicArn": s.TopicRef().ARN(), "Owner": s.Account, "Protocol": s.Protocol, "Endpoint": s.Endpoint,
		"PendingConfirmation": strconv.FormatBool(s.Pending), "ConfirmationWasAuthenticated": strconv.FormatBool(s.Authenticated || !s.Pending && s.Token == ""),
		"SubscriptionPrincipal": "arn:aws:iam::" + s.Account + ":root",
	}
	maps.Copy(out, s.Attributes)
	if out[sns.FilterPolicy] != "" {
		out[sns.FilterPolicyScope] = s.Scope()
	}
	if s.Protocol == notice.HTTP || s.Protocol == notice.HTTPS {
		t, err := d.topics.Get(ctx, s.TopicRef())
		if err != nil {
			return nil, refuse(theTopic, err)
		}
		if e, err := notice.EffectiveDelivery(t.Attributes[sns.DeliveryPolicy], s.Attributes[sns.DeliveryPolicy]); err == nil {
			if b, err := json.Marshal(e); err == nil {
				out["EffectiveDeliveryPolicy"] = string(b)
			}
		}
	}
	return &attributesOut{out}, nil
}

type setSubscriptionAttributesIn struct {
	SubscriptionARN string `json:"SubscriptionArn"`
	Name            string `json:"AttributeName"`
	Value           string `json:"AttributeValue"`
}

func (d door) setSubscriptionAttributes(ctx context.Context, _ *protocol.Call, in *setSubscriptionAttributesIn) (*protocol.Nothing, error) {
	ref, err := subscriptionRef(in.SubscriptionARN)
	if err != nil {
		return nil, err
	}
	_, err = d.topics.Change(ctx, ref, map[string]string{in.Name: in.Value})
	return nil, refuse(theSubscription, err)
}
