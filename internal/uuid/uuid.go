// Package uuid is the 16-byte identifier of topics, directories, clusters and
// incarnations, written as Kafka writes it: 22 characters of URL-safe base64
// without padding. Outside of Kafka's world it is written as RFC 9562 says.
package uuid

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
)

// UUID is an identifier; the zero value means none.
type UUID [16]byte

// String gives Kafka's text form.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// Standard gives the text form of RFC 9562, in groups of hexadecimal digits.
func (u UUID) Standard() string {
	var out [36]byte
	at := 0
	for i, size := range [...]int{4, 2, 2, 2, 6} {
		if i > 0 {
			out[2*at+i-1] = '-'
		}
		hex.Encode(out[2*at+i:], u[at:at+size])
		at += size
	}
	return string(out[:])
}

// IsZero tells whether u is the identifier that means none.
func (u UUID) IsZero() bool { return u == UUID{} }

// Parse reads Kafka's text form.
func Parse(s string) (UUID, error) {
	var u UUID
	if len(s) != 22 {
		return u, fmt.Errorf("identifier %q has %d characters, want 22 of URL-safe base64", s, len(s))
	}
	if _, err := base64.RawURLEncoding.Decode(u[:], []byte(s)); err != nil {
		return UUID{}, fmt.Errorf("identifier %q is not URL-safe base64: %w", s, err)
	}
	return u, nil
}

// New draws a version-4 identifier from r (crypto/rand.Reader in the product,
// a seeded source in simulations). Like Kafka it never returns one that starts
// with "-", so that tools can take it as an argument.
func New(r io.Reader) (UUID, error) {
	for {
		var u UUID
		if _, err := io.ReadFull(r, u[:]); err != nil {
			return UUID{}, fmt.Errorf("draw an identifier: %w", err)
		}
		u[6] = u[6]&0x0f | 0x40
		u[8] = u[8]&0x3f | 0x80
		if u.String()[0] != '-' {
			return u, nil
		}
	}
}
