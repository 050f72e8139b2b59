package notice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"ottla/internal/event/plan"
)

// Backoff functions of retry policies.
const (
	linear      = "linear"
	arithmetic  = "arithmetic"
	geometric   = "geometric"
	exponential = "exponential"
)

// RetryPolicy is healthyRetryPolicy of a delivery policy: some tries at once, some
// with the shortest delay, some with delays that grow, some with the longest. Delays
// are in seconds.
type RetryPolicy struct {
	MinDelay  int    `json:"minDelayTarget"`
	MaxDelay  int    `json:"maxDelayTarget"`
	Retries   int    `json:"numRetries"`
	MaxDelays int    `json:"numMaxDelayRetries"`
	NoDelays  int    `json:"numNoDelayRetries"`
	MinDelays int    `json:"numMinDelayRetries"`
	Backoff   string `json:"backoffFunction"`
}

// defaultRetries is what SNS does where nothing is said.
var defaultRetries = RetryPolicy{MinDelay: 20, MaxDelay: 20, Retries: 3, Backoff: linear}

// UnmarshalJSON reads a policy; what it does not say is as by default.
func (p *RetryPolicy) UnmarshalJSON(b []byte) error {
	type plain RetryPolicy
	read := plain(defaultRetries)
	if err := strict(b, &read); err != nil {
		return err
	}
	*p = RetryPolicy(read)
	return nil
}

// Throttle bounds the calls a second; Request says of what type a body is.
type (
	Throttle struct {
		Most int `json:"maxReceivesPerSecond,omitempty"`
	}
	Request struct {
		ContentType string `json:"headerContentType,omitempty"`
	}
)

// Delivery is a subscription's delivery policy.
type Delivery struct {
	Retries  *RetryPolicy `json:"healthyRetryPolicy,omitempty"`
	Throttle *Throttle    `json:"throttlePolicy,omitempty"`
	Request  *Request     `json:"requestPolicy,omitempty"`
	// What SNS once had, and tells as null and false.
	Sickly     json.RawMessage `json:"sicklyRetryPolicy,omitempty"`
	Guaranteed json.RawMessage `json:"guaranteed,omitempty"`
}

// topicDelivery is a topic's: what holds for subscriptions that say nothing.
type topicDelivery struct {
	HTTP struct {
		Retries    *RetryPolicy    `json:"defaultHealthyRetryPolicy,omitempty"`
		NoOverride bool            `json:"disableSubscriptionOverrides"`
		Throttle   *Throttle       `json:"defaultThrottlePolicy,omitempty"`
		Request    *Request        `json:"defaultRequestPolicy,omitempty"`
		Sickly     json.RawMessage `json:"defaultSicklyRetryPolicy,omitempty"`
	} `json:"http"`
}

// strict reads JSON all of whose members are known.
func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the policy cannot be read: %w", err)
	}
	if d.More() {
		return errors.New("the policy has more behind its JSON object")
	}
	return nil
}

// CheckDelivery tells what is wrong with a delivery policy, of a topic or of a
// subscription.
func CheckDelivery(policy string, ofTopic bool) error {
	if ofTopic {
		_, err := EffectiveDelivery(policy, "")
		return err
	}
	_, err := EffectiveDelivery("", policy)
	return err
}

// EffectiveDelivery is what holds for a subscription, by its topic's policy and its
// own; "" is none.
func EffectiveDelivery(topic, own string) (Delivery, error) {
	var t topicDelivery
	var d Delivery
	if topic != "" {
		if err := strict([]byte(topic), &t); err != nil {
			return d, err
		}
	}
	if own != "" {
		if err := strict([]byte(own), &d); err != nil {
			return d, err
		}
	}
	if t.HTTP.NoOverride {
		d = Delivery{}
	}
	d.Sickly, d.Guaranteed = nil, nil
	if d.Retries == nil {
		if d.Retries = t.HTTP.Retries; d.Retries == nil {
			p := defaultRetries
			d.Retries = &p
		}
	}
	if d.Throttle == nil {
		d.Throttle = t.HTTP.Throttle
	}
	if d.Request == nil {
		d.Request = t.HTTP.Request
	}
	for _, p := range []*RetryPolicy{d.Retries, t.HTTP.Retries} {
		if err := p.check(); err != nil {
			return d, err
		}
	}
	if d.Throttle != nil && d.Throttle.Most < 0 {
		return d, fmt.Errorf("maxReceivesPerSecond is %d; it is 1 or more", d.Throttle.Most)
	}
	return d, nil
}

