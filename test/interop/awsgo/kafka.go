package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/interop/crowd"
)

// kafkaBothWays sends with SQS and reads with Kafka, and the other way round: a
// queue is a topic of its name.
func kafkaBothWays(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "both", nil)
	if err != nil {
		return err
	}
	topic := w.prefix + "-both"
	_, err = w.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("from SQS"), MessageAttributes: map[string]types.MessageAttributeValue{
		"colour": {DataType: aws.String("String"), StringValue: aws.String("red")},
	}})
	if err != nil {
		return err
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(crowd.Addresses(w.kafka)...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer c.Close()
	records := c.PollRecords(ctx, 1).Records()
	if len(records) != 1 {
		return fmt.Errorf("Kafka sees %d records of the queue: %w", len(records), ctx.Err())
	}
	if err := errors.Join(want("the record", string(records[0].Value), "from SQS"), want("its header", header(records[0], "colour"), "red")); err != nil {
		return err
	}
	r := &kgo.Record{Topic: topic, Value: []byte("from Kafka"), Headers: []kgo.RecordHeader{{Key: "shape", Value: []byte("round")}}}
	if err := c.ProduceSync(ctx, r, &kgo.Record{Topic: topic, Value: []byte{0xff, 0}}).FirstErr(); err != nil {
		return err
	}
	got, err := w.take(ctx, url, 3)
	if err != nil {
		return err
	}
	seen := map[string]types.Message{}
	for _, m := range got {
		seen[*m.Body] = m
		if err := w.done(ctx, url, m); err != nil {
			return err
		}
	}
	kafkas, ok := seen["from Kafka"]
	if !ok {
		return fmt.Errorf("SQS sees %d messages, and none is what Kafka's producer wrote", len(seen))
	}
	bytes, ok := seen["/wA="]
	if !ok {
		return fmt.Errorf("SQS sees %d messages, and none is the bytes of Kafka's producer in base64", len(seen))
	}
	return errors.Join(
		want("the header as an attribute", *kafkas.MessageAttributes["shape"].StringValue, "round"),
		want("the encoding", *bytes.MessageAttributes["ottla.encoding"].StringValue, "base64"),
	)
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
