package name

import (
	"strings"
	"testing"
)

func TestTheNearestWordIsASlipAway(t *testing.T) {
	known := []string{"prefix", "suffix", "wildcard", "exists"}
	for word, want := range map[string]string{"prefx": "prefix", "Prefix": "prefix", "sufix": "suffix", "exist": "exists", "regex": "", "": "", "wild-card": "wildcard", strings.Repeat("x", 1000): ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
