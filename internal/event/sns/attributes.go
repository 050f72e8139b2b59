package sns

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/name"
	"ottla/internal/event/sns/notice"
)

// Attributes of topics that mean something here.
const (
	DisplayName               = "DisplayName"
	Policy                    = "Policy"
	DeliveryPolicy            = "DeliveryPolicy"
	FifoTopic                 = "FifoTopic"
	ContentBasedDeduplication = "ContentBasedDeduplication"
	FifoThroughputScope       = "FifoThroughputScope"
	MaximumMessageSize        = "MaximumMessageSize"
	SignatureVersion          = "SignatureVersion"
)

// Attributes of subscriptions; DeliveryPolicy too.
const (
	FilterPolicy       = "FilterPolicy"
	FilterPolicyScope  = "FilterPolicyScope"
	RawMessageDelivery = "RawMessageDelivery"
	RedrivePolicy      = "RedrivePolicy"
)

// topicAttributes tell what is wrong with a value of each.
var topicAttributes = map[string]func(value string) error{
	DisplayName: func(v string) error {
		if utf8.RuneCountInString(v) > 100 {
			return invalidf(DisplayName, "it has more than 100 characters")
		}
		return nil
	},
	Policy:         isJSON(Policy),
	DeliveryPolicy: func(v string) error { return badPolicy(DeliveryPolicy, notice.CheckDelivery(v, true)) },
	FifoTopic:      oneOf(FifoTopic, "true", "false"), ContentBasedDeduplication: oneOf(ContentBasedDeduplication, "true", "false"),
	FifoThroughputScope: oneOf(FifoThroughputScope, "Topic", "MessageGroup"), SignatureVersion: oneOf(SignatureVersion, "1", "2"),
	"TracingConfig": oneOf("TracingConfig", "PassThrough", "Active"), "KmsMasterKeyId": stored,
	MaximumMessageSize: func(v string) error {
		if n, err := strconv.Atoi(v); err != nil || n < MinMessageBytes || n > MaxMessageBytes {
			return invalidf(MaximumMessageSize, "it is %q; %d to %d bytes are possible", v, MinMessageBytes, MaxMessageBytes)
		}
		return nil
	},
	"ArchivePolicy": func(v string) error {
		if v == "" || v == "{}" {
			return nil
		}
		return invalidf("ArchivePolicy", "there are no archives of topics here: a topic keeps its messages as long as its topic of Kafka's does (retention.ms)")
	},
}

// topicAttribute finds what checks an attribute of topics; nil for what is none.
func topicAttribute(attribute string) func(string) error {
	if isFeedback(attribute) {
		return stored
	}
	return topicAttributes[attribute]
}

// KnownTopicAttribute tells what is wrong with the name of a topic's attribute.
func KnownTopicAttribute(attribute string) error {
	if topicAttribute(attribute) == nil {
		return invalidf("AttributeName", "there is no attribute %q", attribute)
	}
	return nil
}

// isFeedback tells attributes that say how deliveries are to be logged: they are
// told back, and mean nothing.
func isFeedback(attribute string) bool {
	for _, to := range []string{"HTTP", "Firehose", "Lambda", "Application", "SQS"} {
		if what, ok := strings.CutPrefix(attribute, to); ok {
			return slices.Contains([]string{"SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"}, what)
		}
	}
	return false
}

func subscriptionAttribute(attribute string) func(string) error {
	return subscriptionAttributes[attribute]
}

// fifoOnly are attributes that only FIFO topics have.
var fifoOnly = []string{ContentBasedDeduplication, FifoThroughputScope}

// subscriptionAttributes tell what is wrong with a value of each, by itself.
var subscriptionAttributes = map[string]func(value string) error{
	RawMessageDelivery: oneOf(RawMessageDelivery, "true", "false"),
	FilterPolicyScope:  oneOf(FilterPolicyScope, notice.ScopeAttributes, notice.ScopeBody),
	FilterPolicy:       stored, // with its scope
	DeliveryPolicy:     func(v string) error { return badPolicy(DeliveryPolicy, notice.CheckDelivery(v, false)) },
	RedrivePolicy:      func(v string) error { _, err := redriveTo(v); return err },
	"ReplayPolicy": func(string) error {
		return invalidf("ReplayPolicy", "messages are not replayed to subscriptions: any Kafka client can read the topic again")
	},
	"SubscriptionRoleArn": func(string) error {
		return invalidf("SubscriptionRoleArn", "it is of the protocol firehose, which is not here")
	},
}

