package ottla_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

const day = 24 * time.Hour

func advance(t *testing.T, c *ottla.Clock, d time.Duration) {
	t.Helper()
	if err := c.Advance(within(t), d); err != nil {
		t.Fatalf("advance by %v: %v", d, err)
	}
}

// starts is where a topic's only partition begins and ends.
func starts(t *testing.T, node *ottla.Server, topic string) (start, end int64) {
	t.Helper()
	a := kadm.NewClient(client(t, node))
	s, err := a.ListStartOffsets(within(t), topic)
	e, err2 := a.ListEndOffsets(within(t), topic)
	if err := errors.Join(err, err2, s.Error(), e.Error()); err != nil {
		t.Fatalf("offsets of %s: %v", topic, err)
	}
	from, _ := s.Lookup(topic, 0)
	to, _ := e.Lookup(topic, 0)
	return from.Offset, to.Offset
}

// places are a node in memory and one on disk.
func places(t *testing.T, check func(t *testing.T, o ottla.Options)) {
	t.Run("memory", func(t *testing.T) { check(t, ottla.Options{}) })
	t.Run("disk", func(t *testing.T) { check(t, ottla.Options{Dir: t.TempDir()}) })
}

func TestRetentionGoesByTheClock(t *testing.T) {
	places(t, func(t *testing.T, o ottla.Options) {
		o.Clock = new(ottla.Clock)
		node := start(t, o)
		create(t, node, "week", 1, nil)
		forever := "-1"
		create(t, node, "kept", 1, map[string]*string{"retention.ms": &forever})
		produce(t, client(t, node), "week", 0, 10)
		produce(t, client(t, node), "kept", 0, 10)
		advance(t, o.Clock, 6*day)
		if from, to := starts(t, node, "week"); from != 0 || to != 10 {
			t.Errorf("after six days the log is [%d, %d), want [0, 10)", from, to)
		}
		advance(t, o.Clock, day+time.Hour)
		if from, to := starts(t, node, "week"); from != 10 || to != 10 {
			t.Errorf("after a week the log is [%d, %d), want [10, 10)", from, to)
		}
		if from, to := starts(t, node, "kept"); from != 0 || to != 10 {
			t.Errorf("the log without retention is [%d, %d), want [0, 10)", from, to)
		}
	})
}

func TestLogAppendTimeIsTheClocks(t *testing.T) {
	var clock ottla.Clock
	node := start(t, ottla.Options{Clock: &clock})
	logAppend := "LogAppendTime"
	create(t, node, "dated", 1, map[string]*string{"message.timestamp.type": &logAppend})
	at := time.Date(2040, 2, 29, 12, 0, 0, 0, time.UTC)
	if err := clock.Set(within(t), at); err != nil {
		t.Fatal(err)
	}
	produce(t, client(t, node), "dated", 0, 1)
	got := read(t, node, "dated", 1)[0].Timestamp
	if got.Before(at.Add(-time.Second)) || got.After(at.Add(patience)) {
		t.Errorf("the record is dated %v, want about %v", got.UTC(), at)
	}
	if now := clock.Now(); now.Before(at.Add(-time.Second)) || now.After(at.Add(patience)) {
		t.Errorf("the clock shows %v, want about %v", now.UTC(), at)
	}
}

func TestOffsetsExpireByTheClock(t *testing.T) {
	var clock ottla.Clock
	node := start(t, ottla.Options{Clock: &clock, Settings: map[string]string{"offsets.topic.num.partitions": "3"}})
	create(t, node, "read", 1, nil)
	a := kadm.NewClient(client(t, node))
	commit := func(group string) {
		t.Helper()
		var o kadm.Offsets
		o.AddOffset("read", 0, 7, -1)
		if r, err := a.CommitOffsets(within(t), group, o); errors.Join(err, r.Error()) != nil {
			t.Fatalf("commit of %s: %v, %v", group, err, r.Error())
		}
	}
	has := func(group string) bool {
		t.Helper()
		r, err := a.FetchOffsets(within(t), group)
		if err := errors.Join(err, r.Error()); err != nil {
			t.Fatalf("offsets of %s: %v", group, err)
		}
		v, ok := r.Lookup("read", 0)
		return ok && v.At == 7
	}
	for i := range 5 {
		commit(fmt.Sprintf("old%d", i))
	}
	advance(t, &clock, 6*day)
	commit("young")
	advance(t, &clock, day+time.Hour)
	for i := range 5 {
		if g := fmt.Sprintf("old%d", i); has(g) {
			t.Errorf("the offsets of %s are still there after a week", g)
		}
	}
	if !has("young") {
		t.Error("offsets that were committed yesterday, as the clock has it, are gone")
	}
}

// A session is judged by real time, so a week that passes in a moment throws
// nobody out.
func TestMembersOutliveAMovedClock(t *testing.T) {
	var clock ottla.Clock
	node := start(t, ottla.Options{Clock: &clock, Settings: map[string]string{"group.initial.rebalance.delay.ms": "0"}})
	produce(t, client(t, node), "work", 0, 10)
	lost := make(chan struct{}, 1)
	c := client(t, node, kgo.ConsumerGroup("workers"), kgo.ConsumeTopics("work"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.OnPartitionsLost(func(_ ctxt, _ *kgo.Client, _ map[string][]int32) { lost <- struct{}{} }))
	if n := c.PollFetches(within(t)).NumRecords(); n == 0 {
		t.Fatal("nothing was read")
	}
	before, generation := c.GroupMetadata()
	advance(t, &clock, 5*day)
	if err := c.CommitUncommittedOffsets(within(t)); err != nil {
		t.Errorf("commit after the move: %v", err)
	}
	after, next := c.GroupMetadata()
	if len(lost) > 0 || before != after || generation != next {
		t.Errorf("member %s of generation %d is now %s of %d", before, generation, after, next)
	}
}

func TestOneClockMovesManyNodesAndForgetsThoseThatClosed(t *testing.T) {
	var clock ottla.Clock
	gone, err := ottla.Start(within(t), ottla.Options{Clock: &clock})
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	nodes := []*ottla.Server{start(t, ottla.Options{Clock: &clock}), start(t, ottla.Options{Clock: &clock})}
	for _, n := range nodes {
		create(t, n, "week", 1, nil)
		produce(t, client(t, n), "week", 0, 3)
	}
	advance(t, &clock, 8*day)
	for i, n := range nodes {
		if from, _ := starts(t, n, "week"); from != 3 {
			t.Errorf("node %d: the log starts at %d, want 3", i, from)
		}
	}
	advance(t, &clock, -8*day)
	if off := time.Until(clock.Now()).Abs(); off > patience {
		t.Errorf("moved there and back the clock is off by %v", off)
	}
}
