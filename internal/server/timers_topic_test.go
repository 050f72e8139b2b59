package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/config"
	"ottla/internal/timer"
	"ottla/internal/vfs"
)

// far are timers for a topic that are due in a year.
func far(topic string, n int) (out []timer.Timer) {
	at := time.Now().Add(365 * 24 * time.Hour).UnixMilli()
	for i := range n {
		out = append(out, timer.Timer{Key: fmt.Sprint(topic, "/", i), Topic: topic, Partition: -1, DueMs: at + int64(i), Value: []byte("v")})
	}
	return out
}

// counted fails unless so many timers for a topic wait, whatever node is asked.
func counted(ctx context.Context, t *testing.T, topic string, want int64, nodes ...*Server) {
	t.Helper()
	for _, s := range nodes {
		if got, err := s.Timers().Count(ctx, topic); got != want || err != nil {
			t.Errorf("node %d counts %d timers for %s, want %d (%v)", s.NodeID(), got, topic, want, err)
		}
	}
}

func TestTimersForATopicAreCountedAndCancelled(t *testing.T) {
	s := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	counted(ctx, t, "a", 0, s)
	if n, err := s.Timers().CancelTopic(ctx, "a"); n != 0 || err != nil {
		t.Errorf("%d timers were cancelled where there are none: %v", n, err)
	}
	// More than are taken away at once by each coordinator, some of them replaced.
	if err := errors.Join(s.Timers().Set(ctx, append(far("a", 60_000), far("b", 7)...))...); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Timers().Set(ctx, far("a", 100))...); err != nil {
		t.Fatal(err)
	}
	counted(ctx, t, "a", 60_000, s)
	counted(ctx, t, "b", 7, s)
	if n, err := s.Timers().CancelTopic(ctx, "a"); n != 60_000 || err != nil {
		t.Errorf("%d timers were cancelled: %v", n, err)
	}
	counted(ctx, t, "a", 0, s)
	counted(ctx, t, "b", 7, s)
	if _, ok, err := s.Timers().Get(ctx, "a/59999"); ok || err != nil {
		t.Errorf("a timer that was cancelled is there: %t, %v", ok, err)
	}
	if err := errors.Join(s.Timers().Set(ctx, far("a", 3))...); err != nil {
		t.Fatal(err)
	}
	counted(ctx, t, "a", 3, s)
}

// three starts a cluster of nodes in memory, each of which serves and votes, and gives
// what stops one of them before the test is over.
func three(ctx context.Context, t *testing.T) (out []*Server, stop func(*Server)) {
	t.Helper()
	static, err := config.StaticOf("the test", nil)
	if err != nil {
		t.Fatal(err)
	}
	stopped := map[*Server]bool{}
	stop = func(s *Server) {
		if !stopped[s] {
			stopped[s] = true
			_ = s.Close() // the last of them has nobody left to say goodbye to
		}
	}
	for n := range 3 {
		o := Options{
			FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: int32(n + 1), Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Insecure: true,
			Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: DefaultVerifyAge,
		}
		if n > 0 {
			o.Join = []string{out[0].KafkaAddr()}
		}
		s, err := Start(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stop(s) })
		out = append(out, s)
	}
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !whole(out) {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("the cluster is not whole: %+v", out[0].Members())
		}
	}
	return out, stop
}

// whole tells whether every node knows that all serve and vote.
func whole(nodes []*Server) bool {
	for _, s := range nodes {
		n := 0
		for _, m := range s.Members() {
			if m.Serving && m.Voter {
				n++
			}
		}
		if n < len(nodes) {
			return false
		}
	}
	return true
}

// Coordinators are spread over three nodes, and one of these goes.
func TestTimersForATopicAreTheSameAtEveryNode(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	nodes, stop := three(ctx, t)
	c, err := kgo.NewClient(kgo.SeedBrokers(nodes[0].KafkaAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, topic := range []string{"a", "b"} {
		if r, err := kadm.NewClient(c).CreateTopic(ctx, 2, 3, nil, topic); errors.Join(err, r.Err) != nil {
			t.Fatal(err, r.Err)
		}
	}
	if err := errors.Join(nodes[1].Timers().Set(ctx, append(far("a", 500), far("b", 50)...))...); err != nil {
		t.Fatal(err)
	}
	counted(ctx, t, "a", 500, nodes...)
	stop(nodes[2])
	left := nodes[:2]
	counted(ctx, t, "a", 500, left...)
	counted(ctx, t, "b", 50, left...)
	if n, err := left[1].Timers().CancelTopic(ctx, "a"); n != 500 || err != nil {
		t.Errorf("%d timers were cancelled: %v", n, err)
	}
	counted(ctx, t, "a", 0, left...)
	counted(ctx, t, "b", 50, left...)
}
