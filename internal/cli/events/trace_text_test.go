package events

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/lookback"
	"ottla/internal/gateway/rest"
)

func TestATraceIsReadByPeople(t *testing.T) {
	at := time.Date(2026, 11, 26, 16, 0, 0, 0, time.UTC).UnixMilli()
	x := &lookback.Trace{ID: "e-1", Cut: true, Unread: []string{"bus far: nobody leads it"},
		Found: []lookback.Found{
			{Bus: "shop", Offset: 7, PutMs: at, Causation: "e-0", Rules: []lookback.Rule{
				{Name: "big", Changed: true, Targets: []lookback.Target{
					{ID: "billing", To: "queue:billing", State: lookback.Sent},
					{ID: "crm", To: "https://crm.example", State: lookback.Dead, Why: "HTTP_400: no",
						Attempts: []lookback.Attempt{{AtMs: at + 5, TookMs: 3, Number: 1, Status: 400, Code: "HTTP_400", Why: "no"}, {AtMs: at + 9, TookMs: 1, Number: 1, Status: 200, OK: true, Replay: true}},
						Letters:  []lookback.Letter{{Queue: "failed", Letter: "failed-0@1", AtMs: at + 60, Code: "HTTP_400", Why: "no"}}},
				}},
				{Name: "none"},
			}, Others: []lookback.Other{{Name: "small", Changed: true, Why: "detail.total wants 1; got 2"}}},
			{Bus: "audit", Partition: 1, Offset: 3, PutMs: at + 12, Hops: 1, From: "shop"},
			{Bus: "far", PutMs: at + 13, Hops: 2},
			{SNS: "news", Message: "m-1", From: "shop", Hops: 1, Offset: 4, PutMs: at + 14, Rules: []lookback.Rule{
				{Name: "s-1", Targets: []lookback.Target{{ID: "sqs", To: "arn:aws:sqs:us-east-1:123456789012:mails", State: lookback.Sent}}},
			}, Others: []lookback.Other{{Name: "s-2", Why: "nobody has confirmed it yet"}}},
			{SNS: "empty", Message: "m-2", PutMs: at + 15},
		},
		Former: []lookback.Attempt{{AtMs: at + 7, Number: 2, Target: "rule/123456789012/us-east-1/shop/old#id/hook", Code: "TIMEOUT", Why: "late", TookMs: 15000}},
		Caused: []lookback.Caused{
			{ID: "e-2", Type: "Shipped", Source: "ship", Bus: "shop", Offset: 8, PutMs: at + 20, By: "causationid", Depth: 1},
			{ID: "e-3", Type: "Sent", Source: "ship", Bus: "mail", PutMs: at + 30, By: "causationid", Depth: 2},
		},
	}
	want := `on shop at 0@7  2026-11-26T16:00:00.000Z  caused by e-0
  rule big (changed since)
    billing  queue:billing  sent
    crm  https://crm.example  dead: HTTP_400: no
      call 1  2026-11-26T16:00:00.005Z  400 in 3 ms  HTTP_400: no
      call 1  2026-11-26T16:00:00.009Z  200 in 1 ms  of a replay
      dead letter in failed at failed-0@1  2026-11-26T16:00:00.060Z  HTTP_400: no
  rule none
    it has no targets
  not rule small (changed since): detail.total wants 1; got 2
on audit at 1@3  2026-11-26T16:00:00.012Z  forwarded from shop
  no rule takes it
on far at 0@0  2026-11-26T16:00:00.013Z  forwarded 2 times
  no rule takes it
on sns:news at 0@4  2026-11-26T16:00:00.014Z  published from shop as message m-1
  subscription s-1
    sqs  arn:aws:sqs:us-east-1:123456789012:mails  sent
  not subscription s-2: nobody has confirmed it yet
on sns:empty at 0@0  2026-11-26T16:00:00.015Z
  no subscription takes it
calls of targets that are no more
  call 2  2026-11-26T16:00:00.007Z  shop/old/hook  in 15000 ms  TIMEOUT: late
caused
  e-2  Shipped from ship  on shop at 0@8  2026-11-26T16:00:00.020Z  by causationid
    e-3  Sent from ship  on mail at 0@0  2026-11-26T16:00:00.030Z  by causationid
not read: bus far: nobody leads it
there is more than is told here
`
	if got := traceText(x); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// What is of events, and what receivers answered, does nothing to a terminal.
func TestATraceHasNoTextThatMovesATerminal(t *testing.T) {
	const bad = "x\x1b[2J\ny\u009b"
	text := traceText(&lookback.Trace{Unread: []string{bad}, Former: []lookback.Attempt{{Target: bad, Code: bad, Why: bad}},
		Found: []lookback.Found{{Causation: bad, Rules: []lookback.Rule{{Name: "r", Targets: []lookback.Target{
			{ID: "t", To: bad, Why: bad, Letters: []lookback.Letter{{Code: bad, Why: bad}}}}}},
			Others: []lookback.Other{{Name: "o", Why: bad}}}, {SNS: "n", From: "b", Message: bad}},
		Caused: []lookback.Caused{{ID: bad, Type: bad, Source: bad}}})
	event, err := json.Marshal(map[string]string{"id": bad, "source": bad, "detail-type": bad})
	if err != nil {
		t.Fatal(err)
	}
	text += sendsText([]rest.TrialSample{{Event: event, Sends: []rest.Sending{{Target: "t", Why: bad, URL: bad, Key: bad, Body: bad, Headers: []rest.SendingHeader{{Name: bad, Value: bad}}}}}})
	if strings.ContainsAny(text, "\x1b\u009b") || strings.Contains(text, "\ny") || strings.Count(text, `"x\x1b[2J\ny\u009b"`) != 23 {
		t.Errorf("%d times quoted: %q", strings.Count(text, `"x\x1b[2J\ny\u009b"`), text)
	}
}
