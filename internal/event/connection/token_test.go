package connection

import (
	"strings"
	"testing"
)

func TestWhatIsNoTokenIsRefused(t *testing.T) {
	for _, body := range []string{"", "{}", "token", `{"access_token":""}`, `{"access_token":"a b"}`, "{\"access_token\":\"a\\r\\nX: y\"}", `{"access_token":"` + strings.Repeat("x", mostToken+1) + `"}`} {
		if text, _, err := readToken([]byte(body)); err == nil {
			t.Errorf("%.40q gives %q", body, text)
		}
	}
	for body, want := range map[string]int64{
		`{"access_token":"t"}`: defaultLifeMs, `{"access_token":"t","expires_in":60}`: 60_000, `{"access_token":"t","expires_in":"60"}`: 60_000, `{"access_token":"t","expires_in":1e300}`: mostLifeMs,
	} {
		if text, life, err := readToken([]byte(body)); err != nil || text != "Bearer t" || life != want {
			t.Errorf("%s gives %q for %d ms: %v", body, text, life, err)
		}
	}
}

// Whoever answers, what is taken can be a header.
func FuzzReadToken(f *testing.F) {
	f.Add([]byte(`{"access_token":"t","token_type":"bearer","expires_in":3600}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		text, life, err := readToken(body)
		if err == nil && (strings.ContainsAny(text, "\r\n\x00") || life <= 0 || life > mostLifeMs) {
			t.Errorf("%q for %d ms", text, life)
		}
	})
}
