package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Names of the headers, as they are on the wire.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// toleranceSec is how far a call's time may be away.
const toleranceSec = 300

// mostSignatures bounds what is looked at in one header: anybody may send it.
const mostSignatures = 32

// What Verify finds, for errors.Is.
var (
	// ErrUnsigned: the headers are missing, or say nothing.
	ErrUnsigned = errors.New("the call is not signed as Standard Webhooks say")
	// ErrTime: it is too old, or too new.
	ErrTime = errors.New("the call's time is more than five minutes away")
	// ErrSignature: no signature is of a key that is known.
	ErrSignature = errors.New("no signature is right")
)

// Signed are the headers of a signed call.
type Signed struct{ ID, Timestamp, Signature string }

// Sign signs a call with every key that can, in their order.
func Sign(keys []Key, id string, atSec int64, body []byte) Signed {
	s := Signed{ID: id, Timestamp: strconv.FormatInt(atSec, 10)}
	text := content(s.ID, s.Timestamp, body)
	var all []string
	for _, k := range keys {
		if k.Signs() {
			all = append(all, k.sign(text))
		}
	}
	s.Signature = strings.Join(all, " ")
	return s
}

// Verify checks a call that came at a time: one signature must be of one of the keys.
func Verify(keys []Key, s Signed, body []byte, nowSec int64) error {
	if s.ID == "" || s.Timestamp == "" || s.Signature == "" {
		return ErrUnsigned
	}
	at, err := strconv.ParseInt(s.Timestamp, 10, 64)
	if err != nil || at < 0 {
		return fmt.Errorf("%w: its timestamp is no number of seconds", ErrUnsigned)
	}
	if at >= nowSec+toleranceSec || at <= nowSec-toleranceSec {
		return fmt.Errorf("%w: it says %d, and it is %d", ErrTime, at, nowSec)
	}
	text := content(s.ID, s.Timestamp, body)
	for _, one := range strings.SplitN(s.Signature, " ", mostSignatures) {
		version, sum, ok := strings.Cut(one, ",")
		raw, err := base64.StdEncoding.DecodeString(sum)
		if !ok || err != nil {
			continue // of a version that is to come
		}
		for _, k := range keys {
			if k.verifies(version, text, raw) {
				return nil
			}
		}
	}
	return ErrSignature
}

// content is what is signed.
func content(id, timestamp string, body []byte) []byte {
	out := make([]byte, 0, len(id)+len(timestamp)+len(body)+2)
	out = append(append(out, id...), '.')
	out = append(append(out, timestamp...), '.')
	return append(out, body...)
}

func (k Key) sign(text []byte) string {
	if k.private != nil {
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, text))
	}
	return "v1," + base64.StdEncoding.EncodeToString(k.sum(text))
}

func (k Key) sum(text []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write(text)
	return h.Sum(nil)
}

func (k Key) verifies(version string, text, signature []byte) bool {
	switch version {
	case "v1":
		return k.secret != nil && hmac.Equal(k.sum(text), signature)
	case "v1a":
		return k.public != nil && ed25519.Verify(k.public, text, signature)
	}
	return false
}
