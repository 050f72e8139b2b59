package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// buses are what EventBridge is asked for, with a queue as a rule's target.
func buses(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "events", nil)
	if err != nil {
		return err
	}
	arn, err := w.arn(ctx, url)
	if err != nil {
		return err
	}
	c := eventbridge.NewFromConfig(w.config)
	bus, rule := aws.String(w.prefix+"-bus"), aws.String("big")
	if _, err := c.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: bus}); err != nil {
		return err
	}
	pattern := aws.String(`{"detail":{"total":[{"numeric":[">=",100]}]}}`)
	if _, err := c.PutRule(ctx, &eventbridge.PutRuleInput{Name: rule, EventBusName: bus, EventPattern: pattern}); err != nil {
		return err
	}
	put, err := c.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: rule, EventBusName: bus, Targets: []types.Target{{Id: aws.String("1"), Arn: &arn, InputPath: aws.String("$.detail")}}})
	if err != nil {
		return err
	}
	var entries []types.PutEventsRequestEntry
	for _, detail := range []string{`{"total":1}`, `{"total":100}`, `{no`} {
		entries = append(entries, types.PutEventsRequestEntry{EventBusName: bus, Source: aws.String("shop"), DetailType: aws.String("Placed"), Detail: &detail})
	}
	done, err := c.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
	if err != nil {
		return err
	}
	got, err := w.take(ctx, url, 1)
	if err != nil {
		return err
	}
	described, err := c.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: rule, EventBusName: bus})
	if err != nil {
		return err
	}
	_, bad := c.PutRule(ctx, &eventbridge.PutRuleInput{Name: rule, EventBusName: bus, EventPattern: aws.String(`{"source":"x"}`)})
	_, gone := c.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("none"), EventBusName: bus})
	return errors.Join(
		want("targets that failed", put.FailedEntryCount, 0),
		want("entries that failed", done.FailedEntryCount, 1),
		want("the error", aws.ToString(done.Entries[2].ErrorCode), "MalformedDetail"),
		want("the event", *got[0].Body, `{"total":100}`),
		want("the pattern", *described.EventPattern, *pattern),
		w.done(ctx, url, got[0]),
		refused("InvalidEventPatternException", bad),
		refused("ResourceNotFoundException", gone),
	)
}