func stored(string) error { return nil }

func oneOf(attribute string, values ...string) func(string) error {
	return func(v string) error {
		if !slices.Contains(values, v) {
			return invalidf(attribute, "%q is none of %s", v, strings.Join(values, ", "))
		}
		return nil
	}
}

func isJSON(attribute string) func(string) error {
	return func(v string) error {
		if v != "" && !json.Valid([]byte(v)) {
			return invalidf(attribute, "it is no JSON")
		}
		return nil
	}
}

// badPolicy says what is wrong with a policy.
func badPolicy(attribute string, err error) error {
	if err == nil {
		return nil
	}
	return invalidf(attribute, "%v", err)
}

// mostStored bounds the values of attributes together.
const mostStored = 512 << 10

// checkEach checks values by themselves; an empty one takes the attribute away.
func checkEach(known func(string) func(string) error, values map[string]string) error {
	size := 0
	for _, a := range slices.Sorted(maps.Keys(values)) {
		check, v := known(a), values[a]
		size += len(v)
		switch {
		case check == nil:
			return invalidf("AttributeName", "there is no attribute %q", a)
		case v == "" && a != "ReplayPolicy":
		default:
			if err := check(v); err != nil {
				return err
			}
		}
	}
	if size > mostStored {
		return invalidf("Attributes", "they have %d bytes together; %d are possible", size, mostStored)
	}
	return nil
}

// check tells what is wrong with a topic.
func (t *TopicSpec) check(ref name.Ref) error {
	if err := name.CheckPlace(ref.Account, ref.Region); err != nil {
		return invalidf("TopicArn", "%v", err)
	}
	if err := name.Check(name.SNS, ref.Name); err != nil {
		return invalidf("Name", "%v", err)
	}
	if err := checkEach(topicAttribute, t.Attributes); err != nil {
		return err
	}
	if t.FIFO() != strings.HasSuffix(ref.Name, name.FIFOSuffix) {
		return invalidf("Name", "the names of FIFO topics (FifoTopic=true) end with %s, and of no others", name.FIFOSuffix)
	}
	for _, a := range fifoOnly {
		if !t.FIFO() && t.Attributes[a] != "" && t.Attributes[a] != "false" {
			return invalidf(a, "it is of FIFO topics")
		}
	}
	return checkTags(t.Tags)
}

// Bounds of tags, in characters.
const (
	mostTags     = 50
	mostTagKey   = 128
	mostTagValue = 256
)

func checkTags(tags map[string]string) error {
	if len(tags) > mostTags {
		return invalidf("Tags", "a topic has %d tags at most, not %d", mostTags, len(tags))
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case k == "" || utf8.RuneCountInString(k) > mostTagKey:
			return invalidf("Tags", "the key %q has not 1 to %d characters", k, mostTagKey)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return invalidf("Tags", "the key %q begins with aws:", k)
		case utf8.RuneCountInString(tags[k]) > mostTagValue:
			return invalidf("Tags", "the value of %q has more than %d characters", k, mostTagValue)
		}
	}
	return nil
}

// redriveTo reads a redrive policy: the queue for what cannot be delivered.
func redriveTo(policy string) (name.Ref, error) {
	var p struct {
		Queue string `json:"deadLetterTargetArn"`
	}
	if policy == "" {
		return name.Ref{}, nil
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return name.Ref{}, invalidf(RedrivePolicy, "it is no JSON of the form {\"deadLetterTargetArn\": \"arn:aws:sqs:…\"}")
	}
	if p.Queue == "" {
		return name.Ref{}, nil
	}
	ref, err := name.ParseARN(p.Queue)
	if err != nil || ref.Kind != name.Queue {
		return name.Ref{}, invalidf(RedrivePolicy, "deadLetterTargetArn %q is no queue's ARN", p.Queue)
	}
	return ref, nil
}
