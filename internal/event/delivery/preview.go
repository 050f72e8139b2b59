package delivery

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/plan"
	"ottla/internal/event/webhook"
)

// Preview is the call by which an event would be delivered, without what may be secret.
type Preview struct {
	Method, URL string
	Headers     []plan.Header // by name
	Body        []byte
	// Authorized tells that a connection authorizes the call.
	Authorized bool
}

// PreviewOf tells of a record that Record made by which call it would be delivered.
// Secrets of the endpoint may be prints: nothing is signed, and nobody is asked for a
// token. An error says why the call would not be made.
func PreviewOf(ctx context.Context, e *plan.Endpoint, r *kgo.Record) (Preview, error) {
	p, err := readParcel(r)
	if err != nil {
		return Preview{}, err
	}
	if e.Function != "" {
		return Preview{URL: "function:" + e.Function, Body: p.body}, nil
	}
	masked := *e
	masked.Headers, masked.Body, masked.Authorize, masked.Sign, masked.Secrets = hidden(e.Headers), hidden(e.Body), nil, nil, nil
	out := Preview{Method: or(p.Method, or(e.Method, http.MethodPost)), Authorized: e.Authorize != nil}
	if _, out.URL, err = addressOf(&masked, p); err != nil {
		return out, err
	}
	if out.Body, err = bodyOf(&masked, p); err != nil {
		return out, err
	}
	m := &made{header: map[string]string{}, masked: map[string]bool{}}
	if err := headersOf(ctx, &masked, p, out.Body, false, m); err != nil {
		return out, fmt.Errorf("make the headers: %w", err)
	}
	if len(e.Secrets) > 0 {
		for name, v := range map[string]string{webhook.HeaderID: p.ID, webhook.HeaderTimestamp: mask, webhook.HeaderSignature: mask} {
			m.header[http.CanonicalHeaderKey(name)] = v
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.header)) {
		v := m.header[k]
		if m.masked[k] {
			v = mask
		}
		out.Headers = append(out.Headers, plan.Header{Name: k, Value: v})
	}
	return out, nil
}

// hidden are names without their values, which a connection has.
func hidden(all []plan.Header) (out []plan.Header) {
	for _, h := range all {
		out = append(out, plan.Header{Name: h.Name, Value: mask})
	}
	return out
}
