package sns

import (
	"context"

	"ottla/internal/gateway/aws/protocol"
)

type confirmIn struct {
	TopicARN     string `json:"TopicArn"`
	Token        string `json:"Token"`
	Authenticate string `json:"AuthenticateOnUnsubscribe"`
}

// confirmSubscription takes AuthenticateOnUnsubscribe of signed calls only: nobody
// else could end the subscription then.
func (d door) confirmSubscription(ctx context.Context, c *protocol.Call, in *confirmIn) (*subscriptionOut, error) {
	ref, err := topicRef("TopicArn", in.TopicARN)
	if err != nil {
		return nil, err
	}
	sub, err := d.topics.Confirm(ctx, ref, in.Token, in.Authenticate == "true" && c.Caller != "")
	if err != nil {
		return nil, refuse(theTopic, err)
	}
	return &subscriptionOut{sub.ARN()}, nil
}
