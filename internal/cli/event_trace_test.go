package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
	"ottla/internal/event/lookback"
	"ottla/test/rig/trio"
)

// traced traces an event until that says what is wanted, or the test's time is over.
func traced(t *testing.T, do func(in string, args ...string) result, id string, wants func(x *lookback.Trace) bool, more ...string) (x lookback.Trace) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		r := do("", append([]string{"event", "trace", id, "-o", "json"}, more...)...)
		r.mustHold(t, 0)
		x = lookback.Trace{}
		if err := json.Unmarshal([]byte(r.out), &x); err != nil {
			t.Fatalf("%s: %v", r.out, err)
		}
		if wants(&x) {
			return x
		}
		if ctx.Err() != nil {
			t.Fatalf("it says %s", r.out)
		}
	}
}

// states are STATE of BUS/RULE/TARGET, in the order of a trace.
func states(x *lookback.Trace) (out []string) {
	for _, f := range x.Found {
		for _, r := range f.Rules {
			for _, g := range r.Targets {
				out = append(out, fmt.Sprintf("%s/%s/%s %s", f.Bus, r.Name, g.ID, g.State))
			}
		}
	}
	return out
}

// called tells whether a trace has a call.
func called(x *lookback.Trace) bool {
	return slices.ContainsFunc(x.Found, func(f lookback.Found) bool {
		return slices.ContainsFunc(f.Rules, func(r lookback.Rule) bool {
			return slices.ContainsFunc(r.Targets, func(g lookback.Target) bool { return len(g.Attempts) > 0 })
		})
	})
}

func TestAnEventIsTracedOverBusesCallsAndDeadLetters(t *testing.T) {
	var calls atomic.Int32
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer hook.Close()
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	for _, args := range [][]string{
		{"bus", "create", "shop"}, {"bus", "create", "audit"}, {"queue", "create", "billing"}, {"queue", "create", "failed"}, {"topic", "create", "copy"},
	} {
		if args[0] == "topic" {
			call(t, n, "", args...).mustHold(t, 0)
			continue
		}
		do("", args...).mustHold(t, 0)
	}
	do("", "rule", "put", "big", "--bus", "shop", "--pattern", `{"detail":{"total":[{"numeric":[">=",100]}]}}`, "--to", "queue:billing", "--to", "bus:audit").mustHold(t, 0)
	do("", "rule", "put", "small", "--bus", "shop", "--pattern", `{"detail":{"total":[{"numeric":["<",100]}]}}`, "--to", "queue:billing").mustHold(t, 0)
	do("", "rule", "put", "hook", "--bus", "shop", "--pattern", `{"source":["app"]}`, "--to", hook.URL, "--dead-letters", "failed").mustHold(t, 0)
	do("", "rule", "put", "all", "--bus", "audit", "--pattern", `{"source":["app"]}`, "--to", "topic:copy").mustHold(t, 0)
	do("", "event", "put", "shop", "Placed", `{"total":150}`, "--source", "app", "--id", "e-1").mustHold(t, 0)
	do("", "event", "put", "audit", "Checked", `{}`, "--source", "app", "--id", "e-2", "--attribute", "causationid=e-1").mustHold(t, 0)
	do("", "event", "put", "shop", "Mailed", `{}`, "--source", "mail", "--id", "e-3", "--attribute", "causationid=e-2").mustHold(t, 0)

	x := traced(t, do, "e-1", func(x *lookback.Trace) bool {
		got := states(x)
		return slices.Contains(got, "audit/all/copy sent") && slices.Contains(got, "shop/big/billing sent") && called(x) &&
			slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, " dead") })
	})
	got := states(&x)
	if len(got) != 4 || got[3] != "audit/all/copy sent" || !slices.Contains(got, "shop/big/billing sent") || !slices.Contains(got, "shop/big/audit sent") {
		t.Errorf("the targets: %q", got)
	}
	if len(x.Found) != 2 || x.Found[1].From != "shop" || x.Found[1].Hops != 1 || len(x.Found[0].Others) != 1 || !strings.Contains(x.Found[0].Others[0].Why, "detail.total") {
		t.Errorf("the places: %+v", x.Found)
	}
	if len(x.Caused) != 2 || x.Caused[0].ID != "e-2" || x.Caused[1].ID != "e-3" || x.Caused[1].Depth != 2 {
		t.Errorf("caused: %+v", x.Caused)
	}
	for _, r := range x.Found[0].Rules {
		for _, g := range r.Targets {
			if r.Name == "hook" && (len(g.Attempts) != 1 || g.Attempts[0].Status != 400 || g.Attempts[0].Replay || len(g.Letters) != 1 || g.Letters[0].Queue != "failed") || r.Changed {
				t.Errorf("%s/%s: %+v", r.Name, g.ID, g)
			}
		}
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}

	do("", "event", "trace", "e-1", "--bus", "shop").mustHold(t, 0, "on shop at 0@0", "on audit at 0@", "forwarded from shop", "dead letter in failed")
	if y := traced(t, do, "e-1", func(*lookback.Trace) bool { return true }, "--bus", "audit"); len(y.Found) != 1 || y.Found[0].Bus != "audit" {
		t.Errorf("on audit alone: %+v", y.Found)
	}
	do("", "rule", "pause", "small", "--bus", "shop").mustHold(t, 0)
	do("", "event", "put", "shop", "Placed", `{"total":1}`, "--source", "other", "--id", "e-4").mustHold(t, 0)
	traced(t, do, "e-4", func(x *lookback.Trace) bool { return slices.Equal(states(x), []string{"shop/small/billing paused"}) })
	do("", "rule", "disable", "hook", "--bus", "shop").mustHold(t, 0)
	z := traced(t, do, "e-1", func(*lookback.Trace) bool { return true })
	if i := slices.IndexFunc(z.Found[0].Others, func(o lookback.Other) bool { return o.Name == "hook" }); i < 0 || !z.Found[0].Others[i].Changed || z.Found[0].Others[i].Why != "it is disabled" || len(z.Former) != 1 {
		t.Errorf("a disabled rule: %+v, former %+v", z.Found[0].Others, z.Former)
	}
}

