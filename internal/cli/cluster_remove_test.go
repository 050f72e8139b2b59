package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
	"ottla/test/rig/trio"
)

// A node that is taken out for good leaves no vote behind, and does not come back
// with its old directory: it is told what to do instead.
func TestANodeIsRemovedForGood(t *testing.T) {
	c := trio.Start(t, trio.Options{Settings: map[string]string{"min.insync.replicas": "1"}})
	onThree(t, c, "topic", "create", "t", "--partitions", "3", "--replicas", "3").mustHold(t, 0)
	onThree(t, c, "cluster", "remove", "9").mustHold(t, fail.NotFound, "there is no node 9")
	onThree(t, c, "cluster", "remove", "3").mustHold(t, fail.Failed, "3 partitions would lose a replica", "cluster drain 3")
	onThree(t, c, "cluster", "drain", "3", "--leaders", "--remove").mustHold(t, fail.Usage, "not removed")
	onThree(t, c, "topic", "delete", "t").mustHold(t, 0)
	c.Stop(3)
	here := strings.Join(c.Addrs()[:2], ",")
	call(t, nil, "", "cluster", "remove", "3", "-b", here).mustHold(t, 0, "3  true")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for there := true; there; { // the other node hears of it a moment later
		r := call(t, nil, "", "cluster", "nodes", "-b", here, "-o", "name")
		there = strings.Contains(r.out, "3")
		if r.code != 0 || ctx.Err() != nil {
			t.Fatalf("node 3 is still there: %s%s", r.out, r.err)
		}
	}
	back, err := ottla.Start(ctx, ottla.Options{Dir: c.Dir(3), NodeID: 3, Listen: c.Addrs()[2]})
	if err == nil {
		t.Fatalf("it serves again: %v", back.Close())
	}
	if text := err.Error(); !strings.Contains(text, "node 3 was removed from this cluster") || !strings.Contains(text, "empty data directory") {
		t.Errorf("it is told: %v", err)
	}
}
