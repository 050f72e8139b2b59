package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

// withHTTP is a node in memory that has an HTTP port.
func withHTTP(t *testing.T, o ottla.Options) *ottla.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	o.HTTP = "127.0.0.1:0"
	n, err := ottla.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// schedules runs a command of schedules against n.
func schedules(t *testing.T, n *ottla.Server, in string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var out, errOut bytes.Buffer
	args = append(append([]string{"schedule"}, args...), "--http", n.HTTPAddr())
	return result{Run(ctx, args, strings.NewReader(in), &out, &errOut), out.String(), errOut.String()}
}

func TestASchedulesLifeByCommands(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	call(t, n, "", "topic", "create", "jobs").mustHold(t, 0)
	schedules(t, n, "", "list").mustHold(t, 0, "no schedules")
	put := []string{"put", "nightly", "--cron", "30 2 * * MON-FRI", "--zone", "Europe/Berlin", "--topic", "jobs", "--input", "-", "-H", "tenant=a", "--retries", "3"}
	schedules(t, n, "report", append(put, "--dry-run")...).mustHold(t, 0, "NEXT RUNS", "T02:30:00+0")
	schedules(t, n, "", "show", "nightly").mustHold(t, fail.NotFound, "cannot show schedule nightly")
	r := schedules(t, n, "report", put...)
	r.mustHold(t, 0, "nightly", "30 2 * * MON-FRI", "Europe/Berlin", "enabled", "topic jobs", "NEXT RUNS")
	if runs := strings.Count(r.out, "T02:30:00+0"); runs != 10 {
		t.Errorf("%d next runs are shown, want 10:\n%s", runs, r.out)
	}
	schedules(t, n, "", "list").mustHold(t, 0, "nightly", "default", "topic jobs")
	if r := schedules(t, n, "", "list", "-o", "name"); r.out != "nightly\n" {
		t.Errorf("list -o name: %q", r.out)
	}
	var shown struct {
		Retries int
		Target  struct {
			Input   string
			Headers map[string]string
		}
	}
	r = schedules(t, n, "", "show", "nightly", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &shown); err != nil || shown.Retries != 3 || shown.Target.Input != "report" || shown.Target.Headers["tenant"] != "a" {
		t.Errorf("%s: %v", r.out, err)
	}
	var runs []struct{ Run time.Time }
	r = schedules(t, n, "", "next", "nightly", "-n", "3", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &runs); err != nil || len(runs) != 3 || !runs[1].Run.After(runs[0].Run) {
		t.Errorf("%s: %v", r.out, err)
	}
	schedules(t, n, "", "pause", "nightly").mustHold(t, 0, "paused")
	schedules(t, n, "", "show", "nightly").mustHold(t, 0, "paused", "no runs to come")
	schedules(t, n, "", "resume", "nightly").mustHold(t, 0, "resumed")
	schedules(t, n, "", "delete", "nightly", "never").mustHold(t, fail.Partly, "deleted", "cannot delete schedule never")
	schedules(t, n, "", "list").mustHold(t, 0, "no schedules")
}

func TestASchedulesPlacesByCommands(t *testing.T) {
	n, came := withFunction(t)
	do := commands(t, n)
	do("", "bus", "create", "shop").mustHold(t, 0)
	do("", "sns", "topic", "create", "offers").mustHold(t, 0)
	do("", "queue", "create", "orders").mustHold(t, 0)
	do("", "schedule", "put", "event", "--every", "1d", "--bus", "shop", "--type", "OrdersDue", "--source", "billing", "--input", `{"day":"<aws.scheduler.scheduled-time>"}`).mustHold(t, 0, "bus shop", "NEXT RUNS")
	do("", "schedule", "put", "message", "--every", "1d", "--sns", "offers", "--input", "hello", "-H", "lang=de").mustHold(t, 0, "sns offers")
	do("", "schedule", "put", "call", "--every", "1d", "--function", "bill", "--input", `{"n":1}`).mustHold(t, 0, "function bill")
	do("", "schedule", "put", "sent", "--every", "1d", "--queue", "order", "--input", "x").mustHold(t, fail.Usage, "there is no queue order; did you mean orders?")
	do("", "schedule", "list").mustHold(t, 0, "bus shop", "sns offers", "function bill")
	select {
	case event := <-came:
		if event != `{"n":1}` {
			t.Errorf("the function got %s", event)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the function was not called")
	}
	call(t, n, "", "consume", "shop", "-n", "1", "-f", "%v\n").mustHold(t, 0, `{"day":"20`)
	call(t, n, "", "consume", "offers", "-n", "1", "-f", "%v\n").mustHold(t, 0, "hello")
}

func TestASchedulesMistakesAreNamed(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	for _, c := range []struct {
		args string
		code int
		part string
	}{
		{"put a --topic t --input x", fail.Usage, "--at, --every and --cron"},
		{"put a --every 5m --at +10m --topic t", fail.Usage, "--at, --every and --cron"},
		{"put a --every 5m --topic t", fail.Usage, "there is no topic t"},
		{"put a --every 5m --queue q", fail.Usage, "there is no queue q"},
		{"put a --every 5m --bus shop", fail.Usage, "there is no bus shop"},
		{"put a --every 5m --bus default --input text", fail.Usage, "a JSON object"},
		{"put a --every 5m --sns offers --input x", fail.Usage, "there is no sns offers"},
		{"put a --every 5m --function bill", fail.Usage, "there is no function bill"},
		{"put a --every 5m --queue q --type T", fail.Usage, "for a bus"},
		{"put a --every 1.5s --queue q", fail.Usage, "whole seconds"},
		{"put a --every xd --queue q", fail.Usage, "--every xd"},
		{"put a --at +x --queue q", fail.Usage, "--at +x"},
		{"put a --at +1h --zone Nowhere --queue q", fail.Usage, "--zone Nowhere"},
		{"put a --at 2020-01-01T00:00:00 --queue q", fail.Usage, "is past"},
		{"put a --every 1h --queue q --start tomorrow", fail.Usage, "--start tomorrow"},
		{"put a --every 1h --queue q -H x", fail.Usage, "NAME=VALUE"},
		{"put a --every 1h --queue q --input x --input-file y", fail.Usage, "give one"},
		{"put a --every 1h --queue q --missed some", fail.Usage, "missed"},
		{"put a --every 1h --url ftp://x", fail.Usage, "target.url"},
		{"next nothing", fail.NotFound, "nothing"},
	} {
		schedules(t, n, "", strings.Fields(c.args)...).mustHold(t, c.code, c.part)
	}
	r := schedules(t, n, "", "put", "a", "--cron", "61 * * * *", "--queue", "q")
	r.mustHold(t, fail.Usage, "minutes", "61 is outside 0 to 59")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out, errOut bytes.Buffer
	code := Run(ctx, []string{"schedule", "list", "--http", "127.0.0.1:1"}, strings.NewReader(""), &out, &errOut)
	result{code, out.String(), errOut.String()}.mustHold(t, fail.Unreachable, "connection refused", "--http")
}
