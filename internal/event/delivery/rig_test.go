package delivery_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/delivery"
	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/outbound"
	"ottla/internal/event/place"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/metric"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory whose clock a test moves, with deliveries and the endpoints
// that the test says.
type rig struct {
	*testing.T
	*server.Server
	clock *clock.Clock
	kafka *kgo.Client
	svc   *delivery.Service
	calls delivery.Functions
	next  int64

	mu        sync.Mutex
	endpoints map[string]*plan.Endpoint
	unheard   map[string]*plan.Endpoint // what the node hears of when it asks
	disabled  map[string]string
	ask       func(context.Context) error // before the node hears of what is unheard
	ill       error                       // why topics of queues take nothing
	hook      kgo.Hook                    // of clients of services that are made from now on; nil for none
	metrics   *metric.Registry            // of those services
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, clock: &clock.Clock{}, endpoints: map[string]*plan.Endpoint{}, disabled: map[string]string{}}
	static, err := config.StaticOf("test", map[string]string{"num.partitions": "1"})
	r.must(err)
	r.Server, err = server.Start(r.ctx(), server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: r.clock.Now, Live: time.Now, Clock: r.clock, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test", LoopbackTargets: true,
	})
	r.must(err)
	r.kafka, err = r.client(kgo.RecordPartitioner(place.Partitioner()), kgo.ProducerBatchMaxBytes(delivery.MostRecord))
	r.must(err)
	r.topics()
	r.open()
	r.clock.Join(r)
	t.Cleanup(func() {
		r.clock.Leave(r)
		r.svc.Close()
		r.kafka.Close()
		r.must(r.Server.Close())
	})
	return r
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

// must ends the test on an error.
func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(r.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return r.Dial(ctx) }), kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
}

// topics makes the topics as the node's own deliveries do not take them: with another
// number of partitions in one. So those of the test are the only ones.
func (r *rig) topics() {
	r.Helper()
	most, compact := strconv.Itoa(delivery.MostRecord), "compact"
	for topic, settings := range map[string]map[string]*string{
		delivery.Topic: {"max.message.bytes": &most}, delivery.AttemptsTopic: {"max.message.bytes": &most},
		delivery.StateTopic: {"max.message.bytes": &most, "cleanup.policy": &compact},
	} {
		n := int32(delivery.Partitions)
		if topic == delivery.StateTopic {
			n++
		}
		made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx(), n, 1, settings, topic)
		r.must(err)
		r.must(made.Err)
	}
}

// open makes the service, as a node does that starts.
func (r *rig) open() {
	r.Helper()
	r.svc = r.service()
}

func (r *rig) service() *delivery.Service {
	r.Helper()
	guard, err := outbound.NewGuard(outbound.GuardOptions{Loopback: true})
	r.must(err)
	client := r.client
	if hook := r.hook; hook != nil {
		client = func(opts ...kgo.Opt) (*kgo.Client, error) { return r.client(append(opts, kgo.WithHooks(hook))...) }
	}
	return delivery.New(delivery.Options{
		Endpoints: r, Current: r.current, Queues: r.Queues(), HTTP: outbound.New(outbound.Options{Guard: guard, Timeout: patience, Agent: "test"}), Functions: r.calls, Client: client,
		Ill: r.illOf, Partitions: func(string) int { return delivery.Partitions }, Leads: func(string, int32) bool { return true }, Now: r.clock.Now, Metrics: r.metrics,
	})
}

// again closes the service and makes another.
func (r *rig) again() {
	r.Helper()
	r.svc.Close()
	r.open()
}

// Settle, Next and Fire let the clock halt at what is due.
func (r *rig) Settle(ctx context.Context) error { return r.svc.Settle(ctx) }

func (r *rig) Fire(ctx context.Context) error { return r.svc.Settle(ctx) }

func (r *rig) Next(context.Context) (time.Time, bool, error) {
	ms := r.svc.NextMs()
	return time.UnixMilli(ms), ms > 0, nil
}

func (r *rig) settle() {
	r.Helper()
	r.must(r.svc.Settle(r.ctx()))
}

