package sns

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/sns/notice"
)

const (
	// callDeadline is how long an address may take, as at SNS.
	callDeadline = 15 * time.Second
	// functionRetries are SNS's of what AWS runs itself, if they come to it in time.
	functionRetries = 100_015
)

// functionWaits are the times between calls of a function: three at once, two after a
// second each, ten that grow to twenty seconds, then every twenty seconds.
func functionWaits() []int64 {
	out := []int64{0, 0, 0, 1000, 1000}
	for i := range int64(10) {
		out = append(out, 1000+i*19_000/9)
	}
	return out
}

// Mine tells whether a key of plan.Target is a subscription's.
func Mine(key string) bool { return strings.HasPrefix(key, string(name.Subscription)+"/") }

// Endpoint is plan.Endpoints: the address or the function of a target.
func (s *Service) Endpoint(ctx context.Context, key string) (*plan.Endpoint, error) {
	at, rest, ok := strings.Cut(key, "#")
	id, target, isTarget := strings.Cut(rest, "/")
	ref, err := name.ParseKey(at)
	if !ok || !isTarget || err != nil || ref.Kind != name.Subscription {
		return nil, fmt.Errorf("%w: %q is no subscription's", plan.ErrGone, key)
	}
	sub, err := s.Subscription(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", plan.ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	if sub.ID != id || sub.Pending != (target == confirmations) {
		return nil, fmt.Errorf("%w: %s is another, or was confirmed meanwhile", plan.ErrGone, ref)
	}
	t, err := s.Get(ctx, sub.TopicRef())
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", plan.ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	return endpoint(&t, &sub)
}

// endpoint is what is called of a subscription.
func endpoint(t *Topic, sub *Subscription) (*plan.Endpoint, error) {
	dead, err := redriveTo(sub.Attributes[RedrivePolicy])
	if err != nil {
		return nil, err
	}
	e := &plan.Endpoint{Rule: sub.Ref, Source: t.Ref, DeadlineMs: callDeadline.Milliseconds(), DeadLetters: dead}
	if sub.Protocol == notice.Lambda {
		fn, err := name.ParseARN(sub.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("the function of %s: %w", sub.Ref, err)
		}
		e.Function, e.DeadlineMs = fn.Name, 0
		e.Retry = plan.Retry{Most: functionRetries, MaxAgeMs: logPatience.Milliseconds(), WaitsMs: functionWaits()}
		return e, nil
	}
	e.URL = strings.ReplaceAll(sub.Endpoint, "*", "%2A") // * would be a part of the path that is filled in
	d, err := notice.EffectiveDelivery(t.Attributes[DeliveryPolicy], sub.Attributes[DeliveryPolicy])
	if err != nil {
		return nil, fmt.Errorf("the delivery policy of %s: %w", sub.Ref, err)
	}
	e.Retry = d.Retries.Plan()
	if d.Throttle != nil {
		e.Rate = float64(d.Throttle.Most)
	}
	return e, nil
}

// Disable is plan.Endpoints: SNS ends no subscription because its address is gone. What
// cannot be delivered becomes a dead letter.
func (s *Service) Disable(context.Context, string, string) error { return nil }

// askToConfirm has a subscription's address asked to confirm.
func (s *Service) askToConfirm(ctx context.Context, t *Topic, sub *Subscription) error {
	n := &notice.Notification{
		Type: notice.Confirm, MessageID: newMessageID(), Token: sub.Token, TopicARN: t.ARN(), Timestamp: notice.Timestamp(s.nowMs()),
		Message:      "Somebody asks that this address be subscribed to the topic " + t.ARN() + ".\nTo confirm it, call the SubscribeURL of this message.",
		SubscribeURL: s.base(sub) + "/?" + url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {t.ARN()}, "Token": {sub.Token}}.Encode(),
	}
	if err := s.sign(n, t, sub); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	body := n.JSON()
	target := &plan.Target{Key: targetKey(sub, confirmations), ID: confirmations, To: plan.Place{Kind: plan.Call}}
	e := &plan.Event{
		Event: &envelope.Event{ID: n.MessageID}, Doc: body, Source: &plan.Source{Ref: t.Ref, ID: t.ID}, Rule: &plan.Rule{Ref: sub.Ref, ID: sub.ID},
		Topic: t.Topic, Partition: -1, Offset: -1, Replay: n.MessageID, // that the delivery's id is its own
	}
	rec, err := s.o.Calls.Record(target, e, plan.Payload{Body: body, ContentType: textType, Headers: notice.CallHeaders(notice.Confirm, n.MessageID, t.ARN(), "", false)})
	if err != nil {
		return fmt.Errorf("ask %s to confirm: %w", sub.Endpoint, err)
	}
	rec.Timestamp = s.o.Now()
	if err := s.client.All(ctx, []*kgo.Record{rec})[0]; err != nil {
		return fmt.Errorf("%w: ask %s to confirm: %w", ErrUnavailable, sub.Endpoint, err)
	}
	return nil
}
