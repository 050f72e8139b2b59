package sns

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"

	"ottla/internal/event/name"
)

// A token is the subscription's id without its dashes, then as many digits as nobody
// guesses.
const (
	tokenID   = 32
	tokenSize = tokenID + 64
)

// newToken draws a token.
func newToken(ref name.Ref) string {
	_, id, _ := name.Split(ref.Name)
	var b [(tokenSize - tokenID) / 2]byte
	rand.Read(b[:]) // it does not fail
	return strings.ReplaceAll(id, "-", "") + hex.EncodeToString(b[:])
}

// tokenRef is the subscription of a token, if it is one.
func tokenRef(topic name.Ref, token string) (name.Ref, bool) {
	if len(token) != tokenSize || strings.Trim(token, "0123456789abcdef") != "" {
		return name.Ref{}, false
	}
	ref := subscriptionsOf(topic)
	ref.Name += strings.Join([]string{token[:8], token[8:12], token[12:16], token[16:20], token[20:32]}, "-")
	return ref, true
}

// Confirm confirms a subscription with the token that its address was sent; one that
// is confirmed stays as it is. authenticate has it ended by signed calls only.
func (s *Service) Confirm(ctx context.Context, topic name.Ref, token string, authenticate bool) (sub Subscription, err error) {
	if _, err := s.Get(ctx, topic); err != nil {
		return Subscription{}, err
	}
	ref, ok := tokenRef(topic, token)
	if !ok {
		return Subscription{}, invalidf("Token", "it is none")
	}
	err = again(ctx, func() error {
		old, err := s.Subscription(ctx, ref)
		if errors.Is(err, ErrNotFound) || err == nil && subtle.ConstantTimeCompare([]byte(old.Token), []byte(token)) != 1 {
			return invalidf("Token", "nothing waits for it: it is of another subscription, or older than three days")
		}
		if err != nil || !old.Pending {
			sub = old
			return err
		}
		t, err := s.Get(ctx, topic)
		if err != nil {
			return err
		}
		spec := old.clone()
		spec.Pending, spec.Authenticated = false, authenticate
		if spec.From, err = s.ends(ctx, t.Topic); err != nil {
			return err
		}
		sub, err = s.putSubscription(ctx, &t, &old, &spec)
		return err
	})
	return sub, err
}
