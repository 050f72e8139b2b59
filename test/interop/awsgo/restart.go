package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"ottla/test/interop/crowd"
)

// restarts is how often the broker restarts; of three nodes one is killed the
// first time, and all are restarted in turn the second.
const restarts = 2

// callWithin bounds a call while nodes come and go: one that has no answer by then
// may have been done or not.
const callWithin = 20 * time.Second

// flow is a queue under who sends and receives.
type flow struct {
	w       *world
	url     string
	next    int
	stored  map[string]bool // bodies whose sending was answered
	deleted map[string]bool // ids whose deletion was answered
	seen    map[string]bool // bodies that came
}

// restart holds ten messages through all restarts, and sends, receives and
// deletes others meanwhile.
func restart(ctx context.Context, w *world) error {
	url, err := w.make(ctx, "restart", map[string]string{"VisibilityTimeout": "900"})
	if err != nil {
		return err
	}
	// Who gets no answer to a receive waits for the visibility to end.
	flowing, err := w.make(ctx, "flow", map[string]string{"VisibilityTimeout": "15"})
	if err != nil {
		return err
	}
	var all []types.SendMessageBatchRequestEntry
	for i := range 10 {
		all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String("held")})
	}
	if _, err := w.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: all}); err != nil {
		return err
	}
	held, err := w.take(ctx, url, 10)
	if err != nil {
		return err
	}
	f := &flow{w: w, url: flowing, stored: map[string]bool{}, deleted: map[string]bool{}, seen: map[string]bool{}}
	for range restarts {
		if err := f.through(ctx, crowd.AskRestart()); err != nil {
			return err
		}
	}
	if err := f.drain(ctx); err != nil {
		return err
	}
	for _, m := range held {
		if err := w.done(ctx, url, m); err != nil {
			return fmt.Errorf("delete what was held: %w", err)
		}
	}
	return errors.Join(w.empty(ctx, url), w.empty(ctx, flowing))
}

// through works until the broker is back. Calls that fail meanwhile are nothing
// but calls of which nobody knows whether they were done.
func (f *flow) through(ctx context.Context, back <-chan struct{}) error {
	for {
		select {
		case <-back:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("the broker is not back: %w", ctx.Err())
		default:
		}
		f.send(ctx)
		if err := f.receive(ctx); err != nil {
			return err
		}
	}
}

func (f *flow) send(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	body := strconv.Itoa(f.next)
	f.next++
	if _, err := f.w.sqs.SendMessage(limited, &sqs.SendMessageInput{QueueUrl: &f.url, MessageBody: &body}); err == nil {
		f.stored[body] = true
	}
}

// receive receives and deletes; it fails when what was deleted comes again.
func (f *flow) receive(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	got, err := f.w.sqs.ReceiveMessage(limited, &sqs.ReceiveMessageInput{QueueUrl: &f.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
	if err != nil {
		return nil // it is asked again
	}
	for _, m := range got.Messages {
		if f.deleted[*m.MessageId] {
			return fmt.Errorf("message %s (%s) came again after it was deleted", *m.MessageId, *m.Body)
		}
		f.seen[*m.Body] = true
		if f.w.done(limited, f.url, m) == nil {
			f.deleted[*m.MessageId] = true
		}
	}
	return nil
}

// drain receives until all has come whose sending was answered.
func (f *flow) drain(ctx context.Context) error {
	for {
		missing := slices.DeleteFunc(slices.Sorted(maps.Keys(f.stored)), func(body string) bool { return f.seen[body] })
		if len(missing) == 0 && f.w.empty(ctx, f.url) == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%d of %d messages did not come, among them %s: %w", len(missing), len(f.stored), missing[:min(3, len(missing))], ctx.Err())
		}
		if err := f.receive(ctx); err != nil {
			return err
		}
	}
}

// empty tells of messages in a queue.
func (w *world) empty(ctx context.Context, url string) error {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	got, err := w.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return err
	}
	for _, n := range names {
		if got.Attributes[string(n)] != "0" {
			return fmt.Errorf("%s of %s is %s, want 0", n, url, got.Attributes[string(n)])
		}
	}
	return nil
}
