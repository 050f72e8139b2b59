package sns_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/event/sns"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory whose clock a test moves.
type rig struct {
	*testing.T
	*server.Server
	clock *clock.Clock
	fs    vfs.FS
	kafka *kgo.Client
	sns   *sns.Service

	refuse atomic.Int32 // status that addresses answer; 0 is 200
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, clock: &clock.Clock{}, fs: vfs.NewMem(0)}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) start() {
	r.Helper()
	static, err := config.StaticOf("test", map[string]string{"num.partitions": "1"})
	r.must(err)
	r.Server, err = server.Start(r.ctx(), server.Options{
		FS: r.fs, Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: r.clock.Now, Live: time.Now, Clock: r.clock, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test", LoopbackTargets: true,
	})
	r.must(err)
	r.kafka, err = r.client()
	r.must(err)
	r.sns = r.SNS()
}

func (r *rig) stop() {
	r.Helper()
	if r.kafka != nil {
		r.kafka.Close()
		r.kafka = nil
		r.must(r.Server.Close())
	}
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

// partitions asks the node itself.
func (r *rig) partitions(topic string) int {
	got, err := kadm.NewClient(r.kafka).ListTopics(r.ctx(), topic)
	if err != nil || got[topic].Err != nil {
		return 0
	}
	return len(got[topic].Partitions)
}

func (r *rig) make(topic string) {
	r.Helper()
	made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx(), 1, 1, nil, topic)
	r.must(err)
	r.must(made.Err)
}

func topicRef(called string) name.Ref { return name.Of(name.SNS, called) }

func (r *rig) topic(called string, attributes map[string]string) sns.Topic {
	r.Helper()
	t, err := r.sns.Create(r.ctx(), topicRef(called), sns.TopicSpec{Attributes: attributes})
	r.must(err)
	return t
}

func (r *rig) queue(called string, fifo bool) string {
	r.Helper()
	spec := queue.DefaultSpec()
	spec.FIFO = fifo
	q, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: called}, spec)
	r.must(err)
	return q.ARN()
}

func (r *rig) subscribe(topic, protocol, endpoint string, attributes map[string]string) sns.Subscription {
	r.Helper()
	s, err := r.sns.Subscribe(r.ctx(), topicRef(topic), sns.SubscriptionSpec{Protocol: protocol, Endpoint: endpoint, Attributes: attributes, Base: "http://ottla:8080"})
	r.must(err)
	return s
}

func (r *rig) publish(topic string, all ...sns.Message) []sns.Published {
	r.Helper()
	got, err := r.sns.Publish(r.ctx(), topicRef(topic), all)
	r.must(err)
	for i := range got {
		r.must(got[i].Err)
	}
	return got
}

// take takes n messages of a queue, which must come, and no more than these. Each is
// acknowledged: a FIFO queue gives nothing more of a group before.
func (r *rig) take(called string, n int) []queue.Taken {
	r.Helper()
	ctx := r.ctx()
	var out []queue.Taken
	for len(out) < n {
		got, err := r.Queues().Take(ctx, queue.Ref{Name: called}, queue.TakeOptions{Max: 10, WaitMs: 20_000, VisibilityMs: -1})
		r.must(err)
		for i := range got {
			r.must(r.Queues().Ack(ctx, queue.Ref{Name: called}, []string{got[i].Receipt})[0])
		}
		out = append(out, got...)
	}
	if len(out) > n {
		r.Errorf("%s has %d messages, want %d", called, len(out), n)
	}
	return out
}

// call is a request that an address got.
type call struct {
	header http.Header
	body   []byte
}

// address is an HTTP server that notes what it gets.
func (r *rig) address() (string, <-chan call) {
	r.Helper()
	got := make(chan call, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, err := io.ReadAll(q.Body)
		if err != nil {
			r.Error(err)
		}
		if status := r.refuse.Load(); status != 0 {
			w.WriteHeader(int(status))
		}
		got <- call{q.Header, b}
	}))
	r.Cleanup(s.Close)
	return s.URL, got
}

func (r *rig) next(calls <-chan call) call {
	r.Helper()
	select {
	case c := <-calls:
		return c
	case <-r.ctx().Done():
		r.Fatal("no call came")
		return call{}
	}
}

// eventually waits until something holds.
func (r *rig) eventually(what string, holds func() bool) {
	r.Helper()
	ctx := r.ctx()
	for !holds() {
		select {
		case <-ctx.Done():
			r.Fatalf("never: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}