// What a rule publishes by SNS is followed to who subscribes: queues, addresses, dead
// letters.
func TestAnEventIsTracedOverSNS(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Sns-Message-Type") != "SubscriptionConfirmation" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var confirmation struct{ SubscribeURL string }
		if json.NewDecoder(r.Body).Decode(&confirmation) != nil {
			return
		}
		if resp, err := http.Get(confirmation.SubscribeURL); err == nil { //nolint:gosec // it is the node's own
			resp.Body.Close()
		}
	}))
	defer hook.Close()
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	for _, args := range [][]string{
		{"bus", "create", "shop"}, {"queue", "create", "mails"}, {"queue", "create", "other"}, {"queue", "create", "failed"}, {"queue", "create", "small", "--max-message-bytes", "1024"},
		{"sns", "topic", "create", "news"}, {"sns", "topic", "create", "alone"}, {"sns", "subscribe", "news", "queue:mails"},
		{"sns", "subscribe", "news", "queue:other", "--filter", `{"shop":["north"]}`}, {"sns", "subscribe", "news", "queue:small", "--dead-letters", "failed"},
		{"sns", "subscribe", "news", hook.URL, "--dead-letters", "failed"},
		{"rule", "put", "out", "--bus", "shop", "--pattern", `{"source":["app"]}`, "--to", "sns:news", "--to", "sns:alone"},
	} {
		do("", args...).mustHold(t, 0)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	await(ctx, t, "all subscriptions are confirmed", func() (string, bool) {
		r := do("", "sns", "list", "news")
		return r.out, strings.Count(r.out, " confirmed ") == 4
	})
	do("", "event", "put", "shop", "Placed", `{"pad":"`+strings.Repeat("x", 2000)+`"}`, "--source", "app", "--id", "e-1").mustHold(t, 0)
	stands := func(x *lookback.Trace) map[string]string {
		out := map[string]string{}
		for _, f := range x.Found {
			for _, r := range f.Rules {
				for _, g := range r.Targets {
					out[f.SNS+" "+g.To[max(strings.LastIndexByte(g.To, ':'), 0):]] = g.State
				}
			}
		}
		return out
	}
	port := hook.URL[strings.LastIndexByte(hook.URL, ':'):]
	x := traced(t, do, "e-1", func(x *lookback.Trace) bool {
		got := stands(x)
		return got["news :mails"] == lookback.Sent && got["news :small"] == lookback.Dead && got["news "+port] == lookback.Dead && got[" :news"] == lookback.Sent
	})
	if len(x.Found) != 3 || len(x.Former) != 0 || len(stands(&x)) != 5 {
		t.Fatalf("found: %+v, former %+v", x.Found, x.Former)
	}
	var news lookback.Found
	for _, f := range x.Found[1:] {
		if f.From != "shop" || f.Hops != 1 || f.Message == "" {
			t.Errorf("published: %+v", f)
		}
		if f.SNS == "news" {
			news = f
		}
	}
	if len(news.Others) != 1 || !strings.Contains(news.Others[0].Why, `attribute shop to be "north"; got nothing`) {
		t.Errorf("others: %+v", news.Others)
	}
	for _, r := range news.Rules {
		switch g := r.Targets[0]; {
		case g.ID == "http" && (len(g.Attempts) != 1 || g.Attempts[0].Status != 400 || len(g.Letters) != 1):
			t.Errorf("the address: %+v", g)
		case strings.HasSuffix(g.To, ":small") && (len(g.Letters) != 1 || g.Letters[0].Code != "PAYLOAD_TOO_LARGE"):
			t.Errorf("the small queue: %+v", g)
		}
	}
	do("", "event", "trace", "e-1").mustHold(t, 0, "on sns:news at 0@0", "published from shop as message "+news.Message, "  not subscription ", "on sns:alone at 0@0", "no subscription takes it")
	do("", "event", "trace", news.Message).mustHold(t, 0, "on sns:news at 0@0", "sqs  arn:aws:sqs:us-east-1:123456789012:mails  sent")
	do("", "event", "trace", news.Message, "--bus", "shop").mustHold(t, fail.NotFound, "cannot trace event")
}

