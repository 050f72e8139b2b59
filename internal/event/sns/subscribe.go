package sns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/sns/notice"
)

// confirmWithinMs is how long a subscription waits to be confirmed: three days.
const confirmWithinMs = 3 * 24 * 60 * 60 * 1000

// Subscribe makes a subscription, or gives the one that there is of the endpoint: its
// attributes must be the same then. Addresses are asked to confirm, again too when
// they have not. Of the spec, Protocol, Endpoint, Attributes and Base count.
func (s *Service) Subscribe(ctx context.Context, topic name.Ref, spec SubscriptionSpec) (sub Subscription, err error) {
	spec = SubscriptionSpec{Protocol: spec.Protocol, Endpoint: spec.Endpoint, Attributes: maps.Clone(spec.Attributes), Base: spec.Base}
	spec.drop()
	t, err := s.Get(ctx, topic)
	if err != nil {
		return Subscription{}, err
	}
	if err := s.checkEndpoint(&t, &spec); err != nil {
		return Subscription{}, err
	}
	if err := spec.check(&t); err != nil {
		return Subscription{}, err
	}
	if err := s.signer.ready(ctx); err != nil { // before the object, so that all nodes have the key who have that
		return Subscription{}, err
	}
	if called(spec.Protocol) {
		if err := s.o.Calls.Ready(ctx); err != nil {
			return Subscription{}, err
		}
	}
	err = again(ctx, func() error {
		if t, err = s.Get(ctx, topic); err != nil { // another by now, perhaps
			return err
		}
		sub, err = s.subscribe(ctx, &t, spec)
		return err
	})
	s.sweep(ctx)
	if err == nil && sub.Pending {
		err = s.askToConfirm(ctx, &t, &sub)
	}
	return sub, err
}

// mostSwept bounds how many subscriptions that nobody confirmed go at a time.
const mostSwept = 20

// sweep deletes subscriptions that nobody confirmed in time: whoever makes one takes some
// of these away, so that they do not pile up. It is tried again by the next.
func (s *Service) sweep(ctx context.Context) {
	for _, sub := range s.view.unconfirmed(s.nowMs(), mostSwept) {
		err := s.o.Objects.Remove(ctx, object.Object{Ref: sub.Ref, ID: sub.ID, Version: sub.Version})
		if err != nil && !errors.Is(err, object.ErrNotFound) && !errors.Is(err, object.ErrConflict) {
			s.o.Logger.Warn("a subscription that nobody confirmed is not deleted yet", "subscription", sub.Ref.Name, "err", err)
			return
		}
	}
}

// drop forgets attributes that are empty, and the filter policy that takes all.
func (s *SubscriptionSpec) drop() {
	maps.DeleteFunc(s.Attributes, func(a, v string) bool { return v == "" || a == FilterPolicy && isEmptyObject(v) })
}

// subscribe makes the object, unless it is there.
func (s *Service) subscribe(ctx context.Context, t *Topic, spec SubscriptionSpec) (Subscription, error) {
	ref := subscriptionRef(t, spec.Protocol, spec.Endpoint)
	was := Subscription{Ref: ref}
	o, err := s.o.Objects.Current(ctx, ref)
	switch {
	case err == nil:
		old, err := readSubscription(&o)
		if err != nil {
			return Subscription{}, err
		}
		if !old.over(s.nowMs()) {
			return old, old.same(&spec)
		}
		was = old
	case !errors.Is(err, object.ErrNotFound):
		return Subscription{}, objectError(err)
	}
	if called(spec.Protocol) {
		spec.Pending, spec.Token, spec.UntilMs = true, newToken(ref), s.nowMs()+confirmWithinMs
	} else if spec.From, err = s.ends(ctx, t.Topic); err != nil {
		return Subscription{}, err
	}
	return s.putSubscription(ctx, t, &was, &spec)
}

// same tells in what a subscription differs from one that is to be made.
func (s *Subscription) same(spec *SubscriptionSpec) error {
	said := func(a map[string]string) map[string]string { // what is as it is where nothing is said
		a = maps.Clone(a)
		maps.DeleteFunc(a, func(k, v string) bool {
			return k == RawMessageDelivery && v == "false" || k == FilterPolicyScope && v == notice.ScopeAttributes
		})
		return a
	}
	if len(spec.Attributes) > 0 && !maps.Equal(said(s.Attributes), said(spec.Attributes)) {
		return invalidf("Attributes", "the subscription exists with different attributes")
	}
	return nil
}

// Change changes attributes of a subscription; an empty value takes one away. What was
// published before may still be judged by what held then, and what is published when it
// has returned is not.
func (s *Service) Change(ctx context.Context, ref name.Ref, values map[string]string) (sub Subscription, err error) {
	err = again(ctx, func() error {
		old, err := s.Subscription(ctx, ref)
		if err != nil {
			return err
		}
		t, err := s.Get(ctx, old.TopicRef())
		if err != nil {
			return err
		}
		if err := checkEach(subscriptionAttribute, values); err != nil {
			return err
		}
		spec := old.clone()
		if spec.Attributes == nil {
			spec.Attributes = map[string]string{}
		}
		maps.Copy(spec.Attributes, values)
		spec.drop()
		if err := spec.check(&t); err != nil {
			return err
		}
		sub, err = s.putSubscription(ctx, &t, &old, &spec)
		return err
	})
	if err == nil {
		err = s.applied(ctx, &sub)
	}
	return sub, err
}

// appliedTimeout bounds how long a change waits for who carries it out.
const appliedTimeout = 30 * time.Second

// applied returns when who runs the topic goes by what a subscription is now.
func (s *Service) applied(ctx context.Context, sub *Subscription) error {
	if s.o.Applied == nil || sub.Pending {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, appliedTimeout)
	defer cancel()
	if err := s.Current(ctx); err != nil {
		return err
	}
	src, r := s.ruleOf(sub)
	if r == nil { // it is no more
		return nil
	}
	if err := s.o.Applied(ctx, src, r); err != nil {
		return fmt.Errorf("%w: subscription %s is changed, but who delivers does not go by it yet: %w", ErrUnavailable, sub.Ref.Name, err)
	}
	return nil
}

// Unsubscribe ends a subscription; one that is not there has ended. authenticated
// tells whether the call was signed.
func (s *Service) Unsubscribe(ctx context.Context, ref name.Ref, authenticated bool) error {
	return again(ctx, func() error {
		o, err := s.o.Objects.Get(ctx, ref)
		if errors.Is(err, object.ErrNotFound) {
			return nil
		}
		if err != nil {
			return objectError(err)
		}
		sub, err := readSubscription(&o)
		if err == nil && sub.Authenticated && !authenticated {
			return ErrRefused
		}
		err = objectError(s.o.Objects.Remove(ctx, o))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
}
