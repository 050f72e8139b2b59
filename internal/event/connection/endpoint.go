package connection

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
)

// Endpoint fills in the address, the method, the authorization, the parameters and the
// rate of an API destination, from memory. plan.ErrGone says that there is none any
// more. Where its connection cannot authorize anything, calls fail: they are tried again,
// and given up, as others are.
func (s *Service) Endpoint(ctx context.Context, ref name.Ref, into *plan.Endpoint) error {
	s.mu.Lock()
	d := s.destinations[ref.Key()]
	s.mu.Unlock()
	if d == nil {
		return fmt.Errorf("%s: %w", ref, plan.ErrGone)
	}
	into.URL, into.Method, into.Rate = d.URL, d.Method, float64(d.Rate)
	if d.Rate == 0 {
		into.Rate = DefaultRate
	}
	k, auth, err := s.open(ctx, d.Connection)
	if err != nil {
		into.Authorize = func(context.Context, bool) ([]plan.Header, error) { return nil, err }
		return nil
	}
	into.Headers = append(into.Headers, headers(auth.Parameters.Header)...)
	into.Query = append(into.Query, headers(auth.Parameters.Query)...)
	into.Body = append(into.Body, headers(auth.Parameters.Body)...)
	into.Authorize = s.authorizer(k, auth)
	return nil
}

func headers(list []Parameter) []plan.Header {
	var out []plan.Header
	for _, p := range list {
		out = append(out, plan.Header{Name: p.Name, Value: p.Value})
	}
	return out
}

// open finds a connection with its secrets.
func (s *Service) open(ctx context.Context, ref name.Ref) (*known, *Auth, error) {
	s.mu.Lock()
	k := s.connections[ref.Key()]
	if k == nil {
		s.mu.Unlock()
		return nil, nil, fmt.Errorf("%s: %w", ref, ErrNotFound)
	}
	auth, sealed, state := k.auth, k.sealed, k.State
	s.mu.Unlock()
	if state == Deauthorized || sealed == "" {
		return nil, nil, fmt.Errorf("%s is deauthorized: %w", ref, ErrUnavailable)
	}
	if auth != nil {
		return k, auth, nil
	}
	text, err := s.o.Sealer.Open(ctx, sealed, ref.Key())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ref, err)
	}
	auth = &Auth{}
	if err := json.Unmarshal(text, auth); err != nil {
		return nil, nil, fmt.Errorf("%s cannot be read: %w", ref, err)
	}
	s.mu.Lock()
	k.auth = auth // k has one sealed text as long as it lives
	s.mu.Unlock()
	return k, auth, nil
}

// authorizer makes what authorizes one call.
func (s *Service) authorizer(k *known, a *Auth) func(context.Context, bool) ([]plan.Header, error) {
	switch a.Type {
	case APIKey:
		return fixed(plan.Header{Name: a.Name, Value: a.Value})
	case Basic:
		return fixed(plan.Header{Name: "Authorization", Value: basic(a.User, a.Password)})
	}
	var used string // the token of the last attempt
	return func(ctx context.Context, stale bool) ([]plan.Header, error) {
		if !stale {
			used = ""
		}
		text, err := k.token.get(ctx, s, k.Ref, a.OAuth, used)
		if err != nil {
			return nil, err
		}
		used = text
		return []plan.Header{{Name: "Authorization", Value: text}}, nil
	}
}

func fixed(h plan.Header) func(context.Context, bool) ([]plan.Header, error) {
	return func(context.Context, bool) ([]plan.Header, error) { return []plan.Header{h}, nil }
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
