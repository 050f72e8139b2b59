package relay_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// slow is a client that takes its time to note a topic's partitions: while it looks for
// them, another record comes for the topic, whose partition it ponders over.
type slow struct {
	c     atomic.Pointer[kgo.Client]
	first atomic.Bool // a record waits for the partitions
	once  sync.Once
	goes  chan struct{}
}

// OnProduceRecordBuffered implements kgo.HookProduceRecordBuffered.
func (s *slow) OnProduceRecordBuffered(*kgo.Record) { s.first.Store(true) }

// ForTopic implements kgo.Partitioner.
func (s *slow) ForTopic(string) kgo.TopicPartitioner { return s }

// RequiresConsistency implements kgo.TopicPartitioner.
func (s *slow) RequiresConsistency(*kgo.Record) bool { return true }

// Partition implements kgo.TopicPartitioner.
func (s *slow) Partition(r *kgo.Record, _ int) int {
	if string(r.Key) == "another" {
		<-s.goes
	}
	return 0
}

func (s *slow) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	return &asked{c, s}, err
}

// asked is a connection of a slow client.
type asked struct {
	net.Conn
	s *slow
}

// Write sends a request. The first for metadata after a record looks for its partitions.
func (a *asked) Write(b []byte) (int, error) {
	const metadata = 3
	if len(b) > 5 && b[4] == 0 && b[5] == metadata && a.s.first.Load() {
		a.s.once.Do(func() {
			a.s.c.Load().Produce(context.Background(), &kgo.Record{Topic: "ottla-outbox-shop", Key: []byte("another")}, nil)
			time.AfterFunc(200*time.Millisecond, func() { close(a.s.goes) })
		})
	}
	return a.Conn.Write(b)
}

// A client that does not know yet what it has written to would abort a transaction, and
// say that it is committed.
func TestWhatIsCommittedAtOnceIsThere(t *testing.T) {
	r := newNode(t)
	s := &slow{goes: make(chan struct{})}
	o := r.outlet(&memory{})
	o.Connect = func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
		if s.c.Load() != nil { // it is the writer
			return r.connect(ctx, opts...)
		}
		c, err := r.connect(ctx, append(opts, kgo.Dialer(s.dial), kgo.WithHooks(s), kgo.RecordPartitioner(s))...)
		s.c.Store(c)
		return c, err
	}
	log, err := o.Open(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	log.Close()
	<-s.goes
	other := r.outlet(&memory{})
	other.Table = "another"
	if _, err := other.Open(r.ctx); err == nil || !strings.Contains(err.Error(), "last started for memory") {
		t.Errorf("the other finds what the first wrote: %v", err)
	}
}
