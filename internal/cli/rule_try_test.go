package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/cli/fail"
	"ottla/internal/gateway/rest"
)

// hook is an address that keeps what it got, by the id of the delivery.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	got  map[string]string
	more chan struct{} // rung at each
}

func newHook(t *testing.T) *hook {
	h := &hook{got: map[string]string{}, more: make(chan struct{}, 1)}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h.mu.Lock()
		h.got[r.Header.Get("Idempotency-Key")] = fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL, r.Header.Get("X-Customer"), r.Header.Get("Content-Type"), body)
		h.mu.Unlock()
		select {
		case h.more <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// all waits until so much is there, and gives it with its ids.
func (h *hook) all(t *testing.T, ctx context.Context, want int) (out []string) {
	t.Helper()
	for {
		h.mu.Lock()
		n := len(h.got)
		if n >= want {
			for id, x := range h.got {
				out = append(out, id+" "+x)
			}
		}
		h.mu.Unlock()
		if n >= want {
			return out
		}
		select {
		case <-h.more:
		case <-ctx.Done():
			t.Fatalf("%d of %d calls came", n, want)
		}
	}
}

const triedFile = `
rules:
  shop/other: {pattern: {source: [nobody]}}
  shop/big:
    description: what is dear
    disabled: true
    pattern: {detail: {total: [{numeric: [">=", 100]}]}}
    targets:
      billing: {to: "queue:billing", template: '{"id":<$.detail.id>,"by":<aws.events.rule-name>}', headers: {customer: $.detail.customer, kind: big}}
      whole: {to: "queue:whole"}
      fifo: {to: "queue:orders.fifo", key: $.detail.customer, input_path: $.detail}
      later: {to: "queue:later", template: '{"id":<$.detail.id>}'}
      small: {to: "queue:small", dead_letters: failed}
      lost: {to: "queue:small"}
      copy: {to: "topic:copy", key: $.detail.customer, headers: {customer: $.detail.customer}}
      audit: {to: "bus:audit"}
      news: {to: "sns:news", template: '"order <$.detail.id>"'}
      hook: {to: "HOOK/orders/*", path: [$.detail.id], method: PUT, headers: {X-Customer: $.detail.customer}, query: {of: $.detail.total}, secrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw], template: '{"id":<$.detail.id>}'}
`

// A trial says what a replay of the same events then does, count for count and byte for
// byte, whatever the targets are.
func TestATrialIsEqualToAReplay(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	h := newHook(t)
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(triedFile, "HOOK", h.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"bus", "create", "shop", "--partitions", "2"}, {"bus", "create", "audit"}, {"queue", "create", "billing"}, {"queue", "create", "whole"},
		{"queue", "create", "orders.fifo"}, {"queue", "create", "later", "--delay", "1s"}, {"queue", "create", "small", "--max-message-bytes", "1024"},
		{"queue", "create", "failed"}, {"queue", "create", "mails"}, {"sns", "topic", "create", "news"}, {"sns", "subscribe", "news", "queue:mails", "--raw"},
	} {
		do("", args...).mustHold(t, 0)
	}
	call(t, n, "", "topic", "create", "copy").mustHold(t, 0)
	var events []string
	for i := range 40 {
		pad := ""
		if i%3 == 0 {
			pad = strings.Repeat("x", 2000)
		}
		events = append(events, fmt.Sprintf(`{"id":"e-%d","source":"app-%d","detail-type":"Placed","detail":{"id":%d,"total":%d,"customer":"c-%d","pad":%q}}`, i, i%5, i, i*10, i%4, pad))
	}
	putEvent(t, n, "shop", "["+strings.Join(events, ",")+"]")

	try := func(more ...string) (x rest.Trial) {
		t.Helper()
		r := do("", append([]string{"rule", "try", file, "--rule", "shop/big", "--last", "10000", "--samples", "100", "-o", "json"}, more...)...)
		r.mustHold(t, 0)
		if err := json.Unmarshal([]byte(r.out), &x); err != nil {
			t.Fatalf("%s: %v", r.out, err)
		}
		return x
	}
	before := try()
	do("", "rule", "list").mustHold(t, 0, "no rules yet")
	do("", "apply", "-f", file).mustHold(t, 0)
	do("", "rule", "enable", "big", "--bus", "shop").mustHold(t, 0)
	x := try("--as-replay", "again")
	if before.Matched != 30 || x.Matched != 30 || x.Read != 40 || len(x.Samples) != 30 {
		t.Fatalf("matched %d, then %d of %d: %+v", before.Matched, x.Matched, x.Read, x.Targets)
	}
	do("", "replay", "start", "shop", "--rule", "big", "--name", "again").mustHold(t, 0, "COMPLETED")

	sends, counts := map[string][]string{}, map[string]rest.TrialTarget{}
	for i, g := range x.Targets {
		counts[g.ID] = g
		if b := before.Targets[i]; b.Sent != g.Sent || b.Dead != g.Dead || b.Dropped != g.Dropped || g.Retried+b.Retried != 0 {
			t.Errorf("at first it told %+v, then %+v", b, g)
		}
	}
	for _, s := range x.Samples {
		for i := range s.Sends {
			if y := &s.Sends[i]; y.Result == "sent" {
				sends[y.Target] = append(sends[y.Target], sentText(y))
			}
		}
	}
	same := func(target string, got []string) {
		t.Helper()
		want := anyID(sends[target])
		got = anyID(got)
		slices.Sort(want)
		slices.Sort(got)
		if len(got) != counts[target].Sent || !slices.Equal(got, want) {
			t.Errorf("%s got %d, and %d were told:\n%.2000q\n%.2000q", target, len(got), counts[target].Sent, got, want)
		}
	}
	if g := counts["small"]; g.Sent != 20 || g.Dead != 10 || counts["lost"].Dropped != 10 || counts["hook"].Sent != 30 {
		t.Errorf("it tells %+v", x.Targets)
	}
	for target, queue := range map[string]string{"billing": "billing", "whole": "whole", "fifo": "orders.fifo", "later": "later"} {
		same(target, drained(t, do, queue, counts[target].Sent))
	}
	if got := drained(t, do, "small", counts["small"].Sent+counts["lost"].Sent); len(got) != counts["small"].Sent+counts["lost"].Sent {
		t.Errorf("the small queue got %d", len(got))
	}
	if got := drained(t, do, "failed", counts["small"].Dead); len(got) != counts["small"].Dead {
		t.Errorf("there are %d dead letters, and %d were told", len(got), counts["small"].Dead)
	}
	if got := drained(t, do, "mails", counts["news"].Sent); len(got) != counts["news"].Sent || !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, ` "order 39"`) }) {
		t.Errorf("by SNS came %d, and %d were told: %q", len(got), counts["news"].Sent, got)
	}
	same("copy", consumed(t, ctx, n, "copy", counts["copy"].Sent))
	same("audit", consumed(t, ctx, n, "audit", counts["audit"].Sent))
	same("hook", h.all(t, ctx, counts["hook"].Sent))
	await(ctx, t, "the runner counts what it has committed", func() (string, bool) {
		told := counted(t, do, counts)
		return told, told == "as tried"
	})
}

