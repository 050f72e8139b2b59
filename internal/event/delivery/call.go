package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"ottla/internal/event/delivery/course"
	"ottla/internal/event/outbound"
	"ottla/internal/event/plan"
	"ottla/internal/event/webhook"
)

// launch begins a call of a target.
func (r *runner) launch(ctx context.Context, helpers *sync.WaitGroup, ln *lane, e *plan.Endpoint, c course.Call) {
	parcels, numbers := make([]*parcel, len(c.Offsets)), make([]int, len(c.Offsets))
	for i, offset := range c.Offsets {
		parcels[i], numbers[i] = ln.loaded[offset], ln.Find(offset).Attempts+1
	}
	r.flying++
	if e.Function != "" {
		r.busy[e.Function]++
	}
	r.calls.do(ctx, helpers, func() {
		made := r.s.make(ctx, ln.key, e, parcels)
		if ctx.Err() != nil {
			return // it counts as not made
		}
		over := ended{lane: ln, function: e.Function, call: c, result: made.result(c, parcels, r.s.o.Now())}
		made.hide()
		for i, p := range parcels {
			over.attempts = append(over.attempts, made.attempt(p, numbers[i], over.result).record(r.partition, r.s.o.Now()))
		}
		r.mu.Lock()
		r.ended = append(r.ended, over)
		r.mu.Unlock()
		r.ring()
	})
}

// made is a call that was made.
type made struct {
	target string
	url    string // without what may be secret
	header map[string]string
	masked map[string]bool // headers whose values are not told; nil for none
	answer outbound.Answer
	begun  time.Time // by the domain clock
	took   time.Duration
	failed []int64 // what a function reported
	badly  error   // it reported something else
}

// make makes a call.
func (s *Service) make(ctx context.Context, key string, e *plan.Endpoint, ps []*parcel) *made {
	m := &made{target: key, header: map[string]string{}}
	var begun time.Time
	begin := func() { m.begun, begun = s.o.Now(), time.Now() }
	begin()
	s.count.attempts.Inc()
	if e.Function != "" {
		m.url = "function:" + e.Function
		m.answer = s.callFunction(ctx, e, ps, begin)
		if m.answer.Judge() == outbound.Delivered && e.Batch.ReportFailures {
			m.failed, m.badly = reported(m.answer.Body, ps)
		}
	} else {
		m.answer = s.callURL(ctx, e, ps[0], m)
	}
	m.took = time.Since(begun)
	if m.answer.Status == http.StatusGone && e.Function == "" {
		if err := s.o.Endpoints.Disable(ctx, key, "the address answered 410 Gone"); err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("a target that is gone could not be disabled", "target", key, "err", err)
		}
	}
	if m.answer.Judge() != outbound.Delivered {
		s.count.failed.Inc()
	}
	return m
}

// callURL calls an address. Where it does not know the authorization (401), that is
// made anew, once.
func (s *Service) callURL(ctx context.Context, e *plan.Endpoint, p *parcel, m *made) outbound.Answer {
	address, told, err := addressOf(e, p)
	m.url = told
	if err != nil {
		return outbound.Answer{Err: err}
	}
	body, err := bodyOf(e, p)
	if err != nil {
		return outbound.Answer{Err: err}
	}
	for stale := false; ; stale = true {
		if err := headersOf(ctx, e, p, body, stale, m); err != nil {
			return outbound.Answer{Err: err}
		}
		a := s.o.HTTP.Do(ctx, outbound.Request{
			Method: or(p.Method, or(e.Method, http.MethodPost)), URL: address, Header: m.header, Body: body, Timeout: time.Duration(e.DeadlineMs) * time.Millisecond,
		})
		if a.Status != http.StatusUnauthorized || e.Authorize == nil || stale {
			return a
		}
	}
}

// addressOf is the URL of a call, and the same without what may be secret.
func addressOf(e *plan.Endpoint, p *parcel) (address, told string, err error) {
	text := e.URL
	for _, v := range p.Path {
		before, after, ok := strings.Cut(text, "*")
		if !ok {
			break
		}
		text = before + url.PathEscape(v) + after
	}
	if strings.Contains(text, "*") {
		return "", bare(e.URL), fmt.Errorf("%w: the address %s has more * than the target has values for", outbound.ErrForbidden, bare(e.URL))
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", bare(e.URL), fmt.Errorf("%w: %w", outbound.ErrForbidden, err)
	}
	if u.RawQuery == "" && len(p.Query)+len(e.Query) == 0 {
		full := u.String()
		return full, full, nil
	}
	all, shown := u.Query(), url.Values{}
	for name := range all {
		shown.Set(name, mask) // a token, often
	}
	for _, q := range p.Query {
		all.Set(q.Name, q.Value)
		shown.Set(q.Name, q.Value)
	}
	for _, q := range e.Query {
		all.Set(q.Name, q.Value)
		shown.Set(q.Name, mask)
	}
	if len(p.Query)+len(e.Query) > 0 {
		u.RawQuery = all.Encode()
	}
	full := u.String()
	u.RawQuery = shown.Encode()
	return full, u.String(), nil
}

