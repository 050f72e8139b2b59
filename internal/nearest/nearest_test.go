package nearest

import (
	"strings"
	"testing"
)

func TestTheNearestWordIsASlipAway(t *testing.T) {
	operators := []string{"prefix", "suffix", "wildcard", "exists"}
	settings := []string{"log.dirs", "log.retention.ms", "log.retention.bytes", "log.roll.ms", "node.id"}
	places := []string{"id", "to", "order", "orders", "shop"}
	for _, c := range []struct {
		word  string
		known []string
		want  string
	}{
		{"prefx", operators, "prefix"},
		{"Prefix", operators, "prefix"},
		{"PREFX", operators, "prefix"},
		{"sufix", operators, "suffix"},
		{"exist", operators, "exists"},
		{"wild-card", operators, "wildcard"},
		{"pattern", operators, ""},
		{"prefix", operators, "prefix"},
		{"", operators, ""},
		{strings.Repeat("x", 1000), operators, ""},
		{"log.retetnion.ms", settings, "log.retention.ms"},
		{"LOG.RETENTION.MS", settings, "log.retention.ms"},
		{"log.retention", settings, "log.retention.ms"},
		{"logs.retain.ms", settings, ""}, // half of it is right
		{"broker.id", settings, ""},
		{"ordrs", places, "orders"},
		{"odrers", places, "orders"},
		{"odrer", places, "order"},
		{"jobs", places, ""},
		{"other", places, ""}, // order: two slips of five letters
		{"i", places, ""},
		{"t", places, ""},
		{"shpo", places, "shop"},
	} {
		if got := Of(c.word, c.known); got != c.want {
			t.Errorf("%.40q: got %q, want %q", c.word, got, c.want)
		}
	}
}

// naiveDistance is the textbook recursion.
func naiveDistance(a, b string) int {
	switch {
	case a == "":
		return len(b)
	case b == "":
		return len(a)
	}
	cost := 1
	if a[len(a)-1] == b[len(b)-1] {
		cost = 0
	}
	x, y := a[:len(a)-1], b[:len(b)-1]
	d := min(naiveDistance(x, b)+1, naiveDistance(a, y)+1, naiveDistance(x, y)+cost)
	if len(a) > 1 && len(b) > 1 && a[len(a)-1] == b[len(b)-2] && a[len(a)-2] == b[len(b)-1] {
		d = min(d, naiveDistance(a[:len(a)-2], b[:len(b)-2])+1)
	}
	return d
}

func TestDistanceAgreesWithTheTextbook(t *testing.T) {
	words := []string{"", "a", "ab", "ba", "abc", "acb", "cab", "abcd", "bacd", "xyz", "log.m", "lgo.m"}
	for _, a := range words {
		for _, b := range words {
			if got, want := distance(a, b, 100), naiveDistance(a, b); got != want {
				t.Errorf("%q to %q: got %d, want %d", a, b, got, want)
			}
		}
	}
	if got := distance("abc", "abcdefgh", 3); got != 3 {
		t.Errorf("too far apart: got %d, want the limit", got)
	}
}
