package produce_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/produce"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory.
type rig struct {
	*testing.T
	ctx  context.Context
	node *server.Server
	adm  *kadm.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r.ctx = ctx
	static, err := config.StaticOf("test", nil)
	r.must(err)
	c := &clock.Clock{}
	r.node, err = server.Start(ctx, server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: c.Now, Live: time.Now, Clock: c, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test",
	})
	r.must(err)
	t.Cleanup(func() { r.must(r.node.Close()) })
	k, err := r.client()
	r.must(err)
	t.Cleanup(k.Close)
	r.adm = kadm.NewClient(k)
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(r.node.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return r.node.Dial(ctx) }),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
}

// writer is what is tried.
func (r *rig) writer(opts ...kgo.Opt) *produce.Client {
	c := produce.New(r.client, append(produce.AtOnce(func(string) int { return 1 << 20 }), opts...)...)
	r.Cleanup(c.Close)
	return c
}

func (r *rig) create(topic string) {
	r.Helper()
	_, err := r.adm.CreateTopic(r.ctx, 1, 1, nil, topic)
	r.must(err)
}

// end is where a topic's only partition ends.
func (r *rig) end(topic string) int64 {
	r.Helper()
	ends, err := r.adm.ListEndOffsets(r.ctx, topic)
	r.must(err)
	r.must(ends.Error())
	end, _ := ends.Lookup(topic, 0)
	return end.Offset
}

func TestRecordsOfAnyTimeAreWritten(t *testing.T) {
	r := newRig(t)
	r.create("orders")
	at := func(age time.Duration) *kgo.Record {
		return &kgo.Record{Topic: "orders", Value: []byte("x"), Timestamp: time.Now().Add(-age)}
	}
	records := []*kgo.Record{at(0), at(time.Minute), at(100 * time.Hour), {Topic: "orders", Value: []byte("x"), Timestamp: time.UnixMilli(1)}}
	for n := range 2 { // also again
		for i, err := range r.writer().All(r.ctx, records) {
			if want := int64(n*len(records) + i); err != nil || records[i].Offset != want {
				t.Errorf("%d: %d, %v; want offset %d", i, records[i].Offset, err, want)
			}
		}
	}
	k, err := r.client(produce.AtOnce(func(string) int { return 1 << 20 })...)
	r.must(err)
	t.Cleanup(k.Close)
	said := make(chan error, 1)
	produce.Within(r.ctx, k, patience, records[3], func(_ *kgo.Record, err error) { said <- err })
	if err := <-said; err != nil || r.end("orders") != 9 {
		t.Errorf("%v, and the topic ends at %d", err, r.end("orders"))
	}
}

// What nobody takes is given up when its time is over, and it is said so; whoever goes
// away himself is not told that the topic is slow.
func TestWhatIsNotTakenInTimeIsLate(t *testing.T) {
	k, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1"), kgo.Dialer(func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("nobody is there")
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	said := make(chan error, 1)
	tell := func(_ *kgo.Record, err error) { said <- err }
	rec := &kgo.Record{Topic: "orders", Timestamp: time.Now().Add(time.Hour)}
	produce.Within(t.Context(), k, time.Millisecond, rec, tell)
	if err := <-said; !errors.Is(err, produce.ErrLate) {
		t.Errorf("late: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	produce.Within(ctx, k, patience, rec, tell)
	cancel()
	if err := <-said; !errors.Is(err, context.Canceled) || errors.Is(err, produce.ErrLate) {
		t.Errorf("gone: %v", err)
	}
}

func TestATopicThatIsMadeAnewIsWrittenToByAll(t *testing.T) {
	r := newRig(t)
	c := r.writer()
	const writers, each = 8, 5
	for turn := range 4 {
		r.create("orders")
		var all sync.WaitGroup
		for n := range writers {
			all.Go(func() {
				for i := range each {
					for _, err := range c.All(r.ctx, []*kgo.Record{{Topic: "orders", Value: []byte(fmt.Sprint(n, i))}}) {
						if err != nil {
							t.Errorf("turn %d, writer %d: %v", turn, n, err)
						}
					}
				}
			})
		}
		if all.Wait(); r.end("orders") != writers*each {
			t.Errorf("turn %d: the topic has %d records, want %d", turn, r.end("orders"), writers*each)
		}
		_, err := r.adm.DeleteTopic(r.ctx, "orders")
		r.must(err)
	}
	if err := c.All(r.ctx, []*kgo.Record{{Topic: "orders"}})[0]; !errors.Is(err, kerr.UnknownTopicOrPartition) && !errors.Is(err, kerr.UnknownTopicID) {
		t.Errorf("a topic that is no more: %v", err)
	}
}

// buffered tells of each record that a client took over.
type buffered chan struct{}

func (b buffered) OnProduceRecordBuffered(*kgo.Record) { b <- struct{}{} }

func TestWhoGoesAwayTakesNobodyAlong(t *testing.T) {
	r := newRig(t)
	r.create("orders")
	open, took := make(chan struct{}), make(buffered, 10)
	c := r.writer(kgo.WithHooks(took), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case <-open:
			return r.node.Dial(ctx)
		default:
			return nil, errors.New("nobody is there")
		}
	}))
	first, goAway := context.WithCancel(r.ctx)
	errs := [2]chan error{make(chan error, 1), make(chan error, 1)}
	for i, ctx := range []context.Context{first, r.ctx} {
		go func() { errs[i] <- c.All(ctx, []*kgo.Record{{Topic: "orders"}})[0] }()
		<-took
	}
	goAway()
	if err := <-errs[0]; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away is told %v", err)
	}
	close(open)
	if err := <-errs[1]; err != nil {
		t.Errorf("another is told %v", err)
	}
}

func TestAClientEnds(t *testing.T) {
	r := newRig(t)
	r.create("orders")
	c := r.writer()
	r.must(c.All(r.ctx, []*kgo.Record{{Topic: "orders"}})[0])
	c.Close()
	if _, err := c.Kafka(); !errors.Is(err, produce.ErrClosed) {
		t.Errorf("the client: %v", err)
	}
	if err := c.All(r.ctx, []*kgo.Record{{Topic: "orders"}, {Topic: "orders"}}); !errors.Is(err[0], produce.ErrClosed) || !errors.Is(err[1], produce.ErrClosed) {
		t.Errorf("written: %v", err)
	}
}
