package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

// httpNode is a node in memory with an HTTP port, and a call of commands against both
// of its ports.
func httpNode(t *testing.T) (*ottla.Server, func(in string, args ...string) result) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	n, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, func(in string, args ...string) result {
		t.Helper()
		return call(t, n, in, append(args, "--http", n.HTTPAddr())...)
	}
}

// rejecting has a queue orders reject so many messages, {"n":i}, into the queue dead.
func rejecting(t *testing.T, do func(in string, args ...string) result, messages int) {
	t.Helper()
	do("", "queue", "create", "dead").mustHold(t, 0)
	do("", "queue", "create", "orders", "--dead-letters", "dead").mustHold(t, 0)
	rejected(t, do, messages)
}

// rejected rejects more messages.
func rejected(t *testing.T, do func(in string, args ...string) result, messages int) {
	t.Helper()
	var lines strings.Builder
	for i := range messages {
		fmt.Fprintf(&lines, "{\"n\":%d}\n", i)
	}
	do(lines.String(), "queue", "send", "orders").mustHold(t, 0)
	for left := messages; left > 0; {
		args := []string{"queue", "reject", "orders"}
		r := do("", "queue", "take", "orders", "-n", fmt.Sprint(left), "-o", "ndjson")
		for line := range strings.Lines(r.out) {
			var m struct{ Receipt string }
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			args = append(args, m.Receipt)
		}
		if len(args) == 3 {
			t.Fatalf("%d messages do not come: %+v", left, r)
		}
		do("", args...).mustHold(t, 0)
		left -= len(args) - 3
	}
	want, ctx := fmt.Sprintf("%d\n", messages), soon(t)
	for do("", "queue", "describe", "orders", "-o", "template={{.dead}}").out != want {
		if ctx.Err() != nil {
			t.Fatal("the letters do not come")
		}
	}
}

func TestDeadLettersOfQueuesAreInTheSameView(t *testing.T) {
	_, do := httpNode(t)
	rejecting(t, do, 4)
	do("", "dlq", "list").mustHold(t, 0, "dead", "queue", "orders", "4: the record was rejected by a member")
	do("", "dlq", "list", "-o", "ndjson").mustHold(t, 0, `"place":"dead","kind":"queue","topic":"dead","groups":["orders"],"exists":true,"waiting":4,"in_flight":0`, `"reasons":{"the record was rejected by a member":4}`)
	const row = "template={{.letter}} {{.origin_topic}} {{.group}} {{.deliveries}} {{.condition}} {{.value}}"
	do("", "dlq", "show", "dead", "--where", "body.n>=2", "-o", row).mustHold(t, 0, `orders queue.orders 1 waiting {"n":2}`, `orders queue.orders 1 waiting {"n":3}`)
	if r := do("", "dlq", "show", "orders", "--where", "body.n=1", "-o", row); strings.Count(r.out, "\n") != 1 || !strings.HasSuffix(r.out, `{"n":1}`+"\n") {
		t.Errorf("by the name of the queue that they came from: %+v", r)
	}
	if r := do("", "dlq", "show", "dead", "-n", "3", "-o", "name"); strings.Count(r.out, "\n") != 3 {
		t.Errorf("three: %q", r.out)
	}
	do("", "dlq", "show", "dead", "--where", "older=1h").mustHold(t, 0, "no dead letters wait")
	do("", "dlq", "show", "dead", "--where", "colour=red").mustHold(t, fail.Usage, "letters are chosen by")
	do("", "dlq", "show", "nowhere").mustHold(t, fail.NotFound, "there are no dead letters of nowhere")

	do("", "dlq", "redrive", "dead", "--where", "body.n<2", "--dry-run").mustHold(t, 0, "orders", "2", "would be put back")
	do("", "dlq", "redrive", "dead", "--where", "body.n<2", "-o", "ndjson").mustHold(t, 0, `"topic":"dead","to":"where they came from","letters":2,"result":"put back"`)
	do("", "dlq", "moves", "dead").mustHold(t, 0, "COMPLETED")
	do("", "queue", "describe", "orders", "-o", "template={{.waiting}} {{.dead}}").mustHold(t, 0, "2 2\n")
	do("", "dlq", "redrive", "dead", "--to", "dead").mustHold(t, fail.Usage, "that is where the letters are")
	do("", "dlq", "redrive", "dead", "--to", "nowhere").mustHold(t, fail.NotFound, "nowhere")
	do("", "dlq", "redrive", "orders", "--rate", "1000").mustHold(t, 0, "put back", "2")
	do("", "dlq", "list", "-o", "template={{.waiting}}").mustHold(t, 0, "0\n")
}

