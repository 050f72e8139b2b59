package webhook_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"ottla/internal/event/webhook"
)

// The example of the specification.
const (
	secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	id        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	at        = 1614265330
	body      = `{"test": 2432232314}`
	signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func key(t *testing.T, text string) webhook.Key {
	t.Helper()
	k, err := webhook.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheExampleOfTheSpecificationIsSignedAlike(t *testing.T) {
	k := key(t, secret)
	got := webhook.Sign([]webhook.Key{k}, id, at, []byte(body))
	if want := (webhook.Signed{ID: id, Timestamp: "1614265330", Signature: signature}); got != want {
		t.Errorf("signed %+v, want %+v", got, want)
	}
	if err := webhook.Verify([]webhook.Key{k}, got, []byte(body), at+299); err != nil {
		t.Errorf("what was signed is not taken: %v", err)
	}
}

func TestOnlyWhatWasSignedIsTaken(t *testing.T) {
	k := key(t, secret)
	good := webhook.Sign([]webhook.Key{k}, id, at, []byte(body))
	for _, c := range []struct {
		what   string
		change func(*webhook.Signed)
		body   string
		now    int64
		want   error
	}{
		{"another body", func(*webhook.Signed) {}, body + " ", at, webhook.ErrSignature},
		{"another id", func(s *webhook.Signed) { s.ID += "x" }, body, at, webhook.ErrSignature},
		{"another time", func(s *webhook.Signed) { s.Timestamp = "1614265331" }, body, at, webhook.ErrSignature},
		{"no id", func(s *webhook.Signed) { s.ID = "" }, body, at, webhook.ErrUnsigned},
		{"no time", func(s *webhook.Signed) { s.Timestamp = "" }, body, at, webhook.ErrUnsigned},
		{"no number", func(s *webhook.Signed) { s.Timestamp = "now" }, body, at, webhook.ErrUnsigned},
		{"no signature", func(s *webhook.Signed) { s.Signature = "" }, body, at, webhook.ErrUnsigned},
		{"a signature of another version", func(s *webhook.Signed) { s.Signature = strings.Replace(s.Signature, "v1", "v9", 1) }, body, at, webhook.ErrSignature},
		{"the signature as one of ed25519", func(s *webhook.Signed) { s.Signature = strings.Replace(s.Signature, "v1", "v1a", 1) }, body, at, webhook.ErrSignature},
		{"too late", func(*webhook.Signed) {}, body, at + 300, webhook.ErrTime},
		{"too early", func(*webhook.Signed) {}, body, at - 300, webhook.ErrTime},
		{"a time without end", func(s *webhook.Signed) { s.Timestamp = "9223372036854775807" }, body, at, webhook.ErrTime},
	} {
		s := good
		c.change(&s)
		if err := webhook.Verify([]webhook.Key{k}, s, []byte(c.body), c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
}

// Who knows the old key, or the new one, or the public half of a pair, takes a call
// that is signed with all of them.
func TestKeysAreChangedWithoutAPause(t *testing.T) {
	drawn := make([]byte, 128)
	for i := range drawn {
		drawn[i] = byte(i)
	}
	random := bytes.NewReader(drawn)
	newer, err := webhook.NewSecret(random)
	if err != nil {
		t.Fatal(err)
	}
	private, public, err := webhook.NewPair(random)
	if err != nil {
		t.Fatal(err)
	}
	s := webhook.Sign([]webhook.Key{key(t, newer), key(t, secret), key(t, private)}, id, at, []byte(body))
	if n := len(strings.Split(s.Signature, " ")); n != 3 {
		t.Fatalf("%d signatures, want 3: %s", n, s.Signature)
	}
	for _, k := range []string{newer, secret, public} {
		if err := webhook.Verify([]webhook.Key{key(t, k)}, s, []byte(body), at); err != nil {
			t.Errorf("who has %s… does not take it: %v", k[:8], err)
		}
	}
	if key(t, public).Signs() {
		t.Error("a public key can sign")
	}
	other, err := webhook.NewSecret(random)
	if err != nil {
		t.Fatal(err)
	}
	if err := webhook.Verify([]webhook.Key{key(t, other)}, s, []byte(body), at); !errors.Is(err, webhook.ErrSignature) {
		t.Errorf("who has another key hears %v", err)
	}
}

func TestWhatIsNoKeyIsRefused(t *testing.T) {
	for _, text := range []string{"", "whsec_", "whsec_c2hvcnQ=", "whsec_!", "whsk_c2hvcnQ=", "whpk_c2hvcnQ=", "whsec_" + strings.Repeat("AAAA", 22),
		"whsk_" + strings.Repeat("A", 86) + "=="} {
		if _, err := webhook.ParseKey(text); !errors.Is(err, webhook.ErrKey) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever headers come, they are judged.
func FuzzVerify(f *testing.F) {
	k, err := webhook.ParseKey(secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(id, "1614265330", signature, []byte(body), int64(at))
	f.Add("", "", " , ,v1a,", []byte{}, int64(0))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte, now int64) {
		s := webhook.Signed{ID: id, Timestamp: timestamp, Signature: signature}
		if webhook.Verify([]webhook.Key{k}, s, body, now) != nil {
			return
		}
		at := webhook.Sign([]webhook.Key{k}, id, now, body)
		at.Timestamp, at.Signature = timestamp, signature
		if webhook.Verify([]webhook.Key{k}, at, append(body, '.'), now) == nil {
			t.Errorf("another body is taken, too: %+v", s)
		}
	})
}
