// Command sqsload sends, receives and deletes messages of SQS with
// aws-sdk-go-v2, as fast as it can, and prints how many went through and how long
// each cycle took, as JSON.
//
//	sqsload ENDPOINT QUEUE-URL MESSAGES-A-REQUEST WORKERS DURATION BODY
//
// It is the load of test/benchsqs, in a module that has the SDK.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sqsload:", err)
		os.Exit(1)
	}
}

// load is what all workers share.
type load struct {
	client  *sqs.Client
	url     string
	body    string
	entries int

	mu     sync.Mutex // guards all below
	seen   seen
	failed error
}

// seen is what is printed.
type seen struct {
	Messages int
	Delays   []time.Duration
}

func run(args []string) error {
	if len(args) != 6 {
		return fmt.Errorf("want an endpoint, a queue's URL, messages a request, workers, a duration and a body, got %q", args)
	}
	l := &load{url: args[1], body: args[5]}
	var err error
	if l.entries, err = strconv.Atoi(args[2]); err != nil {
		return err
	}
	workers, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	length, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	l.client = sqs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(args[0]), Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
	ctx := context.Background()
	until := time.Now().Add(length)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() { l.work(ctx, until) })
	}
	all.Wait()
	if l.failed != nil {
		return l.failed
	}
	return json.NewEncoder(os.Stdout).Encode(l.seen)
}

// work makes cycles until the time is over.
func (l *load) work(ctx context.Context, until time.Time) {
	var mine seen
	var failed error
	for at := time.Now(); at.Before(until) && failed == nil; {
		var n int
		if n, failed = l.cycle(ctx); failed == nil {
			now := time.Now()
			mine.Messages, mine.Delays, at = mine.Messages+n, append(mine.Delays, now.Sub(at)), now
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen.Messages += mine.Messages
	l.seen.Delays = append(l.seen.Delays, mine.Delays...)
	if failed != nil {
		l.failed = failed
	}
}

// cycle sends, receives and deletes; it gives how many were deleted.
func (l *load) cycle(ctx context.Context) (int, error) {
	if err := l.send(ctx); err != nil {
		return 0, err
	}
	got, err := l.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.url, MaxNumberOfMessages: int32(l.entries), WaitTimeSeconds: 1})
	if err != nil || len(got.Messages) == 0 {
		return 0, err
	}
	if l.entries == 1 {
		_, err := l.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &l.url, ReceiptHandle: got.Messages[0].ReceiptHandle})
		return 1, err
	}
	var done []types.DeleteMessageBatchRequestEntry
	for i, m := range got.Messages {
		done = append(done, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	out, err := l.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &l.url, Entries: done})
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("%d messages were not deleted: %s", len(out.Failed), *out.Failed[0].Code)
	}
	return len(done), err
}

func (l *load) send(ctx context.Context) error {
	if l.entries == 1 {
		_, err := l.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &l.url, MessageBody: &l.body})
		return err
	}
	var all []types.SendMessageBatchRequestEntry
	for i := range l.entries {
		all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &l.body})
	}
	out, err := l.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &l.url, Entries: all})
	if err == nil && len(out.Failed) > 0 {
		err = fmt.Errorf("%d messages were not sent: %s", len(out.Failed), *out.Failed[0].Code)
	}
	return err
}