func (r *rig) advance(d time.Duration) {
	r.Helper()
	r.must(r.clock.Advance(r.ctx(), d))
}

// Endpoint and Disable make the rig the endpoints.
func (r *rig) Endpoint(_ context.Context, key string) (*plan.Endpoint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.endpoints[key]
	if e == nil {
		return nil, fmt.Errorf("%s: %w", key, plan.ErrGone)
	}
	one := *e
	one.Disabled = one.Disabled || r.disabled[key] != ""
	return &one, nil
}

func (r *rig) current(ctx context.Context) error {
	r.mu.Lock()
	ask := r.ask
	r.mu.Unlock()
	if ask != nil {
		if err := ask(ctx); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.endpoints, r.unheard)
	r.unheard = nil
	return nil
}

func (r *rig) illOf(string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ill
}

func (r *rig) Disable(_ context.Context, key, why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.disabled[key] = why
	return nil
}

func (r *rig) target(id string, e plan.Endpoint) *plan.Target {
	t := &plan.Target{Key: "rule/123456789012/us-east-1/orders/big#7/" + id, ID: id}
	e.Rule, e.Source = name.Of(name.Rule, "orders/big"), name.Of(name.Bus, "orders")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.endpoints[t.Key] = &e
	return t
}

// put puts events down for a target, whose bodies and ids are given; key is what they
// are ordered by.
func (r *rig) put(t *plan.Target, key string, ids ...string) {
	r.Helper()
	var all []*kgo.Record
	for _, id := range ids {
		e := &plan.Event{
			Event: &envelope.Event{ID: id, Type: "T"}, Doc: []byte(`{"id":"` + id + `"}`), Topic: "orders", Offset: r.next,
			Source: &plan.Source{Ref: name.Of(name.Bus, "orders")}, Rule: &plan.Rule{Ref: name.Of(name.Rule, "orders/big")},
		}
		r.next++
		p := plan.Payload{Body: []byte(id)}
		if key != "" {
			p.Key = []byte(key)
		}
		rec, err := delivery.Record(t, e, p)
		r.must(err)
		rec.Timestamp = r.clock.Now()
		all = append(all, rec)
	}
	r.must(r.kafka.ProduceSync(r.ctx(), all...).FirstErr())
}

func (r *rig) queue(called string) name.Ref {
	r.Helper()
	q, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: called}, queue.DefaultSpec())
	r.must(err)
	return q.Full()
}

// letters are the messages of a queue, by what says why.
func (r *rig) letters(q name.Ref) []queue.Taken {
	r.Helper()
	var out []queue.Taken
	for {
		got, err := r.Queues().Take(r.ctx(), queue.RefOf(q), queue.TakeOptions{Max: 10, WaitMs: 200, VisibilityMs: -1})
		r.must(err)
		if len(got) == 0 {
			return out
		}
		out = append(out, got...)
	}
}

// site is a server that answers as it is told, and notes what came.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	status func(n int, body string) int // of the nth request, from 1 on; 0 is 200
}

type request struct {
	body   string
	header http.Header
	query  string
	path   string
}

func newSite(t *testing.T, status func(n int, body string) int) *site {
	s := &site{status: status}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		s.mu.Lock()
		s.got = append(s.got, request{string(b), req.Header, req.URL.RawQuery, req.URL.EscapedPath()})
		n := len(s.got)
		s.mu.Unlock()
		code := 200
		if s.status != nil {
			if c := s.status(n, string(b)); c != 0 {
				code = c
			}
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, "answer %d", n)
	}))
	t.Cleanup(s.Server.Close)
	return s
}

func (s *site) all() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// bodies are how often each came.
func (s *site) bodies() map[string]int {
	out := map[string]int{}
	for _, g := range s.all() {
		out[g.body]++
	}
	return out
}

func names(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return out
}

// firsts are those that came, in the order of their first times: a runner that was
// loaded again may call once more what was called just before.
func firsts(came []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range came {
		if !seen[c] {
			out = append(out, c)
		}
		seen[c] = true
	}
	return out
}

func queueOf(ref name.Ref) queue.Ref { return queue.RefOf(ref) }
