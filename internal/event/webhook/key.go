package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// How the texts of keys begin.
const (
	secretPrefix  = "whsec_" // of HMAC
	privatePrefix = "whsk_"  // of ed25519, to sign
	publicPrefix  = "whpk_"  // of ed25519, to verify
)

// How many bytes a secret may have, and how many one has that is drawn.
const (
	leastSecret = 24
	mostSecret  = 64
	drawnSecret = 32
)

// ErrKey says that a text is no key.
var ErrKey = errors.New("that is no key of Standard Webhooks")

// Key signs and verifies; one of whpk_ verifies alone.
type Key struct {
	secret  []byte
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// ParseKey reads the text of a key: whsec_, whsk_ or whpk_ and base64, or base64
// alone, which is a secret.
func ParseKey(text string) (Key, error) {
	kind, rest := secretPrefix, text
	for _, p := range []string{secretPrefix, privatePrefix, publicPrefix} {
		if after, ok := strings.CutPrefix(text, p); ok {
			kind, rest = p, after
		}
	}
	raw, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return Key{}, fmt.Errorf("%w: behind its prefix it is not base64", ErrKey)
	}
	switch kind {
	case privatePrefix:
		return privateKey(raw)
	case publicPrefix:
		if len(raw) != ed25519.PublicKeySize {
			return Key{}, fmt.Errorf("%w: a public key has %d bytes, this has %d", ErrKey, ed25519.PublicKeySize, len(raw))
		}
		return Key{public: raw}, nil
	}
	if len(raw) < leastSecret || len(raw) > mostSecret {
		return Key{}, fmt.Errorf("%w: a secret has %d to %d bytes, this has %d", ErrKey, leastSecret, mostSecret, len(raw))
	}
	return Key{secret: raw}, nil
}

// privateKey takes the 32 bytes of a seed, or those and the public key's.
func privateKey(raw []byte) (Key, error) {
	switch len(raw) {
	case ed25519.SeedSize:
	case ed25519.PrivateKeySize:
		if !ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize]).Equal(ed25519.PrivateKey(raw)) {
			return Key{}, fmt.Errorf("%w: the two halves of the private key do not belong together", ErrKey)
		}
	default:
		return Key{}, fmt.Errorf("%w: a private key has %d or %d bytes, this has %d", ErrKey, ed25519.SeedSize, ed25519.PrivateKeySize, len(raw))
	}
	private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	return Key{private: private, public: private.Public().(ed25519.PublicKey)}, nil
}

// NewSecret draws a secret and gives its text.
func NewSecret(random io.Reader) (string, error) {
	raw := make([]byte, drawnSecret)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(raw), nil
}

// NewPair draws a pair of ed25519 and gives the texts of both keys.
func NewPair(random io.Reader) (private, public string, err error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return "", "", fmt.Errorf("draw a pair of keys: %w", err)
	}
	k := ed25519.NewKeyFromSeed(seed)
	return privatePrefix + base64.StdEncoding.EncodeToString(k), publicPrefix + base64.StdEncoding.EncodeToString(k[ed25519.SeedSize:]), nil
}

// Signs tells whether the key can sign.
func (k Key) Signs() bool { return k.secret != nil || k.private != nil }
