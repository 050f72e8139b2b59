package server

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/broker"
	"ottla/internal/kafka/post"
	"ottla/internal/record"
	"ottla/internal/timer"
	"ottla/internal/wire"
)

// consumed reads n records of a topic from its beginning.
func consumed(ctx context.Context, t *testing.T, s *Server, topic string, n int) []*kgo.Record {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out []*kgo.Record
	for len(out) < n {
		f := c.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d of %d records of %s came: %v", len(out), n, topic, err)
		}
		out = append(out, f.Records()...)
	}
	return out
}

// empty makes a topic with one partition.
func empty(ctx context.Context, t *testing.T, s *Server, topic string) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if r, err := kadm.NewClient(c).CreateTopic(ctx, 2, 1, nil, topic); errors.Join(err, r.Err) != nil {
		t.Fatalf("create %s: %v, %v", topic, err, r.Err)
	}
}

func TestTimersAreSetReadCancelledAndAppended(t *testing.T) {
	s := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	empty(ctx, t, s, "timed")
	if s.broker.Image().TopicByName(broker.TimersTopic) != nil {
		t.Error("the timers' topic is there before there is a timer")
	}
	now := time.Now().UnixMilli()
	var timers []timer.Timer
	for i := range 200 {
		timers = append(timers, timer.Timer{
			Key: fmt.Sprint("test/", i), Topic: "timed", Partition: -1, DueMs: now, RecordKey: fmt.Append(nil, i), Value: []byte("v"),
			Headers: []timer.Header{{Key: "h", Value: []byte("x")}},
		})
	}
	far := timer.Timer{Key: "test/far", Topic: "timed", Partition: 1, DueMs: now + 1<<40, Value: []byte("far")}
	timers = append(timers, far, timer.Timer{Key: "test/bad", Topic: "nowhere", Partition: -1})
	for i, err := range s.Timers().Set(ctx, timers) {
		if bad := i == 201; bad != (wire.CodeOf(err) == wire.UnknownTopicOrPartition) || !bad && err != nil {
			t.Fatalf("timer %d: %v", i, err)
		}
	}
	seen := map[string]bool{}
	for _, r := range consumed(ctx, t, s, "timed", 200) {
		seen[string(r.Key)] = true
		if string(r.Value) != "v" || len(r.Headers) != 1 || r.Timestamp.UnixMilli() < now {
			t.Errorf("got %+v", r)
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d of 200 timers came", len(seen))
	}
	got, ok, err := s.Timers().Get(ctx, "test/far")
	if err != nil || !ok || got.DueMs != far.DueMs || string(got.Value) != "far" || got.Partition != 1 || got.RecordKey != nil {
		t.Errorf("got %+v, %t, %v", got, ok, err)
	}
	errs := s.Timers().Cancel(ctx, []string{"test/far", "test/0", "test/never"})
	if errs[0] != nil || !errors.Is(errs[1], timer.ErrGone) || !errors.Is(errs[2], timer.ErrGone) {
		t.Errorf("cancel answers %v", errs)
	}
	if _, ok, err := s.Timers().Get(ctx, "test/far"); ok || err != nil {
		t.Errorf("a timer that was cancelled is there: %t, %v", ok, err)
	}
	if err := s.settleTimers(ctx); err != nil {
		t.Error(err)
	}
	if waiting, late := s.timers.Counts(ctx); waiting != 0 || late != 0 {
		t.Errorf("%d timers wait, %d are late", waiting, late)
	}
}

func TestClientsCannotWriteToTheTimersTopic(t *testing.T) {
	s := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.prepareTopic(ctx, broker.TimersTopic, "k"); err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.RecordRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.ProduceSync(ctx, &kgo.Record{Topic: broker.TimersTopic, Value: []byte("x")}).FirstErr(); err == nil {
		t.Error("a client wrote to it")
	}
	for _, err := range s.Timers().Set(ctx, []timer.Timer{{Key: "k", Topic: broker.TimersTopic, Partition: -1, Value: []byte("x")}}) {
		if err == nil {
			t.Error("a timer for it was set")
		}
	}
}

// A batch with a producer's sequence may be put again, and is found where nobody
// remembers it.
func TestABatchIsPutOnceAndFound(t *testing.T) {
	s := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	empty(ctx, t, s, "boxed")
	office := &post.Office{NodeID: s.nodeID, Partitions: s.broker, View: s.view, Image: s.image, Timeout: patience}
	box, err := office.Box(s.image().TopicByName("boxed"), 0)
	if err != nil {
		t.Fatal(err)
	}
	batch := func(sequence int32) []byte {
		b := record.NewBuilder()
		b.ProducerID, b.ProducerEpoch, b.BaseSequence = 1<<40, 0, sequence
		b.Add(1_000_000, nil, []byte("x"))
		b.Add(1_000_000, nil, []byte("y"))
		return b.Build(0)
	}
	for _, sequence := range []int32{0, 2, 2, 2, 4, 4} {
		if err := box.Put(ctx, batch(sequence)); err != nil {
			t.Fatalf("put of %d: %v", sequence, err)
		}
	}
	p, _ := s.broker.ByName([]byte("boxed"), 0)
	if end := p.Offsets().LogEnd; end != 6 {
		t.Errorf("the log ends at %d, want 6", end)
	}
	for _, c := range []struct {
		since    int64
		id       int64
		sequence int32
		want     bool
	}{{0, 1 << 40, 2, true}, {1_000_000, 1 << 40, 4, true}, {1_000_001, 1 << 40, 4, false}, {0, 1 << 40, 6, false}, {0, 7, 2, false}} {
		got, err := box.Has(ctx, post.Batch{SinceMs: c.since, ProducerID: c.id, Sequence: c.sequence})
		if err != nil || got != c.want {
			t.Errorf("%+v: %t, %v", c, got, err)
		}
	}
	if _, err := office.Box(s.image().TopicByName("boxed"), 99); err == nil {
		t.Error("a partition that is not there was found")
	}
}
