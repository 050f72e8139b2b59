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

func TestAReplayGivesOneRuleWhatItTakes(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	do("", "bus", "create", "shop").mustHold(t, 0)
	do("", "queue", "create", "first").mustHold(t, 0)
	do("", "queue", "create", "second").mustHold(t, 0)
	do("", "archive", "create", "paid", "--bus", "shop", "--pattern", `{"detail-type":["Paid"]}`, "--retention", "90d").mustHold(t, 0, "copies", "90d")
	do("", "archive", "create", "all", "--bus", "shop").mustHold(t, 0, "all events", "for ever")
	for rule, typ := range map[string]string{"first": "Placed", "second": "Paid"} {
		do("", "rule", "put", rule, "--bus", "shop", "--pattern", `{"type":["`+typ+`"]}`, "--to", "queue:"+rule).mustHold(t, 0)
	}
	putEvent(t, n, "shop", `[{"source":"a","detail-type":"Placed","detail":{"n":1}},{"source":"a","detail-type":"Paid","detail":{"n":2}}]`)
	for _, q := range []string{"first", "second"} {
		do("", "queue", "take", q, "--wait", "20s", "--ack").mustHold(t, 0, "BODY")
	}
	for archive, events := range map[string]int64{"paid": 1, "all": 2} {
		weighed(t, do, archive, events)
	}
	do("", "archive", "list").mustHold(t, 0, "EVENTS", "SIZE")
	do("", "archive", "describe", "never").mustHold(t, fail.NotFound, "never")
	do("", "replay", "start", "shop", "--rule", "never").mustHold(t, fail.NotFound, "never")
	do("", "replay", "start", "shop", "--from", "1h", "--rule", "first", "--name", "again").mustHold(t, 0, "again", "COMPLETED", "rule first")
	do("", "queue", "take", "first", "--wait", "20s", "--ack", "-o", "json").mustHold(t, 0, `\"replay-name\":\"again\"`)
	if r := do("", "queue", "describe", "second", "-o", "json"); !strings.Contains(r.out, `"waiting": 0`) {
		t.Errorf("the other rule got something: %s", r.out)
	}
	call(t, n, "", "topic", "create", "copy").mustHold(t, 0)
	do("", "replay", "start", "shop", "--archive", "paid", "--to-place", "topic:copy", "--name", "copied").mustHold(t, 0, "COMPLETED", "topic:copy", "1")
	call(t, n, "", "consume", "copy", "--from", "start", "-n", "1").mustHold(t, 0, `{\"n\":2}`)
	do("", "replay", "cancel", "again").mustHold(t, fail.Failed, "COMPLETED")
	do("", "replay", "list").mustHold(t, 0, "again", "copied")
	do("", "replay", "delete", "again", "copied").mustHold(t, 0, "deleted")
	do("", "archive", "delete", "paid", "--yes").mustHold(t, 0, "deleted")
	do("", "archive", "list").mustHold(t, 0, "all")
}

// weighed waits until an archive has so many events.
func weighed(t *testing.T, do func(in string, args ...string) result, archive string, events int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	await(ctx, t, "the archive "+archive+" has its events", func() (string, bool) {
		r := do("", "archive", "describe", archive, "-o", "json")
		r.mustHold(t, 0)
		var a struct {
			Events, Bytes   int64
			EventsEstimated bool `json:"events_estimated"`
		}
		if err := json.Unmarshal([]byte(r.out), &a); err != nil {
			t.Fatalf("%s: %v", r.out, err)
		}
		return r.out, a.Events == events && a.Bytes > 0 && !a.EventsEstimated
	})
}
