package main

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

var (
	bus     = aws.String("shop")
	archive = aws.String("shop-archive")
)

func clean(ctx context.Context, s *shop) {
	for _, rule := range []string{"big", "all"} {
		gone(s.events.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: &rule, EventBusName: bus, Ids: []string{"queue", "fifo", "topic", "crm", "mail"}}))
		gone(s.events.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: &rule, EventBusName: bus}))
	}
	gone(s.events.DeleteArchive(ctx, &eventbridge.DeleteArchiveInput{ArchiveName: archive}))
	for _, name := range []string{"crm", "mail"} {
		gone(s.events.DeleteApiDestination(ctx, &eventbridge.DeleteApiDestinationInput{Name: &name}))
	}
	gone(s.events.DeleteConnection(ctx, &eventbridge.DeleteConnectionInput{Name: aws.String("shop-key")}))
	gone(s.events.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: bus}))
	gone(s.schedules.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: aws.String("remind")}))
	gone(s.sns.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: s.arn("sns", "big-orders")}))
	for _, q := range queues {
		out, err := s.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &q})
		if gone(out, err); err == nil {
			gone(s.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl}))
		}
	}
	check("nothing is left of an earlier run", true, true)
}

func makeQueues(ctx context.Context, s *shop) {
	for _, q := range queues {
		in := &sqs.CreateQueueInput{QueueName: &q}
		switch {
		case strings.HasSuffix(q, ".fifo"):
			in.Attributes = map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}
		case q == "poison":
			in.Attributes = map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + *s.arn("sqs", "poison-dead") + `","maxReceiveCount":2}`}
		}
		must(s.sqs.CreateQueue(ctx, in))
	}
	topic := must(s.sns.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("big-orders")}))
	must(s.sns.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: s.arn("sqs", "big-orders-eur"),
		Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": `{"detail":{"currency":["EUR"]}}`},
	}))
	check("queues, a topic and its subscription", true, true)
}

func makeBus(ctx context.Context, s *shop) {
	made := must(s.events.CreateEventBus(ctx, &eventbridge.CreateEventBusInput{Name: bus}))
	must(s.events.CreateArchive(ctx, &eventbridge.CreateArchiveInput{ArchiveName: archive, EventSourceArn: made.EventBusArn, RetentionDays: aws.Int32(7)}))
	must(s.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("big"), EventBusName: bus, EventPattern: aws.String(big)}))
	out := must(s.events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("big"), EventBusName: bus, Targets: []types.Target{
		{Id: aws.String("queue"), Arn: s.arn("sqs", "big-orders"), InputTransformer: &types.InputTransformer{
			InputPathsMap: map[string]string{"id": "$.detail.id", "total": "$.detail.total"},
			InputTemplate: aws.String(`{"text": "order <id> is worth <total>", "total": <total>}`),
		}},
		{Id: aws.String("fifo"), Arn: s.arn("sqs", "big-orders.fifo"), SqsParameters: &types.SqsParameters{MessageGroupId: aws.String("orders")}},
		{Id: aws.String("topic"), Arn: s.arn("sns", "big-orders")},
	}}))
	check("a rule on source, detail-type and total, with three targets", out.FailedEntryCount, int32(0))
}

func makeCalls(ctx context.Context, s *shop) {
	connection := must(s.events.CreateConnection(ctx, &eventbridge.CreateConnectionInput{
		Name: aws.String("shop-key"), AuthorizationType: types.ConnectionAuthorizationTypeApiKey,
		AuthParameters: &types.CreateConnectionAuthRequestParameters{
			ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("X-Api-Key"), ApiKeyValue: aws.String(key)},
		},
	}))
	var targets []types.Target
	for name, path := range map[string]string{"crm": "/crm", "mail": "/down"} {
		destination := must(s.events.CreateApiDestination(ctx, &eventbridge.CreateApiDestinationInput{
			Name: &name, ConnectionArn: connection.ConnectionArn, HttpMethod: types.ApiDestinationHttpMethodPost,
			InvocationEndpoint: aws.String("http://" + where() + path), InvocationRateLimitPerSecond: aws.Int32(50),
		}))
		targets = append(targets, types.Target{
			Id: &name, Arn: destination.ApiDestinationArn, RoleArn: s.role(),
			RetryPolicy:      &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(1), MaximumEventAgeInSeconds: aws.Int32(3600)},
			DeadLetterConfig: &types.DeadLetterConfig{Arn: s.arn("sqs", "calls-that-failed")},
		})
	}
	must(s.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("all"), EventBusName: bus, EventPattern: aws.String(`{"source":[{"prefix":"shop."}]}`)}))
	out := must(s.events.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("all"), EventBusName: bus, Targets: targets}))
	check("a rule on a prefix of sources, with two addresses to call", out.FailedEntryCount, int32(0))
}

// example is an event to try a pattern on.
func (s *shop) example(total string) *string {
	return aws.String(`{"id":"1","account":"` + s.account + `","source":"shop.orders","time":"2026-11-26T12:00:00Z","region":"` + s.region +
		`","resources":[],"detail-type":"OrderPlaced","detail":{"total":` + total + `}}`)
}

func setup(ctx context.Context, s *shop) {
	clean(ctx, s)
	makeQueues(ctx, s)
	makeBus(ctx, s)
	makeCalls(ctx, s)
	_, err := s.events.PutRule(ctx, &eventbridge.PutRuleInput{Name: aws.String("odd"), EventBusName: bus, EventPattern: aws.String(`{"detail":{"total":[{"bigger-than":1}]}}`)})
	refused("an operator that there is not is refused", "InvalidEventPatternException", err)
	fits := must(s.events.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: aws.String(big), Event: s.example("250")}))
	check("TestEventPattern: a big order fits", fits.Result, true)
	fits = must(s.events.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: aws.String(big), Event: s.example("40")}))
	check("TestEventPattern: a small one does not", fits.Result, false)
}
