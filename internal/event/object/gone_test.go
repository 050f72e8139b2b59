package object

import (
	"strconv"
	"testing"
	"time"
)

func TestTheNewestDeletionsAreRemembered(t *testing.T) {
	var r removals
	now := time.Unix(1_800_000_000, 0)
	for i := range mostRemovals + 10 {
		r.add(removal{key: "k", change: "c" + strconv.Itoa(i), token: "t" + strconv.Itoa(i), at: now})
	}
	if len(r.ring) != mostRemovals {
		t.Errorf("%d are remembered, want %d", len(r.ring), mostRemovals)
	}
	for _, c := range []struct {
		n    int
		want bool
	}{{9, false}, {10, true}, {mostRemovals, true}, {mostRemovals + 9, true}} {
		if got := r.byChange("k", "c"+strconv.Itoa(c.n)); got != c.want {
			t.Errorf("change %d: %v, want %v", c.n, got, c.want)
		}
		if got := r.byToken("k", "t"+strconv.Itoa(c.n), now.Add(tokenWindow-1)); got != c.want {
			t.Errorf("token %d: %v, want %v", c.n, got, c.want)
		}
	}
	if r.byToken("k", "t20", now.Add(tokenWindow)) {
		t.Error("a token counts for ever")
	}
	if r.byToken("other", "t20", now) || r.byChange("other", "c20") {
		t.Error("another key's deletion is taken for this one's")
	}
}
