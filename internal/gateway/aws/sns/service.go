package sns

import (
	"context"

	"ottla/internal/event/name"
	"ottla/internal/event/sns"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/protocol"
)

// Topics is what the door asks of topics; internal/event/sns has it.
type Topics interface {
	Create(ctx context.Context, ref name.Ref, spec sns.TopicSpec) (sns.Topic, error)
	Get(ctx context.Context, ref name.Ref) (sns.Topic, error)
	List(ctx context.Context, begin name.Ref, after string, most int) (topics []sns.Topic, next string, err error)
	Update(ctx context.Context, ref name.Ref, change func(*sns.TopicSpec) error) (sns.Topic, error)
	Delete(ctx context.Context, ref name.Ref) error

	Subscribe(ctx context.Context, topic name.Ref, spec sns.SubscriptionSpec) (sns.Subscription, error)
	Subscription(ctx context.Context, ref name.Ref) (sns.Subscription, error)
	Subscriptions(ctx context.Context, of name.Ref, topic bool, after string, most int) (subs []sns.Subscription, next string, err error)
	Change(ctx context.Context, ref name.Ref, values map[string]string) (sns.Subscription, error)
	Confirm(ctx context.Context, topic name.Ref, token string, authenticate bool) (sns.Subscription, error)
	Unsubscribe(ctx context.Context, ref name.Ref, authenticated bool) error

	Publish(ctx context.Context, topic name.Ref, messages []sns.Message) ([]sns.Published, error)
	Certificate(ctx context.Context, file string) ([]byte, error)
}

// door answers SNS's calls from topics.
type door struct{ topics Topics }

// Service is SNS on topics.
func Service(topics Topics) *aws.Service {
	d := door{topics}
	return &aws.Service{
		Name: "sns", Versions: []string{"2010-03-31"}, XMLNamespace: "http://sns.amazonaws.com/doc/2010-03-31/", Ops: d.ops(), Refused: refused(),
	}
}

// ops is the table of operations, in the order of the documentation.
func (d door) ops() []protocol.Op {
	return []protocol.Op{
		protocol.Handle("CreateTopic", "ArchivePolicy is refused; KmsMasterKeyId, Policy and what says how deliveries are logged are stored and mean nothing", d.createTopic),
		protocol.Handle("DeleteTopic", "at once", d.deleteTopic),
		protocol.Handle("ListTopics", "", d.listTopics),
		protocol.Handle("GetTopicAttributes", "", d.getTopicAttributes),
		protocol.Handle("SetTopicAttributes", "as CreateTopic; at once", d.setTopicAttributes),
		protocol.Handle("Subscribe", "the protocols are sqs, http, https, lambda (a function that the server's file names) and kafka (arn:aws:kafka:…:topic/ottla/NAME); ReplayPolicy is refused", d.subscribe),
		protocol.Handle("ConfirmSubscription", "", d.confirmSubscription),
		protocol.Handle("Unsubscribe", "at once; no UnsubscribeConfirmation is sent", d.unsubscribe),
		protocol.Handle("ListSubscriptions", "", d.listSubscriptions),
		protocol.Handle("ListSubscriptionsByTopic", "", d.listSubscriptionsByTopic),
		protocol.Handle("GetSubscriptionAttributes", "", d.getSubscriptionAttributes),
		protocol.Handle("SetSubscriptionAttributes", "a filter policy holds at once", d.setSubscriptionAttributes),
		protocol.Handle("Publish", "answered when durable; TargetArn is a topic", d.publish),
		protocol.Handle("PublishBatch", "answered when durable", d.publishBatch),
		protocol.Handle("ListTagsForResource", "", d.listTags),
		protocol.Handle("TagResource", "", d.tagResource),
		protocol.Handle("UntagResource", "", d.untagResource),
		protocol.Handle("GetDataProtectionPolicy", "", d.getDataProtection),
		protocol.Handle("PutDataProtectionPolicy", "stored, and means nothing", d.putDataProtection),
	}
}

// refused are operations that there is no answer for.
func refused() map[string]string {
	const noPolicies = "policies are stored and told back (the attribute Policy) and mean nothing, since there are no users yet"
	out := map[string]string{"AddPermission": noPolicies, "RemovePermission": noPolicies}
	for _, op := range []string{
		"CheckIfPhoneNumberIsOptedOut", "CreateSMSSandboxPhoneNumber", "DeleteSMSSandboxPhoneNumber", "GetSMSAttributes", "GetSMSSandboxAccountStatus",
		"ListOriginationNumbers", "ListPhoneNumbersOptedOut", "ListSMSSandboxPhoneNumbers", "OptInPhoneNumber", "SetSMSAttributes", "VerifySMSSandboxPhoneNumber",
	} {
		out[op] = "Ottla sends no text messages"
	}
	for _, op := range []string{
		"CreatePlatformApplication", "CreatePlatformEndpoint", "DeleteEndpoint", "DeletePlatformApplication", "GetEndpointAttributes",
		"GetPlatformApplicationAttributes", "ListEndpointsByPlatformApplication", "ListPlatformApplications", "SetEndpointAttributes", "SetPlatformApplicationAttributes",
	} {
		out[op] = "Ottla sends nothing to mobile devices"
	}
	return out
}
