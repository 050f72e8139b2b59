package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// topics are what SNS is asked for, with a queue as a subscriber.
func topics(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "sns", nil)
	if err != nil {
		return err
	}
	arn, err := w.arn(ctx, url)
	if err != nil {
		return err
	}
	c := sns.NewFromConfig(w.config)
	made, err := c.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(w.prefix + "-sns"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}}})
	if err != nil {
		return err
	}
	topic := made.TopicArn
	sub, err := c.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: map[string]string{"FilterPolicy": `{"shop":["north"]}`},
	})
	if err != nil {
		return err
	}
	shop := func(at string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"shop": {DataType: aws.String("String"), StringValue: &at}}
	}
	sent, err := c.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String("not this"), MessageAttributes: shop("south")},
		{Id: aws.String("b"), Message: aws.String("hello"), MessageAttributes: shop("north")},
		{Id: aws.String("c"), Message: aws.String("x"), MessageDeduplicationId: aws.String("d")},
	}})
	if err != nil {
		return err
	}
	got, err := w.take(ctx, url, 1)
	if err != nil {
		return err
	}
	var n struct{ Type, Message, MessageID, TopicARN string }
	if err := json.Unmarshal([]byte(*got[0].Body), &n); err != nil {
		return err
	}
	listed, err := c.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: topic})
	if err != nil {
		return err
	}
	if len(listed.Subscriptions) != 1 || len(sent.Successful) != 2 || len(sent.Failed) != 1 {
		return errors.New("there are other subscriptions, or other messages were sent, than asked for")
	}
	tags, err := c.ListTagsForResource(ctx, &sns.ListTagsForResourceInput{ResourceArn: topic})
	if err != nil {
		return err
	}
	if _, err := c.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic}); err != nil {
		return err
	}
	_, gone := c.Publish(ctx, &sns.PublishInput{TopicArn: topic, Message: aws.String("x")})
	return errors.Join(
		want("the notification", n.Type+" "+n.Message+" "+n.TopicARN, "Notification hello "+*topic),
		want("its id", n.MessageID, *sent.Successful[1].MessageId),
		want("what failed", *sent.Failed[0].Code, "InvalidParameter"),
		want("the subscription", *listed.Subscriptions[0].SubscriptionArn, *sub.SubscriptionArn),
		want("the tags", len(tags.Tags), 1),
		w.done(ctx, url, got[0]),
		refused("NotFound", gone),
	)
}
