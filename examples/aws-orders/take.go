package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func put(ctx context.Context, s *shop) {
	var entries []types.PutEventsRequestEntry
	for _, detail := range []string{
		`{"id":"o-1","customer":"ada","total":250,"currency":"EUR"}`, `{"id":"o-2","customer":"bob","total":40,"currency":"EUR"}`,
		`{"id":"o-3","customer":"ada","total":120,"currency":"USD"}`, `{not JSON`,
	} {
		entries = append(entries, types.PutEventsRequestEntry{EventBusName: bus, Source: aws.String("shop.orders"), DetailType: aws.String("OrderPlaced"), Detail: &detail})
	}
	out := must(s.events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries}))
	var codes []string
	for _, e := range out.Entries {
		codes = append(codes, aws.ToString(e.ErrorCode))
	}
	check("three orders are put, what is no JSON is refused alone", fmt.Sprintf("%d %q", out.FailedEntryCount, codes), `1 ["" "" "" "MalformedDetail"]`)
}

func take(ctx context.Context, s *shop) {
	takeOrders(ctx, s)
	takeCalls(ctx, s)
	replay(ctx, s)
	remind(ctx, s)
	poison(ctx, s)
}

func takeOrders(ctx context.Context, s *shop) {
	texts := bodies(s.take(ctx, "big-orders", 2), func(e envelope, _ sqstypes.Message) string { return e.Text })
	check("the queue has both big orders, transformed", sorted(texts), []string{"order o-1 is worth 250", "order o-3 is worth 120"})
	fifo := bodies(s.take(ctx, "big-orders.fifo", 2), func(e envelope, m sqstypes.Message) string {
		return e.Detail.ID + " in " + m.Attributes["MessageGroupId"]
	})
	check("the FIFO queue has them in order, in their group", fifo, []string{"o-1 in orders", "o-3 in orders"})
	check("the topic's subscription has the one in EUR, raw", bodies(s.take(ctx, "big-orders-eur", 1), id), []string{"o-1"})
}

// called are the orders that an address was called for.
func called(got []call) (ids []string) {
	for _, c := range got {
		detail, _ := c.Body["detail"].(map[string]any)
		ids = append(ids, fmt.Sprint(detail["id"]))
	}
	return slices.Compact(sorted(ids))
}

func takeCalls(ctx context.Context, s *shop) {
	got := calls("/crm", func(got []call) bool { return len(called(got)) == 3 })
	check("the address that works was called for all orders", called(got), []string{"o-1", "o-2", "o-3"})
	check("with the connection's key", slices.ContainsFunc(got, func(c call) bool { return c.Key != key }), false)
	dead := s.take(ctx, "calls-that-failed", 3)
	check("what could not be called is in the dead-letter queue", sorted(bodies(dead, id)), []string{"o-1", "o-2", "o-3"})
	said := func(name string) string { return aws.ToString(dead[0].MessageAttributes[name].StringValue) }
	check("which names rule, target and error",
		said("RULE_ARN") == *s.arn("events", "rule/shop/all") && strings.HasPrefix(said("TARGET_ARN"), *s.arn("events", "api-destination/mail")) &&
			said("ERROR_CODE") != "" && said("ERROR_MESSAGE") != "", true)
}

func replay(ctx context.Context, s *shop) {
	name := fmt.Sprintf("again-%d", time.Now().UnixMilli())
	must(s.events.StartReplay(ctx, &eventbridge.StartReplayInput{
		ReplayName: &name, EventSourceArn: s.arn("events", "archive/shop-archive"),
		EventStartTime: aws.Time(time.Now().Add(-time.Hour)), EventEndTime: aws.Time(time.Now()),
		Destination: &types.ReplayDestination{Arn: s.arn("events", "event-bus/shop"), FilterArns: []string{*s.arn("events", "rule/shop/big")}},
	}))
	fifo := bodies(s.take(ctx, "big-orders.fifo", 2), func(e envelope, _ sqstypes.Message) string { return e.Detail.ID + " by " + e.ReplayName })
	check("a replay brings the big orders again, marked", fifo, []string{"o-1 by " + name, "o-3 by " + name})
	check("to every target of its rule", []int{len(s.take(ctx, "big-orders", 2)), len(s.take(ctx, "big-orders-eur", 1))}, []int{2, 1})
	var state types.ReplayState
	for until := time.Now().Add(patience()); state != types.ReplayStateCompleted && time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		state = must(s.events.DescribeReplay(ctx, &eventbridge.DescribeReplayInput{ReplayName: &name})).State
	}
	check("the replay is done", state, types.ReplayStateCompleted)
	got := calls("/crm", func([]call) bool { return true })
	check("and the other rule knows nothing of it", slices.ContainsFunc(got, func(c call) bool { return c.Body["replay-name"] != nil }), false)
}

func remind(ctx context.Context, s *shop) {
	name := aws.String("remind")
	must(s.schedules.CreateSchedule(ctx, &scheduler.CreateScheduleInput{
		Name: name, ScheduleExpression: aws.String(time.Now().UTC().Add(2 * time.Second).Format("at(2006-01-02T15:04:05)")),
		FlexibleTimeWindow:    &schedulertypes.FlexibleTimeWindow{Mode: schedulertypes.FlexibleTimeWindowModeOff},
		ActionAfterCompletion: schedulertypes.ActionAfterCompletionDelete,
		Target:                &schedulertypes.Target{Arn: s.arn("sqs", "reminders"), RoleArn: s.role(), Input: aws.String("pay order o-1")},
	}))
	got := s.take(ctx, "reminders", 1)
	check("a schedule runs once", len(got) == 1 && *got[0].Body == "pay order o-1", true)
	var err error
	for until := time.Now().Add(patience()); err == nil && time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		_, err = s.schedules.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: name})
	}
	refused("and deletes itself", "ResourceNotFoundException", err)
}

func poison(ctx context.Context, s *shop) {
	url := s.url(ctx, "poison")
	must(s.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("nobody can do this")}))
	seen := 0
	for until := time.Now().Add(patience()); seen < 2 && time.Now().Before(until); {
		for _, m := range must(s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 5})).Messages {
			must(s.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0}))
			seen++
		}
	}
	check("a poison message is received twice", seen, 2)
	third := must(s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, WaitTimeSeconds: 1}))
	check("and not a third time", len(third.Messages), 0)
	dead := ""
	for until := time.Now().Add(patience()); dead != "1" && time.Now().Before(until); {
		dead = must(s.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
			QueueUrl: s.url(ctx, "poison-dead"), AttributeNames: []sqstypes.QueueAttributeName{"All"},
		})).Attributes["ApproximateNumberOfMessages"]
	}
	check("it is in its dead-letter queue", dead, "1")
	must(s.sqs.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: s.arn("sqs", "poison-dead")}))
	got := s.take(ctx, "poison", 1)
	check("and a move task brings it back", len(got) == 1 && *got[0].Body == "nobody can do this", true)
}
