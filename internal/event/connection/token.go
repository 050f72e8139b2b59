package connection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/outbound"
)

const (
	// defaultLifeMs is how long a token is kept that does not say how long it is good,
	// and marginMs how long before its end it is fetched anew.
	defaultLifeMs = 300_000
	marginMs      = 30_000
	mostLifeMs    = 24 * 3600_000
	// mostToken bounds a token: it is a header of every call.
	mostToken = 16 << 10
)

// token is what a connection's calls are authorized with at the moment.
type token struct {
	turn    chan struct{} // held by who reads or fetches it; see take
	text    string        // "Bearer …"; "" before the first
	untilMs int64
}

// get gives the token, and fetches it where there is none that is good, or the one that
// is there is the one that was refused.
func (t *token) get(ctx context.Context, s *Service, ref name.Ref, c *Client, refused string) (string, error) {
	s.mu.Lock()
	if t.turn == nil {
		t.turn = make(chan struct{}, 1)
	}
	turn := t.turn
	s.mu.Unlock()
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if t.text != "" && t.text != refused && s.nowMs() < t.untilMs {
		return t.text, nil
	}
	text, lifeMs, err := s.fetch(ctx, c)
	if err != nil {
		return "", fmt.Errorf("fetch a token for %s: %w", ref, err)
	}
	// One that lives shorter than the margin is used for half of its life.
	t.text, t.untilMs = text, s.nowMs()+max(lifeMs-marginMs, lifeMs/2)
	s.noteSoon(ref, nil)
	return text, nil
}

// fetch asks for a token.
func (s *Service) fetch(ctx context.Context, c *Client) (text string, lifeMs int64, err error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		return "", 0, fmt.Errorf("%w: %w", outbound.ErrForbidden, err)
	}
	query := u.Query()
	for _, p := range c.Parameters.Query {
		query.Set(p.Name, p.Value)
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	for _, p := range c.Parameters.Body {
		form.Set(p.Name, p.Value)
	}
	r := outbound.Request{Method: c.Method, Header: map[string]string{
		"Authorization": basic(url.QueryEscape(c.ID), url.QueryEscape(c.Secret)), "Accept": "application/json",
	}}
	if c.Method == http.MethodGet { // it has no body
		for k, v := range form {
			query[k] = v
		}
	} else {
		r.Header["Content-Type"], r.Body = "application/x-www-form-urlencoded", []byte(form.Encode())
	}
	for _, p := range c.Parameters.Header {
		r.Header[http.CanonicalHeaderKey(p.Name)] = p.Value
	}
	u.RawQuery = query.Encode()
	r.URL = u.String()
	a := s.o.HTTP.Do(ctx, r)
	if a.Judge() != outbound.Delivered {
		if a.Err != nil {
			return "", 0, a.Err
		}
		if a.Judge() == outbound.Refused {
			return "", 0, fmt.Errorf("%w: %s", errRefused, a.Why())
		}
		return "", 0, fmt.Errorf("%w: %s", ErrUnavailable, a.Why())
	}
	return readToken(a.Body)
}

// readToken reads the answer of who gives tokens (RFC 6749, 5.1).
func readToken(body []byte) (text string, lifeMs int64, err error) {
	var said struct {
		Token string      `json:"access_token"`
		Type  string      `json:"token_type"`
		Life  json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return "", 0, fmt.Errorf("%w: the answer is not {\"access_token\":…}: %w", ErrUnavailable, err)
	}
	if said.Token == "" || len(said.Token) > mostToken || strings.ContainsFunc(said.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", 0, fmt.Errorf("%w: the answer has no access_token that a header could have", ErrUnavailable)
	}
	lifeMs = defaultLifeMs
	if seconds, err := said.Life.Float64(); err == nil && seconds > 0 {
		lifeMs = int64(min(seconds*1000, mostLifeMs))
	}
	// Whatever case the type has, servers know Bearer (RFC 6750, 2.1).
	return "Bearer " + said.Token, lifeMs, nil
}

// errRefused says that who gives tokens gives this client none.
var errRefused = errors.New("the client is refused")

// authorizeTime bounds how long the first token may take, and noting that.
const authorizeTime = time.Minute

// authorize fetches the first token of a connection, which is noted. Where that cannot
// be told yet, the first call that is made with it tries again.
func (s *Service) authorize(ref name.Ref) {
	ctx, cancel := context.WithTimeout(s.ctx, authorizeTime)
	defer cancel()
	k, auth, err := s.open(ctx, ref)
	if err == nil {
		_, err = k.token.get(ctx, s, ref, auth.OAuth, "")
	}
	if errors.Is(err, errRefused) {
		s.noteSoon(ref, err)
	}
}

// noteSoon notes how a connection stands that was not known to be authorized.
func (s *Service) noteSoon(ref name.Ref, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.connections[ref.Key()]; k != nil && k.State == Authorizing && !s.closed {
		s.working.Go(func() { s.note(ref, err) })
	}
}

func (s *Service) note(ref name.Ref, why error) {
	ctx, cancel := context.WithTimeout(s.ctx, authorizeTime)
	defer cancel()
	for try := 1; try <= updates; try++ {
		o, st, err := s.current(ctx, ref)
		if err != nil || st.State != Authorizing {
			return // it was changed, or taken away
		}
		st.State, st.Reason, st.AuthorizedMs = Authorized, "", s.nowMs()
		if why != nil {
			st.State, st.Reason, st.AuthorizedMs = Deauthorized, why.Error(), 0
		}
		if _, err = s.write(ctx, o, st); err == nil || !errors.Is(err, ErrConflict) {
			if err != nil && s.ctx.Err() == nil {
				s.o.Logger.Warn("whether a connection is authorized could not be noted", "connection", ref.Name, "err", err)
			}
			return
		}
	}
}
