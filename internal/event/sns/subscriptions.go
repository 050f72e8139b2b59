package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/kafka/queues"
)

// subscriptionsOf begins the names of a topic's subscriptions.
func subscriptionsOf(topic name.Ref) name.Ref {
	return name.Ref{Kind: name.Subscription, Account: topic.Account, Region: topic.Region, Name: topic.Name + "/"}
}

// subscriptionRef is the subscription of an endpoint to a topic.
func subscriptionRef(t *Topic, protocol, endpoint string) name.Ref {
	ref := subscriptionsOf(t.Ref)
	ref.Name += queues.IDOf([]byte(strings.Join([]string{"subscription", t.ID, protocol, endpoint}, "\x00")))
	return ref
}

// readSubscription reads the object of a subscription.
func readSubscription(o *object.Object) (Subscription, error) {
	s := Subscription{Ref: o.Ref, ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	if err := json.Unmarshal(o.Spec, &s.SubscriptionSpec); err != nil {
		return Subscription{}, fmt.Errorf("read what %s is: %w", o.Ref, err)
	}
	return s, nil
}

// over tells a subscription that nobody confirmed in time.
func (s *SubscriptionSpec) over(nowMs int64) bool { return s.Pending && nowMs >= s.UntilMs }

// Subscription finds one. What it gives is not to be changed.
func (s *Service) Subscription(ctx context.Context, ref name.Ref) (Subscription, error) {
	o, err := s.o.Objects.Get(ctx, ref)
	if err != nil {
		return Subscription{}, objectError(err)
	}
	sub, err := readSubscription(&o)
	if err == nil && sub.over(s.nowMs()) {
		return Subscription{}, fmt.Errorf("%w: %s was not confirmed in time", ErrNotFound, ref)
	}
	return sub, err
}

// Subscriptions gives those of a place, or of a topic (topic is true), by name, after
// one of them; next is to go on after, "" at the end.
func (s *Service) Subscriptions(ctx context.Context, of name.Ref, topic bool, after string, most int) (out []Subscription, next string, err error) {
	begin := name.Ref{Kind: name.Subscription, Account: of.Account, Region: of.Region}
	if topic {
		if _, err := s.Get(ctx, of); err != nil {
			return nil, "", err
		}
		begin = subscriptionsOf(of)
	}
	found, next, err := s.o.Objects.List(ctx, begin, after, most)
	if err != nil {
		return nil, "", objectError(err)
	}
	for i := range found {
		sub, err := readSubscription(&found[i])
		if err != nil {
			return nil, "", err
		}
		if !sub.over(s.nowMs()) {
			out = append(out, sub)
		}
	}
	return out, next, nil
}

// putSubscription writes the object of a subscription to a topic, which is was until then.
func (s *Service) putSubscription(ctx context.Context, t *Topic, was *Subscription, spec *SubscriptionSpec) (Subscription, error) {
	b, err := json.Marshal(spec)
	if err != nil {
		return Subscription{}, fmt.Errorf("write %s: %w", was.Ref, err)
	}
	o, err := s.o.Objects.PutUnder(ctx, object.Object{Ref: was.Ref, ID: was.ID, Version: was.Version, Spec: b}, t.object())
	if err != nil {
		return Subscription{}, objectError(err)
	}
	return readSubscription(&o)
}
