package run_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/pattern"
	"ottla/internal/event/plan"
	"ottla/internal/event/queue"
	"ottla/internal/event/run"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// published are sources that a test publishes.
type published struct {
	mu   sync.Mutex // guards what follows
	out  []*plan.Source
	late []*plan.Source // what is known when somebody asks for all
}

func (p *published) Sources() []*plan.Source {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.out)
}

func (p *published) Current(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.late != nil {
		p.out, p.late = p.late, nil
	}
	return nil
}

// behind has little known before somebody asks for all.
func (p *published) behind(little, all *plan.Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out, p.late = nil, []*plan.Source{all}; little != nil {
		p.out = []*plan.Source{little}
	}
}

func (p *published) set(all ...*plan.Source) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = all
}

// rig is a node in memory, with a Service that runs what a test publishes.
type rig struct {
	testing.TB
	*server.Server
	clock   *clock.Clock
	kafka   *kgo.Client
	sources published
	run     *run.Service

	mu     sync.Mutex // guards what follows
	topics map[string]int
	ill    map[string]error // topics that take nothing
	asked  chan struct{}    // a token when somebody looked at one of them
	unsaid int              // of so many sends it is not told that they went
	behind string           // a queue that the node has not heard of
}

// queues are the node's.
type queues struct {
	*queue.Service
	*rig
}

// Records may not know a queue that there is.
func (q *queues) Records(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]*kgo.Record, error) {
	q.mu.Lock()
	behind := q.behind
	q.mu.Unlock()
	if behind != "" && ref.Name == behind {
		return nil, queue.ErrNotFound
	}
	return q.Service.Records(ctx, ref, messages)
}

// Send may answer that nobody knows whether messages were sent, though they were.
func (q *queues) Send(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]queue.Sent, error) {
	sent, err := q.Service.Send(ctx, ref, messages)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil && q.unsaid > 0 {
		q.unsaid--
		return nil, queue.ErrUnavailable
	}
	return sent, err
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, clock: &clock.Clock{}, topics: map[string]int{}, ill: map[string]error{}, asked: make(chan struct{}, 1)}
	static, err := config.StaticOf("test", map[string]string{"num.partitions": "1"})
	r.must(err)
	r.Server, err = server.Start(r.ctx(), server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: r.clock.Now, Live: time.Now, Clock: r.clock, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test", LoopbackTargets: true, NoBuses: true,
	})
	r.must(err)
	t.Cleanup(func() { r.must(r.Server.Close()) })
	// Not by way of memory: whose connections are cut there, kgo does not try again.
	r.kafka, err = kgo.NewClient(kgo.SeedBrokers(r.KafkaAddr()), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(10*time.Millisecond))
	r.must(err)
	t.Cleanup(r.kafka.Close)
	r.run = r.service()
	t.Cleanup(func() { r.run.Close() })
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
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return r.Dial(ctx) }
	return kgo.NewClient(append(opts, kgo.SeedBrokers(r.KafkaAddr()), kgo.Dialer(dial), kgo.MetadataMinAge(10*time.Millisecond))...)
}

// service runs what is published, like the one that r.run is.
func (r *rig) service() *run.Service {
	return run.New(run.Options{
		Sources: []run.Sources{&r.sources}, Queues: &queues{Service: r.Queues(), rig: r}, Client: r.client, Topic: r.topicOf,
		TopicOf: func(ref name.Ref) (string, bool) { return ref.Name, true },
		Leads:   func(string, int32) bool { return true }, Now: r.clock.Now,
		Gone: func(ctx context.Context, ref name.Ref) (bool, error) {
			_, err := r.Objects().Current(ctx, ref)
			if errors.Is(err, object.ErrNotFound) {
				return true, nil
			}
			return false, err
		},
		Create: func(ctx context.Context, _ bool) error {
			compact := "compact"
			made, err := kadm.NewClient(r.kafka).CreateTopic(ctx, run.Partitions, 1, map[string]*string{"cleanup.policy": &compact}, run.StateTopic)
			if err == nil || made.Err != nil {
				r.know(run.StateTopic, run.Partitions)
				return nil
			}
			return err
		},
		Patience: 20 * time.Second, // a busy machine is no reason to leave the pass
	})
}

func (r *rig) topicOf(topic string) (run.Place, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.topics[topic]
	ill := r.ill[topic]
	if ill != nil {
		select {
		case r.asked <- struct{}{}:
		default:
		}
	}
	return run.Place{Partitions: n, MaxBytes: 1 << 20, Ill: ill}, ok
}

func (r *rig) know(topic string, partitions int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.topics[topic] = partitions
}

// sicken has a topic take nothing, or (nil) all again.
func (r *rig) sicken(topic string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ill[topic] = err
}

func (r *rig) topic(topic string, partitions int) {
	r.Helper()
	made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx(), int32(partitions), 1, nil, topic)
	r.must(err)
	r.must(made.Err)
	r.know(topic, partitions)
}

func (r *rig) queue(called string) name.Ref {
	r.Helper()
	spec := queue.DefaultSpec()
	_, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: called}, spec)
	r.must(err)
	r.know(called, 1)
	return name.Of(name.Queue, called)
}