// EffectiveTopicDelivery is a topic's policy with what SNS does by default.
func EffectiveTopicDelivery(topic string) string {
	d, err := EffectiveDelivery(topic, "")
	if err != nil {
		return ""
	}
	var t topicDelivery
	t.HTTP.Retries, t.HTTP.Throttle, t.HTTP.Request = d.Retries, d.Throttle, d.Request
	if topic != "" {
		var own topicDelivery
		if strict([]byte(topic), &own) == nil {
			t.HTTP.NoOverride = own.HTTP.NoOverride
		}
	}
	b, err := json.Marshal(t)
	if err != nil {
		return ""
	}
	return string(b)
}

// check tells what is wrong with a retry policy, within the bounds that SNS has.
func (p *RetryPolicy) check() error {
	const longest, most = 3600, 100
	switch {
	case p == nil:
		return nil
	case p.MinDelay < 1 || p.MinDelay > p.MaxDelay || p.MaxDelay > longest:
		return fmt.Errorf("minDelayTarget is %d and maxDelayTarget %d; both are 1 to %d seconds, the first no more than the second", p.MinDelay, p.MaxDelay, longest)
	case p.Retries < 0 || p.Retries > most:
		return fmt.Errorf("numRetries is %d; 0 to %d are possible", p.Retries, most)
	case p.NoDelays < 0 || p.MinDelays < 0 || p.MaxDelays < 0:
		return errors.New("a number of retries is below 0")
	case p.NoDelays+p.MinDelays+p.MaxDelays > p.Retries:
		return fmt.Errorf("numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries are %d together, more than numRetries, %d", p.NoDelays+p.MinDelays+p.MaxDelays, p.Retries)
	}
	switch p.Backoff {
	case linear, arithmetic, geometric, exponential:
		return nil
	}
	return fmt.Errorf("backoffFunction is %q; it is %s, %s, %s or %s", p.Backoff, linear, arithmetic, geometric, exponential)
}

// Plan is the policy as who delivers has it.
func (p *RetryPolicy) Plan() plan.Retry {
	out := plan.Retry{Most: p.Retries}
	phase := func(n int, seconds func(i int) float64) {
		for i := 1; i <= n; i++ {
			out.WaitsMs = append(out.WaitsMs, int64(math.Round(1000*seconds(i))))
		}
	}
	grows := p.Retries - p.NoDelays - p.MinDelays - p.MaxDelays
	phase(p.NoDelays, func(int) float64 { return 0 })
	phase(p.MinDelays, func(int) float64 { return float64(p.MinDelay) })
	phase(grows, func(i int) float64 { return p.delay(float64(i), float64(grows)) })
	phase(p.MaxDelays, func(int) float64 { return float64(p.MaxDelay) })
	return out
}

// delay is that of the i-th of n retries whose delays grow: the last has the longest.
func (p *RetryPolicy) delay(i, n float64) float64 {
	least, most := float64(p.MinDelay), float64(p.MaxDelay)
	part := i / n
	switch p.Backoff {
	case arithmetic: // each step is longer than the one before by the same
		part = i * (i + 1) / (n * (n + 1))
	case geometric: // each is the same multiple of the one before
		return least * math.Pow(most/least, part)
	case exponential: // each step is twice the one before
		part = (math.Exp2(i-n) - math.Exp2(-n)) / (1 - math.Exp2(-n))
	}
	return least + (most-least)*part
}