// deliveries are the ids that deliveries have: those of a replay are its own, and known
// once it has begun.
var deliveries = regexp.MustCompile(`msg_[a-z2-7]{24}`)

// anyID takes texts for the same whose deliveries differ.
func anyID(texts []string) (out []string) {
	for _, text := range texts {
		out = append(out, deliveries.ReplaceAllString(text, "msg_"))
	}
	return out
}

// counted tells whether a rule's runner counted what a trial did.
func counted(t *testing.T, do func(in string, args ...string) result, want map[string]rest.TrialTarget) string {
	t.Helper()
	r := do("", "rule", "describe", "big", "--bus", "shop", "-o", "json")
	var rule rest.Rule
	if err := json.Unmarshal([]byte(r.out), &rule); err != nil {
		t.Fatalf("%s: %v", r.out, err)
	}
	for _, g := range rule.Targets {
		if c := want[g.ID]; g.Stands == nil || g.Stands.Sent != int64(c.Sent) || g.Stands.Dead != int64(c.Dead) || g.Stands.Dropped != int64(c.Dropped) {
			return fmt.Sprintf("of %s the runner counted %+v, and the trial %+v", g.ID, g.Stands, c)
		}
	}
	return "as tried"
}

// sentText is what the tests compare of what was told to be sent.
func sentText(y *rest.Sending) string {
	values := map[string]string{}
	for _, h := range y.Headers {
		values[h.Name] = h.Value
	}
	switch {
	case y.URL != "":
		url := y.URL[strings.Index(y.URL, "/orders"):]
		if !strings.HasPrefix(values["Webhook-Id"], "msg_") || values["Webhook-Signature"] != "***" {
			return "it does not tell that it is signed"
		}
		return fmt.Sprintf("%s %s %s %s %s %s", values["Idempotency-Key"], y.Method, url, values["X-Customer"], values["Content-Type"], y.Body)
	case len(y.Headers) > 0: // a record
		var headers []string
		for _, h := range y.Headers {
			headers = append(headers, h.Name+"="+h.Value)
		}
		return fmt.Sprintf("%s %q %s", y.Key, headers, y.Body)
	}
	attributes := map[string]string{}
	for _, a := range y.Attributes {
		attributes[a.Name] = a.Value
	}
	return fmt.Sprintf("%s %s %v %s", y.Group, y.DedupID, attributes, y.Body)
}