// ailing has a bus b whose events go to a topic bad, which is ill. They are given up after an
// hour, into the queue dead.
func (r *rig) ailing() {
	r.Helper()
	r.topic("b", 1)
	r.topic("bad", 1)
	all := rule("all", "*", toTopic("bad"))
	all.Targets[0].DeadLetters, all.Targets[0].Retry = r.queue("dead"), plan.Retry{Most: -1, MaxAgeMs: 3600_000}
	r.publish(source("b", all))
	r.sicken("bad", errors.New("it is ill"))
}

// put puts n events of one type on a bus, whose data is their number.
func (r *rig) put(bus, kind string, from, n int) {
	r.Helper()
	r.putAt(r.clock.Now(), bus, kind, from, n)
}

// putAt is put, of a time.
func (r *rig) putAt(at time.Time, bus, kind string, from, n int) {
	r.Helper()
	var all []*kgo.Record
	for i := from; i < from+n; i++ {
		id := strconv.Itoa(i)
		all = append(all, &kgo.Record{Topic: bus, Value: []byte(id), Timestamp: at, Headers: []kgo.RecordHeader{
			{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte(id)}, {Key: "ce_source", Value: []byte("test")},
			{Key: "ce_type", Value: []byte(kind)}, {Key: "content-type", Value: []byte("application/json")},
		}})
	}
	r.must(r.kafka.ProduceSync(r.ctx(), all...).FirstErr())
}

// values reads n committed records of a topic's partition 0, or all that there are.
func (r *rig) values(topic string, n int) []string {
	r.Helper()
	c, err := r.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	r.must(err)
	defer c.Close()
	ends, err := kadm.NewClient(r.kafka).ListCommittedOffsets(r.ctx(), topic)
	r.must(err)
	end, at := ends[topic][0].Offset, int64(0)
	var out []string
	for ctx := r.ctx(); len(out) < n || at < end; {
		got := c.PollFetches(ctx)
		if ctx.Err() != nil {
			r.Fatalf("%d of %d records of %s came", len(out), n, topic)
		}
		got.EachRecord(func(rec *kgo.Record) {
			at = rec.Offset + 1
			if !rec.Attrs.IsControl() {
				out = append(out, string(rec.Value))
			}
		})
	}
	return out
}

// until has all who fail try again until a topic has n records.
func (r *rig) until(topic string, n int) {
	r.Helper()
	for ctx := r.ctx(); len(r.values(topic, 0)) < n; {
		r.must(r.run.Settle(ctx))
	}
}

// numbers are the texts of from to from+n-1.
func numbers(from, n int) []string {
	var out []string
	for i := range n {
		out = append(out, strconv.Itoa(from+i))
	}
	return out
}

func (r *rig) same(what string, got, want []string) {
	r.Helper()
	if !slices.Equal(got, want) {
		r.Errorf("%s: %d records %.200v, want %d %.200v", what, len(got), got, len(want), want)
	}
}

// rule is one of a test: the data of events of a type go to places.
func rule(called, kind string, to ...plan.Place) *plan.Rule {
	ref := name.Of(name.Rule, "b/"+called)
	r := &plan.Rule{Ref: ref, ID: called + "-id", Version: 1}
	for i, p := range to {
		id := "t" + strconv.Itoa(i)
		r.Targets = append(r.Targets, &plan.Target{
			Key: ref.Key() + "#" + r.ID + "/" + id, ID: id, To: p, Render: data, Retry: plan.Retry{Most: -1},
		})
	}
	r.Targets[0].ID = "t0 " + kind
	return r
}

func data(e *plan.Event) (plan.Payload, error) {
	if e.Type == "broken" {
		return plan.Payload{}, errors.New("it cannot be made")
	}
	return plan.Payload{Body: append([]byte{}, e.Data...), Event: nil}, nil
}

var versions int64

// source publishes a bus with rules, each of which takes the events of its type.
func source(topic string, rules ...*plan.Rule) *plan.Source {
	set := pattern.NewSet()
	for i, r := range rules {
		kind := r.Targets[0].ID[len("t0 "):]
		text := fmt.Sprintf(`{"detail-type":[%q]}`, kind)
		if kind == "*" {
			text = `{"version":["0"]}`
		}
		p, err := pattern.Parse([]byte(text))
		if err != nil {
			panic(err)
		}
		set = set.With(pattern.ID(i), p)
	}
	versions++
	return &plan.Source{Ref: name.Of(name.Bus, topic), ID: topic + "-id", Version: versions, Topic: topic, Rules: rules,
		Match: func(into []int, doc []byte) ([]int, error) {
			var m pattern.Matcher
			ids, err := set.Match(doc, &m, nil)
			for _, id := range ids {
				into = append(into, int(id))
			}
			slices.Sort(into)
			return into, err
		}}
}

func (r *rig) publish(all ...*plan.Source) {
	r.sources.set(all...)
	r.run.Look()
}

func (r *rig) settle() {
	r.Helper()
	r.must(r.run.Settle(r.ctx()))
}

func toTopic(topic string) plan.Place { return plan.Place{Kind: plan.Topic, Topic: topic} }
