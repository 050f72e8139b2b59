package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func (w *world) make(ctx context.Context, name string, attributes map[string]string) (string, error) {
	got, err := w.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String(w.prefix + "-" + name), Attributes: attributes})
	if err != nil {
		return "", err
	}
	return *got.QueueUrl, nil
}

func (w *world) arn(ctx context.Context, url string) (string, error) {
	got, err := w.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		return "", err
	}
	return got.Attributes["QueueArn"], nil
}

// take receives so many messages, as they come.
func (w *world) take(ctx context.Context, url string, count int) ([]types.Message, error) {
	var out []types.Message
	for len(out) < count {
		got, err := w.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: int32(min(10, count-len(out))), WaitTimeSeconds: 5,
			MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return nil, fmt.Errorf("%d of %d messages came: %w", len(out), count, err)
		}
		out = append(out, got.Messages...)
	}
	return out, nil
}

func (w *world) done(ctx context.Context, url string, m types.Message) error {
	_, err := w.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

func queues(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "queues", map[string]string{"VisibilityTimeout": "45"})
	if err != nil {
		return err
	}
	got, err := w.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(w.prefix + "-queues")})
	if err != nil {
		return err
	}
	_, other := w.make(ctx, "queues", map[string]string{"VisibilityTimeout": "46"})
	_, none := w.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(w.prefix + "-none")})
	var typed *types.QueueDoesNotExist
	if !errors.As(none, &typed) {
		return fmt.Errorf("a queue that is not there: got %w, want a QueueDoesNotExist", none)
	}
	return errors.Join(
		want("the URL by name", *got.QueueUrl, url),
		refused("QueueAlreadyExists", other),
		refused("AWS.SimpleQueueService.NonExistentQueue", none),
	)
}

func messages(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "messages", nil)
	if err != nil {
		return err
	}
	const body = "Grüße & <tags>, 中文"
	raw := []byte{0, 1, 0xff}
	sent, err := w.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(body), MessageAttributes: map[string]types.MessageAttributeValue{
		"colour": {DataType: aws.String("String"), StringValue: aws.String("grün")},
		"raw":    {DataType: aws.String("Binary"), BinaryValue: raw},
	}})
	if err != nil {
		return err
	}
	got, err := w.take(ctx, url, 1)
	if err != nil {
		return err
	}
	m := got[0]
	if err := errors.Join(
		want("the body", *m.Body, body), want("the id", *m.MessageId, *sent.MessageId),
		want("an attribute", *m.MessageAttributes["colour"].StringValue, "grün"),
		want("bytes as they were", bytes.Equal(m.MessageAttributes["raw"].BinaryValue, raw), true),
	); err != nil {
		return err
	}
	if _, err := w.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0}); err != nil {
		return err
	}
	again, err := w.take(ctx, url, 1)
	if err != nil {
		return err
	}
	_, bad := w.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: aws.String("nonsense")})
	return errors.Join(
		want("the count", again[0].Attributes["ApproximateReceiveCount"], "2"),
		w.done(ctx, url, again[0]),
		refused("ReceiptHandleIsInvalid", bad),
	)
}

func batches(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "batches", nil)
	if err != nil {
		return err
	}
	var entries []types.SendMessageBatchRequestEntry
	for i := range 10 {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint("m", i)), MessageBody: aws.String(fmt.Sprint("body ", i))})
	}
	entries[9].DelaySeconds = 901
	sent, err := w.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil {
		return err
	}
	if len(sent.Successful) != 9 || len(sent.Failed) != 1 || *sent.Failed[0].Code != "InvalidParameterValue" {
		return fmt.Errorf("of nine good entries and a bad one %d were sent, and %v failed", len(sent.Successful), sent.Failed)
	}
	got, err := w.take(ctx, url, 9)
	if err != nil {
		return err
	}
	var done []types.DeleteMessageBatchRequestEntry
	for i, m := range got {
		done = append(done, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint("m", i)), ReceiptHandle: m.ReceiptHandle})
	}
	deleted, err := w.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: done})
	if err != nil {
		return err
	}
	return want("how many were deleted", len(deleted.Successful), 9)
}

func fifo(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "order.fifo", map[string]string{"FifoQueue": "true"})
	if err != nil {
		return err
	}
	for i := range 3 {
		for _, g := range []string{"a", "b"} {
			body := fmt.Sprint(g, i)
			if _, err := w.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageGroupId: aws.String(g), MessageDeduplicationId: &body}); err != nil {
				return err
			}
		}
	}
	got := map[string][]string{}
	for range 6 {
		m, err := w.take(ctx, url, 1)
		if err != nil {
			return err
		}
		g := m[0].Attributes["MessageGroupId"]
		got[g] = append(got[g], *m[0].Body)
		if err := w.done(ctx, url, m[0]); err != nil {
			return err
		}
	}
	for g, all := range map[string][]string{"a": {"a0", "a1", "a2"}, "b": {"b0", "b1", "b2"}} {
		if !slices.Equal(got[g], all) {
			return fmt.Errorf("group %s came as %v, want %v", g, got[g], all)
		}
	}
	return nil
}

func deadLetters(ctx context.Context, w *world) error {
	dead, err := w.make(ctx, "dead", nil)
	if err != nil {
		return err
	}
	deadARN, err := w.arn(ctx, dead)
	if err != nil {
		return err
	}
	url, err := w.make(ctx, "poisoned", map[string]string{"VisibilityTimeout": "0", "RedrivePolicy": `{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":1}`})
	if err != nil {
		return err
	}
	if _, err := w.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("poison")}); err != nil {
		return err
	}
	if _, err := w.take(ctx, url, 1); err != nil {
		return err
	}
	if none, err := w.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 1}); err != nil || len(none.Messages) > 0 {
		return fmt.Errorf("a message that was taken too often came again: %v, %w", none, err)
	}
	letters, err := w.take(ctx, dead, 1)
	if err != nil {
		return err
	}
	if _, err := w.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &dead, ReceiptHandle: letters[0].ReceiptHandle}); err != nil {
		return err
	}
	if _, err := w.sqs.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &deadARN}); err != nil {
		return err
	}
	back, err := w.take(ctx, url, 1)
	if err != nil {
		return err
	}
	return want("what is back", *back[0].Body, "poison")
}