// bodyOf is what is sent: a connection may add members to an object.
func bodyOf(e *plan.Endpoint, p *parcel) ([]byte, error) {
	if len(e.Body) == 0 {
		return p.body, nil
	}
	object := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(p.body)) > 0 {
		if err := json.Unmarshal(p.body, &object); err != nil || object == nil {
			return nil, fmt.Errorf("%w: the connection adds members to the body, which is no JSON object", outbound.ErrForbidden)
		}
	}
	for _, b := range e.Body {
		text, err := json.Marshal(b.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", outbound.ErrForbidden, err)
		}
		object[b.Name] = text
	}
	return json.Marshal(object)
}

// headersOf fills in the headers of a call: what the event says, then the endpoint,
// then what authorizes it, then what signs it.
func headersOf(ctx context.Context, e *plan.Endpoint, p *parcel, body []byte, stale bool, m *made) error {
	clear(m.header)
	set := func(h plan.Header, secret bool) {
		k := http.CanonicalHeaderKey(h.Name)
		m.header[k] = h.Value
		if secret || secretly(k) {
			m.mask(k)
		}
	}
	m.header["Content-Type"], m.header["Idempotency-Key"] = or(p.ContentType, "application/json"), p.ID
	for _, h := range p.Headers {
		set(h, false)
	}
	for _, h := range e.Headers {
		set(h, false)
	}
	if e.Authorize != nil {
		more, err := e.Authorize(ctx, stale)
		if err != nil {
			return fmt.Errorf("authorize the call: %w", err)
		}
		for _, h := range more {
			set(h, true)
		}
	}
	if err := sign(e, p, body, set); err != nil {
		return err
	}
	if e.Sign != nil {
		for _, h := range e.Sign(p.ID, body) {
			set(h, false)
		}
	}
	return nil
}

// mask has a header not told, whatever it is set to.
func (m *made) mask(header string) {
	if m.masked == nil {
		m.masked = map[string]bool{}
	}
	m.masked[header] = true
}

// sign signs a call as Standard Webhooks say, by the real clock: who receives it has no
// other.
func sign(e *plan.Endpoint, p *parcel, body []byte, set func(plan.Header, bool)) error {
	if len(e.Secrets) == 0 {
		return nil
	}
	keys := make([]webhook.Key, len(e.Secrets))
	for i, text := range e.Secrets {
		var err error
		if keys[i], err = webhook.ParseKey(text); err != nil {
			return fmt.Errorf("%w: %w", outbound.ErrForbidden, err)
		}
	}
	s := webhook.Sign(keys, p.ID, time.Now().Unix(), body)
	set(plan.Header{Name: webhook.HeaderID, Value: s.ID}, false)
	set(plan.Header{Name: webhook.HeaderTimestamp, Value: s.Timestamp}, false)
	set(plan.Header{Name: webhook.HeaderSignature, Value: s.Signature}, false)
	return nil
}

// result is what a call means for what it was of.
func (m *made) result(c course.Call, ps []*parcel, now time.Time) course.Result {
	a := m.answer
	switch {
	case m.badly != nil:
		return course.Result{Code: "INVALID_ANSWER", Why: m.badly.Error()}
	case a.Judge() == outbound.Delivered:
		return course.Result{OK: true, Failed: m.failed, Code: "REPORTED", Why: "the function reported it as failed"}
	}
	return course.Result{
		Final: a.Judge() == outbound.Refused, Timeout: a.TimedOut(), Code: codeOf(a), Why: a.Why(), AfterMs: a.RetryAfter(now).Milliseconds(),
	}
}

// codeOf is a failure in one word.
func codeOf(a outbound.Answer) string {
	switch {
	case errors.Is(a.Err, outbound.ErrForbidden):
		return "ADDRESS_REFUSED"
	case a.TimedOut():
		return "TIMEOUT"
	case a.Err != nil:
		return "CONNECTION_FAILURE"
	}
	return "HTTP_" + strconv.Itoa(a.Status)
}
