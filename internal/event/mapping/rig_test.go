package mapping_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/mapping"
	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory whose file declares one function, "bill".
type rig struct {
	*testing.T
	*server.Server
	fs    *vfs.Mem
	clock *clock.Clock
	file  string
	kafka *kgo.Client
	bill  *bill
}

// bill is a function: it notes what it gets, and answers as it is told.
type bill struct {
	*httptest.Server
	came chan struct{} // rung at each call

	mu     sync.Mutex
	events []json.RawMessage
	answer func(n int, event []byte) (status int, body string) // of the nth call, from 1 on; nil takes all
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, fs: vfs.NewMem(0), clock: &clock.Clock{}, bill: &bill{came: make(chan struct{}, 1)}}
	r.bill.Server = httptest.NewServer(http.HandlerFunc(r.bill.take))
	t.Cleanup(r.bill.Close)
	r.file = filepath.Join(t.TempDir(), "functions.yaml")
	r.must(os.WriteFile(r.file, []byte("functions:\n  bill: {url: "+r.bill.URL+"}\n"), 0o600))
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) start() {
	r.Helper()
	static, err := config.StaticOf("test", map[string]string{"num.partitions": "1", "functions.file": r.file})
	r.must(err)
	r.Server, err = server.Start(r.ctx(), server.Options{
		FS: r.fs, Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: r.clock.Now, Live: time.Now, Clock: r.clock, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test", LoopbackTargets: true,
	})
	r.must(err)
	r.dial()
}

func (r *rig) dial() {
	r.Helper()
	var err error
	r.kafka, err = kgo.NewClient(kgo.SeedBrokers(r.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return r.Dial(ctx) }),
		kgo.MetadataMinAge(10*time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	r.must(err)
}

func (r *rig) stop() {
	r.Helper()
	r.kafka.Close()
	r.must(r.Server.Close())
}

func (b *bill) take(w http.ResponseWriter, req *http.Request) {
	event, _ := io.ReadAll(req.Body)
	b.mu.Lock()
	b.events = append(b.events, event)
	n, answer := len(b.events), b.answer
	b.mu.Unlock()
	select {
	case b.came <- struct{}{}:
	default:
	}
	if answer == nil {
		return
	}
	status, body := answer(n, event)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (b *bill) all() []json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
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

// until waits for something that calls of the function, or time, bring about.
func (r *rig) until(what string, ok func() bool) {
	r.Helper()
	for ctx := r.ctx(); !ok(); {
		select {
		case <-r.bill.came:
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			r.Fatalf("%s: in vain; the function got %s", what, r.bill.all())
		}
	}
}

func ref(called string) name.Ref { return name.Of(name.Mapping, called) }

func (r *rig) put(called string, spec mapping.Spec) mapping.Mapping {
	r.Helper()
	m, _, err := r.Mappings().Put(r.ctx(), ref(called), spec)
	r.must(err)
	return m
}

func (r *rig) queue(called string, spec queue.Spec) queue.Ref {
	r.Helper()
	q, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: called}, spec)
	r.must(err)
	return q.Ref
}

func (r *rig) send(to queue.Ref, messages ...queue.Message) {
	r.Helper()
	sent, err := r.Queues().Send(r.ctx(), to, messages)
	r.must(err)
	for _, s := range sent {
		r.must(s.Err)
	}
}

func bodies(prefix string, n int) []queue.Message {
	var out []queue.Message
	for i := range n {
		out = append(out, queue.Message{Body: fmt.Appendf(nil, "%s%d", prefix, i), DelayMs: -1})
	}
	return out
}

func (r *rig) topic(called string, partitions int32) {
	r.Helper()
	made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx(), partitions, 1, nil, called)
	r.must(err)
	r.must(made.Err)
}

func (r *rig) write(topic string, partition int32, values ...string) {
	r.Helper()
	var all []*kgo.Record
	for _, v := range values {
		all = append(all, &kgo.Record{Topic: topic, Partition: partition, Key: []byte("k"), Value: []byte(v), Timestamp: r.clock.Now(), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte{1, 200}}}})
	}
	r.must(r.kafka.ProduceSync(r.ctx(), all...).FirstErr())
}

// committed are the offsets of a group, by partition.
func (r *rig) committed(group, topic string) map[int32]int64 {
	r.Helper()
	all, err := kadm.NewClient(r.kafka).FetchOffsetsForTopics(r.ctx(), group, topic)
	r.must(err)
	out := map[int32]int64{}
	all.Each(func(o kadm.OffsetResponse) { out[o.Partition] = o.At })
	return out
}

func (r *rig) topicGrows(called string, partitions int) {
	r.Helper()
	grown, err := kadm.NewClient(r.kafka).UpdatePartitions(r.ctx(), partitions, called)
	r.must(err)
	r.must(grown[called].Err)
	r.kafka.Close()
	r.dial() // who knows of the new ones
}
