package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const big = `{"source":["shop.orders"],"detail-type":["OrderPlaced"],"detail":{"total":[{"numeric":[">=",100]}]}}`

var queues = []string{"big-orders", "big-orders.fifo", "big-orders-eur", "calls-that-failed", "reminders", "poison-dead", "poison"}

// shop is the clients, and where the shop is.
type shop struct {
	events          *eventbridge.Client
	sqs             *sqs.Client
	sns             *sns.Client
	schedules       *scheduler.Client
	account, region string
}

func main() {
	ctx := context.Background()
	parts := map[string]func(context.Context, *shop){
		"clean": clean, "setup": setup, "put": put, "take": take,
		"all": func(ctx context.Context, s *shop) { setup(ctx, s); put(ctx, s); take(ctx, s) },
	}
	part := "all"
	if len(os.Args) > 1 {
		part = os.Args[1]
	}
	do, ok := parts[part]
	if !ok {
		fmt.Fprintln(os.Stderr, "want clean, setup, put, take or nothing, got", part)
		os.Exit(2)
	}
	receive()
	do(ctx, open(ctx))
}

func open(ctx context.Context) *shop {
	cfg := must(config.LoadDefaultConfig(ctx))
	me := must(sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil))
	return &shop{
		eventbridge.NewFromConfig(cfg), sqs.NewFromConfig(cfg), sns.NewFromConfig(cfg), scheduler.NewFromConfig(cfg), *me.Account, cfg.Region,
	}
}

// patience is how long what must come is waited for.
func patience() time.Duration {
	if s, err := strconv.ParseFloat(os.Getenv("ORDERS_PATIENCE"), 64); err == nil {
		return time.Duration(s * float64(time.Second))
	}
	return time.Minute
}

func (s *shop) arn(service, resource string) *string {
	return aws.String("arn:aws:" + service + ":" + s.region + ":" + s.account + ":" + resource)
}

// role is wanted by AWS; here it means nothing.
func (s *shop) role() *string { return aws.String("arn:aws:iam::" + s.account + ":role/orders") }

func (s *shop) url(ctx context.Context, queue string) *string {
	return must(s.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})).QueueUrl
}

func must[T any](v T, err error) T {
	if err != nil {
		fail("a call", err)
	}
	return v
}

func fail(what string, got any) {
	fmt.Printf("FAIL %s: got %v\n", what, got)
	os.Exit(1)
}

// check says what was seen to be right.
func check(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		fail(what, fmt.Sprintf("%v, want %v", got, want))
	}
	fmt.Println("ok  ", what)
}

func refused(what, code string, err error) {
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		fail(what, err)
	}
	fmt.Println("ok  ", what)
}

// gone lets it pass that what is deleted is not there.
func gone[T any](_ T, err error) {
	var e smithy.APIError
	if err == nil || errors.As(err, &e) && slices.Contains([]string{"ResourceNotFoundException", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "NotFound"}, e.ErrorCode()) {
		return
	}
	fail("a deletion", err)
}

// take takes that many messages, deletes them, and gives them in the order in which
// they came.
func (s *shop) take(ctx context.Context, queue string, count int) (got []sqstypes.Message) {
	url := s.url(ctx, queue)
	for until := time.Now().Add(patience()); len(got) < count && time.Now().Before(until); {
		out := must(s.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"},
		}))
		for _, m := range out.Messages {
			must(s.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}))
		}
		got = append(got, out.Messages...)
	}
	return got
}

// envelope is an event as targets get it.
type envelope struct {
	Detail     struct{ ID string }
	ReplayName string `json:"replay-name"`
	Text       string
}

// bodies reads what messages say.
func bodies[T any](all []sqstypes.Message, of func(envelope, sqstypes.Message) T) (out []T) {
	for _, m := range all {
		var e envelope
		if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
			fail("a message", *m.Body)
		}
		out = append(out, of(e, m))
	}
	return out
}

func id(e envelope, _ sqstypes.Message) string { return e.Detail.ID }

func sorted(texts []string) []string {
	slices.Sort(texts)
	return texts
}