// Every node tells the same of an event, whoever runs its bus.
func TestATraceIsThereAtEveryNode(t *testing.T) {
	c := trio.Start(t, trio.Options{HTTP: true})
	at := func(node int) func(in string, args ...string) result {
		return func(in string, args ...string) result {
			t.Helper()
			return call(t, nil, in, append(args, "-b", c.Bootstrap(), "--http", c.Node(node).HTTPAddr())...)
		}
	}
	at(1)("", "bus", "create", "shop", "--partitions", "3").mustHold(t, 0)
	at(1)("", "queue", "create", "billing").mustHold(t, 0)
	at(1)("", "rule", "put", "all", "--bus", "shop", "--pattern", `{"source":["app"]}`, "--to", "queue:billing").mustHold(t, 0)
	for i := range 6 {
		at(1)("", "event", "put", "shop", "T", "{}", "--source", "app", "--id", fmt.Sprintf("e-%d", i), "--key", fmt.Sprint(i)).mustHold(t, 0)
	}
	for node := 1; node <= 3; node++ {
		for i := range 6 {
			x := traced(t, at(node), fmt.Sprintf("e-%d", i), func(x *lookback.Trace) bool {
				got := states(x)
				return len(got) == 1 && got[0] == "shop/all/billing sent"
			})
			if len(x.Found) != 1 {
				t.Errorf("node %d: %+v", node, x.Found)
			}
		}
		at(node)("", "doctor", "events").mustHold(t, 0, "1 rules took events", "1 targets get their events")
	}
}

func TestEventsThatAreNotFoundSayWhatToDo(t *testing.T) {
	_, do := httpNode(t)
	do("", "event", "trace", "none").mustHold(t, fail.NotFound, "cannot trace event none", "--last")
	do("", "event", "trace", "none", "--bus", "nowhere").mustHold(t, fail.NotFound, "nowhere")
	do("", "event", "trace", "none", "--since", "noon").mustHold(t, fail.Usage, "--since")
	do("", "event", "trace", "none", "--last", "0").mustHold(t, fail.Usage, "last")
	do("", "event", "put", "default", "T", "{}", "--id", "a/b c?").mustHold(t, 0)
	do("", "event", "trace", "a/b c?", "--since", "7d").mustHold(t, 0, "on default at 0@0", "no rule takes it")
}
