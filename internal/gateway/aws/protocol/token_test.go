package protocol

import (
	"encoding/base64"
	"testing"
)

func TestATokenIsOneThatWasAnswered(t *testing.T) {
	for _, next := range []string{"", "a", "default/nightly", "ä\x00"} {
		if got, ok := Behind(Token(next)); got != next || !ok {
			t.Errorf("%q: got %q, %v", next, got, ok)
		}
	}
	if Token("") != "" {
		t.Errorf("the end has the token %q", Token(""))
	}
	good := Token("rule-7")
	for _, bad := range []string{"garbage", "AAAA", "AAAAAA", base64.RawURLEncoding.EncodeToString([]byte("rule-7")), good + "A", good[1:], "%", good + "="} {
		if got, ok := Behind(bad); ok {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}
