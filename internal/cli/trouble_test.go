package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/cli/fail"
	"ottla/test/rig/trio"
)

// troubled are addresses that each have a trouble of their own, and what they took.
type troubled struct {
	mu    sync.Mutex
	taken map[string]map[string]bool // by path: ids of events
	calm  chan struct{}              // closed when the trouble is over
}

func (x *troubled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	over := false
	select {
	case <-x.calm:
		over = true
	default:
	}
	switch {
	case r.URL.Path == "/refuses":
		w.WriteHeader(http.StatusBadRequest)
		return
	case r.URL.Path == "/redirects" && !over:
		http.Redirect(w, r, "/well", http.StatusFound)
		return
	case r.URL.Path == "/hangs" && !over:
		select {
		case <-x.calm:
		case <-r.Context().Done():
			return
		}
	}
	var event struct{ ID string }
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.taken[r.URL.Path] == nil {
		x.taken[r.URL.Path] = map[string]bool{}
	}
	x.taken[r.URL.Path][event.ID] = true
}

func (x *troubled) count(path string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.taken[path])
}

// Of many targets of one bus each has a trouble of another kind. The others get their
// events meanwhile, the doctor tells of each, and nothing is lost: when the trouble is
// over, each target has its events, or the dead letters have.
func TestTheTroubleOfATargetIsNoOthers(t *testing.T) {
	x := &troubled{taken: map[string]map[string]bool{}, calm: make(chan struct{})}
	hook := httptest.NewServer(x)
	defer hook.Close()
	over := sync.OnceFunc(func() { close(x.calm) })
	defer over()
	clock := new(ottla.Clock)
	n := withHTTP(t, ottla.Options{Clock: clock})
	do := commands(t, n)
	for _, q := range []string{"letters", "well", "gone", "large", "storm"} {
		do("", "queue", "create", q).mustHold(t, 0)
	}
	do("", "bus", "create", "shop", "--dead-letters", "letters").mustHold(t, 0)
	rule := func(name, source, to string, flags ...string) {
		t.Helper()
		do("", append([]string{"rule", "put", name, "--bus", "shop", "--pattern", fmt.Sprintf(`{"source":[%q]}`, source), "--to", to}, flags...)...).mustHold(t, 0)
	}
	rule("well", "app", "queue:well")
	rule("gone", "app", "queue:gone")
	rule("round", "app", "bus:shop")
	rule("hangs", "app", hook.URL+"/hangs", "--retry", "1s", "--retries", "185", "--deadline", "1s")
	rule("redirects", "app", hook.URL+"/redirects", "--retry", "1s", "--retries", "185")
	rule("refuses", "app", hook.URL+"/refuses")
	rule("large", "big", "queue:large", "--transform", `{"a":<$.detail.big>,"b":<$.detail.big>}`)
	const storm = 40
	for i := range storm {
		rule(fmt.Sprintf("storm-%d", i), "app", "queue:storm")
	}
	do("", "queue", "delete", "gone").mustHold(t, 0)

	// An event that goes round is on the bus 17 times, and given up then.
	const events, all = 3, 3 * 17
	putEvent(t, n, "shop", fmt.Sprintf(`{"id":"large","source":"big","detail-type":"Placed","detail":{"big":%q}}`, strings.Repeat("x", 600<<10)))
	for i := range events {
		putEvent(t, n, "shop", fmt.Sprintf(`{"id":"e-%d","source":"app","detail-type":"Placed","detail":{}}`, i))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	waiting := func(queue string, want int) {
		t.Helper()
		await(ctx, t, fmt.Sprintf("%d messages are in %s", want, queue), func() (string, bool) {
			r := do("", "queue", "describe", queue, "-o", "json")
			var q struct{ Waiting int }
			if err := json.Unmarshal([]byte(r.out), &q); err != nil {
				t.Fatalf("%v: %s%s", err, r.out, r.err)
			}
			if q.Waiting > want {
				t.Fatalf("%s has %d messages, want %d:\n%s", queue, q.Waiting, want, call(t, n, "", "dlq", "list", "--http", n.HTTPAddr()).out)
			}
			return r.out, q.Waiting == want
		})
	}
	waiting("well", all)
	waiting("storm", all*storm)
	waiting("letters", 2*all+events+1) // refused, to a queue that is gone, gone round, too large
	for _, said := range []string{
		"go round: shop -> shop",
		"of rule shop/hangs: ", "of rule shop/redirects: ", "of rule shop/refuses: ", "redirects are not followed", "HTTP_400", "came into letters",
	} {
		await(ctx, t, "the doctor says: "+said, func() (string, bool) {
			r := do("", "doctor", "events")
			if r.code != fail.Failed {
				t.Fatalf("the doctor finds nothing: %s%s", r.out, r.err)
			}
			return r.out, strings.Contains(r.out, said)
		})
	}
	over()
	ctx, cancel = context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	for _, path := range []string{"/hangs", "/redirects"} {
		await(ctx, t, path+" has its events", func() (string, bool) {
			if err := clock.Advance(ctx, time.Minute); err != nil { // its breaker is open for a while
				t.Fatal(err)
			}
			return fmt.Sprint(x.count(path)), x.count(path) == events
		})
	}
}

// A topic that has too few replicas for its events holds nobody up, and has each of
// them once when its replicas are there again.
func TestATopicWithoutEnoughReplicasHoldsNobodyUp(t *testing.T) {
	c := trio.Start(t, trio.Options{HTTP: true})
	onThree(t, c, "topic", "create", "few", "--partitions", "1", "--replicas", "2", "-c", "min.insync.replicas=2").mustHold(t, 0)
	replicas := c.Partition("few", 0).Replicas
	down := int(replicas[1])
	up := c.Node(int(replicas[0]))
	do := commands(t, up)
	do("", "queue", "create", "well").mustHold(t, 0)
	do("", "bus", "create", "shop").mustHold(t, 0)
	do("", "rule", "put", "all", "--bus", "shop", "--pattern", `{"source":["app"]}`, "--to", "topic:few", "--to", "queue:well").mustHold(t, 0)
	c.Stop(down)
	const events = 5
	for i := range events {
		putEvent(t, up, "shop", fmt.Sprintf(`{"id":"e-%d","source":"app","detail-type":"Placed","detail":{}}`, i))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	for got := 0; got < events; {
		r := do("", "queue", "take", "well", "--wait", "20s", "--ack", "-o", "json")
		if got += strings.Count(r.out, `"receipt"`); ctx.Err() != nil {
			t.Fatalf("%d events came: %s%s", got, r.out, r.err)
		}
	}
	await(ctx, t, "the doctor says it", func() (string, bool) {
		r := do("", "doctor", "events")
		return r.out, r.code == fail.Failed && strings.Contains(r.out, "target few (topic:few) of rule shop/all fails, and 5 events wait for it")
	})
	c.Restart(down)
	cl := c.Client(kgo.ConsumeTopics("few"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer cl.Close()
	var got []string
	for len(got) < events && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			for _, h := range r.Headers {
				if h.Key == "ce_id" {
					got = append(got, string(h.Value))
				}
			}
		})
	}
	if fmt.Sprint(got) != "[e-0 e-1 e-2 e-3 e-4]" {
		t.Errorf("the topic has %v", got)
	}
}

// await asks again and again until what is asked for is there.
func await(ctx context.Context, t *testing.T, what string, there func() (string, bool)) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		last, ok := there()
		if ok {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("%s: not so, last:\n%s", what, last)
		}
	}
}
