package sns

import (
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
)

// topicRef is the topic of an ARN, which is a parameter's.
func topicRef(parameter, arn string) (name.Ref, error) {
	ref, err := name.ParseARN(arn)
	if err != nil || ref.Kind != name.SNS {
		return name.Ref{}, badParameter(parameter, "%q is no topic's ARN: want arn:aws:sns:REGION:ACCOUNT:NAME", arn)
	}
	return ref, nil
}

// subscriptionRef is the subscription of an ARN.
func subscriptionRef(arn string) (name.Ref, error) {
	ref, err := name.ParseARN(arn)
	if err != nil || ref.Kind != name.Subscription {
		return name.Ref{}, badParameter("SubscriptionArn", "%q is no subscription's ARN: want arn:aws:sns:REGION:ACCOUNT:TOPIC:ID", arn)
	}
	return ref, nil
}

// page is how many entries one answer of a list has.
const page = 100

// token is where a list goes on, for the caller; "" at its end.
func token(next string) string { return protocol.Token(next) }

// after is the inverse of token.
func after(token string) (string, *protocol.Error) {
	behind, ok := protocol.Behind(token)
	if !ok {
		return "", badParameter("NextToken", "it is none that a list gave")
	}
	return behind, nil
}
