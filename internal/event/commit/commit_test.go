package commit_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/event/commit"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = time.Minute

// slow is a partitioner that takes its time for one record: meanwhile others that
// were handed on before are written, and the client has not noted their topic.
type slow struct{ waits, goes chan struct{} }

// ForTopic implements kgo.Partitioner.
func (s slow) ForTopic(string) kgo.TopicPartitioner { return s }

// RequiresConsistency implements kgo.TopicPartitioner.
func (s slow) RequiresConsistency(*kgo.Record) bool { return true }

// Partition implements kgo.TopicPartitioner.
func (s slow) Partition(r *kgo.Record, _ int) int {
	if string(r.Value) == "second" {
		close(s.waits)
		<-s.goes
		return 1
	}
	return 0
}

// What a client will never note, as its topic is gone, is not waited for.
func TestWhatIsNeverNotedIsNotWaitedFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers("nobody.invalid:1"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := commit.Known(ctx, c, &kgo.Record{Topic: "gone"}); err == nil || ctx.Err() != nil {
		t.Errorf("it was waited for as long as anybody would, and %v", err)
	}
}

// The first transaction of a client on a topic is committed, however early its end
// is asked for.
func TestTheFirstTransactionOnATopicIsCommitted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := ottla.Start(ctx, ottla.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := func(opts ...kgo.Opt) *kgo.Client {
		c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.Addr()), kgo.MetadataMinAge(10 * time.Millisecond)}, opts...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	if _, err := kadm.NewClient(client()).CreateTopic(ctx, 2, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	p := slow{make(chan struct{}), make(chan struct{})}
	c := client(kgo.TransactionalID("x"), kgo.RecordPartitioner(p), kgo.ProducerLinger(0))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	first := &kgo.Record{Topic: "t", Value: []byte("first")}
	second := &kgo.Record{Topic: "t", Value: []byte("second")}
	written := make(chan error, 2)
	for _, r := range []*kgo.Record{first, second} {
		c.Produce(ctx, r, func(_ *kgo.Record, err error) { written <- err })
	}
	<-p.waits
	if err := <-written; err != nil { // the first: the client has not noted the topic
		t.Fatal(err)
	}
	if leader, _, _ := c.PartitionLeader("t", 0); leader >= 0 {
		t.Log("this client notes a topic before it hands its records on")
	}
	ended := make(chan error, 1)
	go func() { ended <- commit.Commit(ctx, c, first) }()
	select {
	case err := <-ended: // as EndTransaction does: it aborts, and reports success
		close(p.goes)
		t.Fatalf("the transaction was ended while the client could not know what is in it: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	close(p.goes)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	r := client(kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	seen := map[string]bool{}
	for len(seen) < 2 {
		got := r.PollFetches(ctx)
		if err := got.Err(); err != nil {
			t.Fatalf("committed are %v: %v", seen, err)
		}
		got.EachRecord(func(r *kgo.Record) { seen[string(r.Value)] = true })
	}
}
