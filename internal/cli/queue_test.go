package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

func TestQueuesThroughTheirLife(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	n, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	do := func(in string, args ...string) result {
		t.Helper()
		return call(t, n, in, append(append([]string{"queue"}, args...), "--http", n.HTTPAddr())...)
	}
	do("", "list").mustHold(t, 0, "no queues yet")
	do("", "create", "dead").mustHold(t, 0, "dead")
	do("", "create", "orders", "--dead-letters", "dead", "--max-receives", "2", "--visibility", "1h", "--retention", "2d", "--tag", "team=shop").mustHold(t, 0, "orders", "dead after 2", "1h", "2d")
	do("", "create", "orders", "--visibility", "2h").mustHold(t, fail.Failed, "cannot create queue orders", "VisibilityTimeout")
	do("", "create", "a b").mustHold(t, fail.Usage, "a b")
	do("", "create", "x", "--visibility", "soon").mustHold(t, fail.Usage, "--visibility soon")
	do("", "send", "orders", "first", "--attribute", "kind=invoice").mustHold(t, 0, "ID")
	do("second\nthird\n", "send", "orders").mustHold(t, 0)
	do("", "send", "nowhere", "x").mustHold(t, fail.NotFound, "nowhere")
	do("", "describe", "orders", "-o", "json").mustHold(t, 0, `"waiting": 3`, `"in_flight": 0`)
	r := do("", "take", "orders", "-n", "3", "-o", "ndjson")
	r.mustHold(t, 0)
	var receipts []string
	for line := range strings.Lines(r.out) {
		var m struct{ Receipt string }
		if err := json.Unmarshal([]byte(line), &m); err != nil || m.Receipt == "" {
			t.Fatalf("%q: %v", line, err)
		}
		receipts = append(receipts, m.Receipt)
	}
	if len(receipts) != 3 {
		t.Fatalf("took %d messages, want 3: %s", len(receipts), r.out)
	}
	do("", "ack", "orders", receipts[0]).mustHold(t, 0, "acknowledged")
	do("", "ack", "orders", receipts[0]).mustHold(t, fail.Failed, "not good any more")
	do("", "extend", "orders", receipts[1], "--for", "2h").mustHold(t, 0, "extended")
	do("", "nack", "orders", receipts[1]).mustHold(t, 0, "given back")
	do("", "reject", "orders", receipts[2]).mustHold(t, 0, "rejected")
	do("", "take", "orders", "--ack").mustHold(t, 0, "BODY")
	do("", "take", "dead", "--wait", "20s", "-o", "json").mustHold(t, 0, `"dead_letter_of": "orders"`)
	call(t, n, "", "dlq", "redrive", "dead", "--yes").mustHold(t, 0, "where they came from")
	call(t, n, "", "dlq", "show", "dead", "--http", n.HTTPAddr()).mustHold(t, 0, "orders-0", "in_flight")
	do("", "explain", "dead").mustHold(t, 0, "in flight", "is free again in")
	call(t, n, "", "explain", "queue", "dead", "--http", n.HTTPAddr(), "-o", "ndjson").mustHold(t, 0, `"queue":"dead"`, `"finding":"1 message of partition 0 is in flight`)
	do("", "alter", "orders", "--visibility", "5s").mustHold(t, 0, "5s")
	do("", "alter", "orders").mustHold(t, fail.Usage, "nothing to change")
	do("", "send", "orders", "last").mustHold(t, 0)
	do("", "move", "start", "orders", "--to", "dead").mustHold(t, 0, "RUNNING")
	do("", "move", "list", "orders").mustHold(t, 0, "orders")
	do("", "purge", "dead", "--dry-run").mustHold(t, 0, "would be purged")
	do("", "purge", "dead").mustHold(t, 0, "purged")
	do("", "delete", "orders").mustHold(t, 0, "deleted")
	do("", "describe", "orders").mustHold(t, fail.NotFound, "orders")
	if r := do("", "list", "-o", "name"); r.out != "dead\n" {
		t.Errorf("queue list -o name: %q", r.out)
	}
}
