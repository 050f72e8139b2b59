package sns

import (
	"encoding/json"
	"net/url"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/sns/notice"
)

// elsewhere are protocols of SNS that are not here, and why.
var elsewhere = map[string]string{
	"email": "Ottla sends no mail", "email-json": "Ottla sends no mail", "sms": "Ottla sends no text messages",
	"application": "Ottla sends nothing to mobile devices", "firehose": "there is no Firehose here; subscribe a topic of Kafka's (protocol kafka)",
}

// checkEndpoint tells what is wrong with who is to be subscribed.
func (s *Service) checkEndpoint(t *Topic, spec *SubscriptionSpec) error {
	if why := elsewhere[spec.Protocol]; why != "" {
		return invalidf("Protocol", "%s is not served: %s", spec.Protocol, why)
	}
	if len(spec.Endpoint) > 2048 {
		return invalidf("Endpoint", "it has %d characters; 2048 are possible", len(spec.Endpoint))
	}
	switch spec.Protocol {
	case notice.SQS:
		return checkQueue(t, spec.Endpoint)
	case notice.Kafka:
		return s.checkTopic(t, spec.Endpoint)
	case notice.Lambda:
		return s.checkFunction(t, spec.Endpoint)
	case notice.HTTP, notice.HTTPS:
		return s.checkURL(t, spec.Protocol, spec.Endpoint)
	case "":
		return invalidf("Protocol", "it is missing: %s are possible", strings.Join(notice.Protocols, ", "))
	}
	return invalidf("Protocol", "there is no protocol %q: %s are possible", spec.Protocol, strings.Join(notice.Protocols, ", "))
}

func checkQueue(t *Topic, arn string) error {
	ref, err := name.ParseARN(arn)
	switch {
	case err != nil || ref.Kind != name.Queue:
		return invalidf("Endpoint", "SQS endpoint ARN: %q is no queue's", arn)
	case !t.FIFO() && strings.HasSuffix(ref.Name, name.FIFOSuffix):
		return invalidf("Endpoint", "FIFO queues cannot be subscribed to standard topics: %s", arn)
	}
	return nil
}

func (s *Service) checkTopic(t *Topic, arn string) error {
	ref, err := name.ParseARN(arn)
	switch {
	case err != nil || ref.Kind != name.Topic:
		return invalidf("Endpoint", "%q is no topic of Kafka's: want arn:aws:kafka:REGION:ACCOUNT:topic/ottla/NAME", arn)
	case ref.Name == t.Topic:
		return invalidf("Endpoint", "the topic %s is that of the SNS topic itself: its messages would never end", ref.Name)
	case strings.HasPrefix(ref.Name, "__"):
		return invalidf("Endpoint", "the topic %s is internal", ref.Name)
	case !s.o.Exists(ref.Name):
		return invalidf("Endpoint", "there is no topic %s; make it first", ref.Name)
	}
	return nil
}

func (s *Service) checkFunction(t *Topic, arn string) error {
	ref, err := name.ParseARN(arn)
	switch {
	case s.o.Calls == nil:
		return invalidf("Protocol", "lambda is not served by this node")
	case err != nil || ref.Kind != name.Function:
		return invalidf("Endpoint", "%q is no function: want arn:aws:lambda:REGION:ACCOUNT:function:NAME", arn)
	case t.FIFO():
		return invalidf("Endpoint", "functions cannot be subscribed to FIFO topics")
	}
	return nil
}

func (s *Service) checkURL(t *Topic, protocol, address string) error {
	u, err := url.Parse(address)
	switch {
	case s.o.Calls == nil:
		return invalidf("Protocol", "%s is not served by this node", protocol)
	case err != nil || u.Scheme != protocol || u.Host == "":
		return invalidf("Endpoint", "%q is no address that begins with %s://", address, protocol)
	case u.Fragment != "":
		return invalidf("Endpoint", "%q has a fragment (#), which no server gets", address)
	case t.FIFO():
		return invalidf("Endpoint", "addresses cannot be subscribed to FIFO topics")
	}
	return nil
}

// check tells what is wrong with a subscription's attributes together.
func (s *SubscriptionSpec) check(t *Topic) error {
	if err := checkEach(subscriptionAttribute, s.Attributes); err != nil {
		return err
	}
	if s.Attributes[DeliveryPolicy] != "" && !called(s.Protocol) {
		return invalidf(DeliveryPolicy, "delivery policies are of http and https")
	}
	if s.Raw() && s.Protocol == notice.Lambda {
		return invalidf(RawMessageDelivery, "functions get no raw messages")
	}
	if p := s.Attributes[FilterPolicy]; p != "" {
		if _, err := notice.ParseFilter(s.Scope(), p); err != nil {
			return invalidf(FilterPolicy, "%v", err)
		}
	}
	return s.checkRedrive(t)
}

// checkRedrive checks the queue for what cannot be delivered.
func (s *SubscriptionSpec) checkRedrive(t *Topic) error {
	dead, err := redriveTo(s.Attributes[RedrivePolicy])
	switch {
	case err != nil || dead == (name.Ref{}):
		return err
	case dead.Account != t.Account || dead.Region != t.Region:
		return invalidf(RedrivePolicy, "the dead-letter queue %s is of another account or region", dead.ARN())
	case t.FIFO() != strings.HasSuffix(dead.Name, name.FIFOSuffix):
		return invalidf(RedrivePolicy, "the dead-letter queue of a FIFO topic's subscription is a FIFO queue, that of another is none: %s", dead.ARN())
	}
	return nil
}

// isEmptyObject tells {}.
func isEmptyObject(text string) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &o) == nil && o != nil && len(o) == 0
}
