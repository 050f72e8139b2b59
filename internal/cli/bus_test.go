package cli

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

// putEvent puts one event into a bus over HTTP.
func putEvent(t *testing.T, n *ottla.Server, bus, event string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+n.HTTPAddr()+"/bus/"+bus+"/events", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("put %s: %s", event, resp.Status)
	}
}

// commands gives what runs commands against n.
func commands(t *testing.T, n *ottla.Server) func(in string, args ...string) result {
	return func(in string, args ...string) result {
		t.Helper()
		return call(t, n, in, append(args, "--http", n.HTTPAddr())...)
	}
}

func TestARulesLifeByCommands(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	do("", "bus", "list").mustHold(t, 0, "default")
	do("", "rule", "list").mustHold(t, 0, "no rules yet")
	do("", "bus", "create", "shop", "--retention", "30d", "--tag", "team=shop").mustHold(t, 0, "shop", "30d")
	do("", "bus", "create", "shop").mustHold(t, fail.Failed, "cannot create bus shop", "there is one of that name")
	do("", "bus", "alter", "shop", "--retention", "forever").mustHold(t, 0, "for ever")
	do("", "queue", "create", "billing").mustHold(t, 0)
	do("", "rule", "put", "big", "--bus", "shop", "--pattern", `{"detail":{"total":[{"nummeric":[">=",100]}]}}`, "--to", "queue:billing").
		mustHold(t, fail.Usage, "nummeric")
	do("", "rule", "put", "big", "--bus", "shop", "--pattern", `{"type":["OrderPlaced"]}`, "--to", "queue:biling").mustHold(t, fail.Usage, "biling")
	do(`{"type":["OrderPlaced"],"data":{"total":[{"numeric":[">=",100]}]}}`, "rule", "put", "big", "--bus", "shop", "--pattern", "-",
		"--to", "queue:billing", "--transform", `{"id":<$.detail.id>}`).mustHold(t, 0, "big", "enabled", "queue:billing")
	putEvent(t, n, "shop", `[{"source":"app","detail-type":"OrderPlaced","detail":{"id":1,"total":150}},
		{"source":"app","type":"OrderPlaced","specversion":"1.0","data":{"id":2,"total":50}}]`)
	r := do("", "queue", "take", "billing", "--wait", "20s", "--ack", "-o", "json")
	r.mustHold(t, 0, `{\"id\":1}`)
	do("", "rule", "explain", "big", "--bus", "shop", "--event", `{"source":"app","detail-type":"OrderPlaced","detail":{"total":50}}`).
		mustHold(t, 0, "detail.total", "got 50")
	do("", "rule", "try", `{"source":["app"]}`, "--bus", "shop", "--last", "10", "--samples", "1").mustHold(t, 0, "2", `"total":150`)
	do("", "rule", "pause", "big", "--bus", "shop").mustHold(t, 0, "paused")
	do("", "rule", "describe", "big", "--bus", "shop").mustHold(t, 0, "paused", "BEHIND")
	do("", "rule", "resume", "big", "--bus", "shop").mustHold(t, 0, "resumed")
	do("", "rule", "disable", "big", "never", "--bus", "shop").mustHold(t, fail.Partly, "disabled", "cannot disable rule never")
	do("", "target", "set", "big", "billing", "--bus", "shop", "--max-age", "1h", "--dead-letters", "billing").mustHold(t, 0, "billing")
	var shown struct {
		Targets []struct {
			To, Template string
			Retry        struct {
				MaxAgeMs int64 `json:"max_age_ms"`
			}
		}
	}
	r = do("", "rule", "describe", "big", "--bus", "shop", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &shown); err != nil || len(shown.Targets) != 1 || shown.Targets[0].Retry.MaxAgeMs != 3600_000 || shown.Targets[0].Template == "" {
		t.Errorf("%s: %v", r.out, err)
	}
	do("", "target", "remove", "big", "billing", "other", "--bus", "shop").mustHold(t, fail.Partly, "removed", "cannot remove target other")
	do("", "bus", "delete", "shop").mustHold(t, fail.Failed, "1 rules", "--force")
	do("", "bus", "delete", "shop", "--force").mustHold(t, 0, "deleted")
	do("", "rule", "list", "--bus", "shop").mustHold(t, fail.NotFound, "bus shop")
}

func TestARuleWithAScheduleHasItsRuns(t *testing.T) {
	o := ottla.Options{Clock: new(ottla.Clock)}
	n := withHTTP(t, o)
	do := commands(t, n)
	do("", "queue", "create", "ticks").mustHold(t, 0)
	do("", "rule", "put", "tick", "--schedule", "every day").mustHold(t, fail.Usage, "every day")
	do("", "rule", "put", "tick", "--schedule", "rate(5 minutes)", "--to", "queue:ticks").mustHold(t, 0, "rate(5 minutes)")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	do("", "queue", "take", "ticks", "--wait", "20s", "--ack", "-o", "json").mustHold(t, 0, `\"source\":\"aws.events\"`) // the first run is at once
	if err := o.Clock.Advance(ctx, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		do("", "queue", "take", "ticks", "--wait", "20s", "--ack", "-o", "json").mustHold(t, 0, `\"detail-type\":\"Scheduled Event\"`, `\"resources\":[\"arn:aws:events:us-east-1:123456789012:rule/tick\"]`)
	}
	do("", "rule", "disable", "tick").mustHold(t, 0)
	if err := o.Clock.Advance(ctx, 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	do("", "queue", "take", "ticks").mustHold(t, 0, "no messages")
	do("", "rule", "delete", "tick").mustHold(t, 0, "deleted")
	do("", "schedule", "list").mustHold(t, 0, "no schedules")
}