func TestQueuesAreMeasured(t *testing.T) {
	n, do := httpNode(t)
	rejecting(t, do, 3)
	for path, rows := range map[string][]string{
		"/metrics": {`ottla_queue_messages_sent_total{queue="orders"} 3`, `ottla_queue_messages_taken_total{queue="orders"} 3`,
			`ottla_queue_messages_rejected_total{queue="orders"} 3`, `ottla_queue_dead_letters_total{queue="orders"} 3`},
		"/metrics/detail": {`ottla_queue_waiting_messages{queue="dead"} 3`, `ottla_queue_waiting_messages{queue="orders"} 0`, `ottla_queue_sources{queue="dead"} 1`,
			`ottla_queue_in_flight_messages{queue="orders"} 0`, "ottla_detail_entries_omitted 0"},
		"/readyz": {"ok        doors: Kafka at " + n.Addr() + "; at " + n.HTTPAddr() + " queues (/q)"},
	} {
		lacks, page, ctx := rows[0], "", soon(t)
		for lacks != "" && ctx.Err() == nil { // a letter is counted when it is written: it may be seen before
			page, lacks = fetch(t, "http://"+n.HTTPAddr()+path), ""
			for _, row := range rows {
				if !strings.Contains(page, row) {
					lacks = row
				}
			}
		}
		if lacks != "" {
			t.Errorf("%s lacks %s:\n%s", path, lacks, page)
		}
	}
}

// soon ends when what must happen has not; it is no expectation of speed.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestALetterOfAQueueIsMendedAndPutBack(t *testing.T) {
	_, do := httpNode(t)
	rejecting(t, do, 3)
	do("mended", "dlq", "edit", "dead-0@0", "--body", "-").mustHold(t, 0, "dead-0@0", "orders-0@", "mended and put back")
	dir := t.TempDir()
	file := filepath.Join(dir, "new.json")
	if err := os.WriteFile(file, []byte(`{"n":100}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VISUAL", "")
	t.Setenv("EDITOR", "")
	do("", "dlq", "edit", "dead-0@1").mustHold(t, fail.Usage, "there is no editor")
	t.Setenv("EDITOR", "true --wait")
	do("", "dlq", "edit", "dead-0@1").mustHold(t, fail.Failed, "its body was not changed")
	t.Setenv("EDITOR", "false")
	do("", "dlq", "edit", "dead-0@1").mustHold(t, fail.Failed, "stays as it is")
	t.Setenv("EDITOR", "cp '"+file+"'")
	do("", "dlq", "edit", "dead-0@1").mustHold(t, 0, "mended and put back")
	do("", "dlq", "show", "dead", "-o", "template={{.value}}").mustHold(t, 0, `{"n":2}`+"\n")
	r := do("", "queue", "take", "orders", "-n", "9", "-o", "template={{.body}}")
	if !strings.Contains(r.out, "mended\n") || !strings.Contains(r.out, `{"n":100}`+"\n") || strings.Count(r.out, "\n") != 2 {
		t.Errorf("took %q", r.out)
	}
	do("x", "dlq", "edit", "dead-0@0", "--body", "-").mustHold(t, fail.NotFound, "there is no dead letter dead-0@0")
	do("x", "dlq", "edit", "elsewhere-0@0", "--body", "-").mustHold(t, fail.NotFound)
}

func TestARedriveOfAQueueGoesOnAlone(t *testing.T) {
	_, do := httpNode(t)
	rejecting(t, do, 100)
	r := do("", "dlq", "redrive", "dead", "--rate", "1", "--detach", "-o", "template={{.result}} {{.handle}}")
	r.mustHold(t, 0, "under way ")
	handle := strings.TrimSpace(strings.TrimPrefix(r.out, "under way "))
	do("", "dlq", "redrive", "dead").mustHold(t, fail.Failed, "a move from that queue is under way")
	do("", "dlq", "moves", "dead").mustHold(t, 0, handle)
	do("", "dlq", "cancel", handle).mustHold(t, 0, handle)
	ctx := soon(t)
	for !strings.Contains(do("", "dlq", "moves", "dead", "-o", "template={{.status}}").out, "CANCELLED") {
		if ctx.Err() != nil {
			t.Fatal("the redrive does not end")
		}
	}
	do("", "dlq", "redrive", "dead", "--yes").mustHold(t, 0, "put back")
	do("", "queue", "describe", "orders", "-o", "template={{.waiting}} {{.dead}}").mustHold(t, 0, "100 0\n")
}