// drained takes all messages of a queue, at least so many.
func drained(t *testing.T, do func(in string, args ...string) result, queue string, want int) (out []string) {
	t.Helper()
	for {
		args := []string{"queue", "take", queue, "-n", "100", "--ack", "-o", "json"}
		if len(out) < want {
			args = append(args, "--wait", "20s")
		}
		r := do("", args...)
		r.mustHold(t, 0)
		var got []rest.Taken
		if err := json.Unmarshal([]byte(r.out), &got); err != nil {
			t.Fatalf("%s: %v", r.out, err)
		}
		for _, m := range got {
			attributes := map[string]string{}
			for k, a := range m.Attributes {
				attributes[k] = a.Value
			}
			out = append(out, fmt.Sprintf("%s %s %v %s", m.Group, m.Dedup, attributes, *m.Body))
		}
		if len(got) == 0 {
			return out
		}
	}
}

// consumed reads a topic, at least so many records.
func consumed(t *testing.T, ctx context.Context, n *ottla.Server, topic string, want int) (out []string) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for len(out) < want {
		got := c.PollFetches(ctx)
		if err := got.Err(); err != nil {
			t.Fatalf("%d of %d records came: %v", len(out), want, err)
		}
		for _, r := range got.Records() {
			var headers []string
			for _, h := range r.Headers {
				headers = append(headers, h.Key+"="+string(h.Value))
			}
			out = append(out, fmt.Sprintf("%s %q %s", r.Key, headers, r.Value))
		}
	}
	return out
}

func TestATrialSaysWhatIsWrong(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	do("", "bus", "create", "shop").mustHold(t, 0)
	do("", "queue", "create", "billing").mustHold(t, 0)
	putEvent(t, n, "shop", `{"id":"e-1","source":"app","detail-type":"Placed","detail":{"total":150}}`)
	one := `{"rules":{"big":{"pattern":{"source":["app"]},"targets":{"billing":"queue:billing"}}}}`
	do(one, "rule", "try", "-", "--bus", "shop").mustHold(t, 0, "MATCHED", "DEAD LETTERS", "queue:billing", "0@0  Placed from app  id e-1", "  billing  sent", `"detail":{"total":150}`)
	do(one, "rule", "try", "-", "--bus", "nowhere").mustHold(t, fail.NotFound, "nowhere")
	do(`{"source":["app"]}`, "rule", "try", "-", "--bus", "shop").mustHold(t, 0, "AT", `"total":150`)
	do(`{"source":["app"]}`, "rule", "try", "-", "--rule", "big").mustHold(t, fail.Usage, "this is a pattern")
	do("", "rule", "try", filepath.Join(t.TempDir(), "none.yaml")).mustHold(t, fail.Usage, "none.yaml")
	do("queues: {a: {}}", "rule", "try", "-").mustHold(t, fail.Usage, "it has no rules")
	do("rules: {a: {pattern: {source: [x]}}, b/c: {pattern: {source: [x]}}}", "rule", "try", "-").mustHold(t, fail.Usage, "2 rules", "--rule", "default/a, b/c")
	do("rules: {a: {pattern: {source: [x]}}}", "rule", "try", "-", "--rule", "z").mustHold(t, fail.Usage, "it has no rule z")
	do("rules: {a: {pattern: {source: [x]}, targets: {t: \"queue:none\"}}}", "rule", "try", "-").mustHold(t, fail.Usage, "there is no", "none")
	do("rules: {a: {pattern: {source: [x]}, targets: {t: {to: \"https://example.org\", secrets: [short]}}}}", "rule", "try", "-").mustHold(t, fail.Usage, "secrets")
	do("rules: {a: {pattern: {a: [{nummeric: [1]}]}}}", "rule", "try", "-").mustHold(t, fail.Usage, "nummeric")
}

func TestAnEventIsExplainedOverAllRules(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	event := `{"source":"app","detail-type":"Placed","detail":{"total":50}}`
	do("", "rule", "explain", "--event", event).mustHold(t, 0, "bus default has no rules")
	do("", "queue", "create", "billing").mustHold(t, 0)
	do("", "rule", "put", "big", "--pattern", `{"detail":{"total":[{"numeric":[">=",100]}]}}`, "--to", "queue:billing").mustHold(t, 0)
	do("", "rule", "put", "small", "--pattern", `{"detail":{"total":[{"numeric":["<",100]}]}}`, "--to", "queue:billing").mustHold(t, 0)
	do("", "rule", "put", "hourly", "--schedule", "rate(1 hour)", "--to", "queue:billing").mustHold(t, 0)
	do("", "rule", "disable", "small").mustHold(t, 0)
	r := do("", "rule", "explain", "--event", event, "-o", "json")
	var got []struct {
		Name, State, Path, Why string
		Matched                bool
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || len(got) != 3 {
		t.Fatalf("%s: %v", r.out, err)
	}
	if x := got[0]; x.Name != "big" || x.Matched || x.Path != "detail.total" || !strings.Contains(x.Why, "got 50") {
		t.Errorf("%+v", x)
	}
	if x := got[1]; x.Matched || x.Why != "it takes the runs of its schedule alone" {
		t.Errorf("%+v", x)
	}
	if x := got[2]; !x.Matched || x.State != "disabled" {
		t.Errorf("%+v", x)
	}
}
