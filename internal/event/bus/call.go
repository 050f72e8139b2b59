package bus

import (
	"context"
	"errors"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
)

// call is a target that is called.
type call struct {
	rule    RuleRef
	place   place
	target  *Target
	letters name.Ref
}

// Endpoint implements plan.Endpoints.
func (s *Service) Endpoint(ctx context.Context, key string) (*plan.Endpoint, error) {
	c := s.sources.call(key)
	if c == nil {
		return nil, plan.ErrGone
	}
	e, err := s.endpoint(ctx, c)
	if err == nil {
		e.Secrets, err = s.openSecrets(ctx, c.rule, c.target)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// endpoint is what is called for a target, without its secrets.
func (s *Service) endpoint(ctx context.Context, c *call) (*plan.Endpoint, error) {
	t := c.target
	e := &plan.Endpoint{
		Rule: c.rule.Full(), Source: c.rule.Of().Full(), Disabled: t.Disabled != "", URL: c.place.url, Function: c.place.function, Method: t.Method,
		Retry: t.Retry.plan(), Rate: t.Rate, Concurrency: t.Concurrency, Ordered: t.Ordered, DeadlineMs: t.DeadlineMs, DeadLetters: c.letters,
	}
	if bus, there := s.Source(e.Source); there && e.DeadLetters == (name.Ref{}) {
		e.DeadLetters = bus.DeadLetters
	}
	if b := t.Batch; b != nil {
		e.Batch = plan.Batch{Size: b.Size, WindowMs: b.WindowMs, Bisect: b.Bisect, ReportFailures: b.ReportFailures}
	}
	if c.place.destination == (name.Ref{}) {
		return e, nil
	}
	if e.ARN = t.To; !strings.HasPrefix(t.To, "arn:") {
		e.ARN = c.place.destination.ARN()
	}
	if s.o.Destinations == nil {
		return nil, errors.New("this node has no API destinations")
	}
	own := e.Rate
	if err := s.o.Destinations.Endpoint(ctx, c.place.destination, e); err != nil {
		return nil, err
	}
	if own > 0 && (e.Rate == 0 || own < e.Rate) {
		e.Rate = own
	}
	return e, nil
}

// Disable implements plan.Endpoints.
func (s *Service) Disable(ctx context.Context, key, why string) error {
	c := s.sources.call(key)
	if c == nil {
		return nil
	}
	return s.disableTarget(ctx, c.rule, key[strings.LastIndexByte(key, '/')+1:], why)
}

var _ plan.Endpoints = (*Service)(nil)
