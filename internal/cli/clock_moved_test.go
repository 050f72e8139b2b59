package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

// putEvents is PutEvents of one event at the door for AWS's SDKs.
func putEvents(t *testing.T, n *ottla.Server, bus, detail string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	body := `{"Entries":[{"EventBusName":"` + bus + `","Source":"app","DetailType":"T","Detail":"` + detail + `"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.HTTPAddr()+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(got), `"FailedEntryCount":0`) {
		t.Fatalf("put %s: %s %s", body, resp.Status, got)
	}
}

// Where the clock was moved back, what is written is older than the machine's time says,
// and where it was moved forward, it is of a time that is to come.
func TestEventsGoOnWhereverTheClockIsMoved(t *testing.T) {
	o := ottla.Options{Clock: new(ottla.Clock)}
	n := withHTTP(t, o)
	do := commands(t, n)
	taken := func(queue, want string) {
		t.Helper()
		do("", "queue", "take", queue, "--wait", "20s", "--ack", "-o", "json").mustHold(t, 0, `"body"`, want)
	}
	through := func(of, id string) { // what was made in one turn works in it, and later
		t.Helper()
		putEvents(t, n, "bus-"+of, `{\"id\":\"`+id+`\"}`)
		taken("ruled-"+of, id)
		do("", "sns", "publish", "news-"+of, id).mustHold(t, 0)
		taken("told-"+of, id)
		do("", "queue", "send", "sent-"+of, id).mustHold(t, 0)
		taken("sent-"+of, id)
		do("", "queue", "send", "late-"+of, id, "--delay", "1s").mustHold(t, 0)
		if err := o.Clock.Advance(t.Context(), time.Second); err != nil { // what came of calls is noted then, too
			t.Fatal(err)
		}
		taken("late-"+of, id)
	}
	moves := []time.Duration{0, -2 * time.Hour, 4 * time.Hour, -72 * time.Hour}
	var mu sync.Mutex
	called := map[string]bool{}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var event struct{ Detail struct{ ID string } }
		if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		called[event.Detail.ID] = true
	}))
	defer hook.Close()
	for i, d := range moves {
		if err := o.Clock.Advance(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		of := string(rune('a' + i))
		for _, q := range []string{"ruled-", "told-", "sent-", "late-", "run-"} {
			do("", "queue", "create", q+of).mustHold(t, 0)
		}
		do("", "bus", "create", "bus-"+of).mustHold(t, 0)
		do("", "rule", "put", "all", "--bus", "bus-"+of, "--pattern", `{"source":["app"]}`, "--to", "queue:ruled-"+of, "--to", hook.URL).mustHold(t, 0)
		do("", "sns", "topic", "create", "news-"+of).mustHold(t, 0)
		do("", "sns", "subscribe", "news-"+of, "queue:told-"+of).mustHold(t, 0)
		do("", "schedule", "put", "now-"+of, "--every", "1d", "--queue", "run-"+of, "--input", "x").mustHold(t, 0)
		taken("run-"+of, "x")
		through(of, "first-"+of)
		if i > 0 {
			through("a", "again-"+of)
		}
	}
	await(soon(t), t, "each event is called with", func() (string, bool) { // one in each turn, and of the first also in the others
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprint(called), len(called) == 7
	})
	if err := o.Clock.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	call(t, n, "", "webhook", "attempts").mustHold(t, 0, "bus-d/all", "200", "taken")
}

// A message is as old as it is, also where the clock shows a time before it was sent.
func TestDeadLettersGoOnWhereverTheClockIsMoved(t *testing.T) {
	o := ottla.Options{Clock: new(ottla.Clock)}
	n := withHTTP(t, o)
	do := commands(t, n)
	do("", "queue", "create", "dead").mustHold(t, 0)
	do("", "queue", "create", "work", "--dead-letters", "dead").mustHold(t, 0)
	for _, d := range []time.Duration{-2 * time.Hour, 72 * time.Hour, -100 * time.Hour} {
		do("", "queue", "send", "work", "poison").mustHold(t, 0)
		if err := o.Clock.Advance(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		var got struct{ Receipt string }
		if r := do("", "queue", "take", "work", "--wait", "20s", "-o", "ndjson"); json.Unmarshal([]byte(r.out), &got) != nil || got.Receipt == "" {
			t.Fatalf("%v: nothing is to be taken: %s%s", d, r.out, r.err)
		}
		do("", "queue", "reject", "work", got.Receipt).mustHold(t, 0)
		await(soon(t), t, "the letter comes", func() (string, bool) {
			r := do("", "queue", "describe", "dead", "-o", "template={{.waiting}}")
			return r.out, r.out == "1\n"
		})
		do("", "dlq", "redrive", "dead").mustHold(t, 0)
		do("", "queue", "take", "work", "--wait", "20s", "--ack").mustHold(t, 0, "poison")
	}
}

// Kafka clients date their records by their machine's clock.
func TestWhatAKafkaClientMaySendWhereTheClockWasMovedBack(t *testing.T) {
	o := ottla.Options{Clock: new(ottla.Clock)}
	n := withHTTP(t, o)
	if err := o.Clock.Advance(t.Context(), -2*time.Hour); err != nil {
		t.Fatal(err)
	}
	for topic, setting := range map[string]string{"far": "message.timestamp.after.max.ms=10800000", "own": "message.timestamp.type=LogAppendTime", "near": ""} {
		args := []string{"topic", "create", topic}
		if setting != "" {
			args = append(args, "--config", setting)
		}
		call(t, n, "", args...).mustHold(t, 0)
		if got := call(t, n, "", "produce", topic, "x"); (got.code == 0) != (setting != "") {
			t.Errorf("%s: exit code %d: %s", topic, got.code, got.err)
		}
	}
	call(t, n, "", "produce", "near", "x").mustHold(t, fail.Failed, "The timestamp of the message is out of acceptable range")
}
