package client

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/test/history"
)

func TestValuesComeBackAsTheyWereEncoded(t *testing.T) {
	for _, size := range []int{0, 1, 30, 5000} {
		for _, value := range []int64{0, 1, 99, 1 << 62} {
			b := Encode(value, size)
			if got := Decode(b); got != value || len(b) < size {
				t.Errorf("Encode(%d, %d) has %d bytes and is read as %d", value, size, len(b), got)
			}
		}
	}
	for _, foreign := range []string{"", "x", "12x 3", " 5", "99999999999999999999 "} {
		if got := Decode([]byte(foreign)); got != -1 {
			t.Errorf("%q is read as %d", foreign, got)
		}
	}
}

// A crew on a node that nothing happens to: each kind of client writes into the
// history, and the history is clean.
func TestACrewOnAHealthyNodeLeavesACleanHistory(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	node, err := ottla.Start(ctx, ottla.Options{Settings: map[string]string{"group.initial.rebalance.delay.ms": "0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	path := t.TempDir() + "/history"
	w, err := history.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	crew := &Crew{
		Cluster:   &Cluster{Address: node.Addr(), Topic: "t", Partitions: 3, History: w},
		Producers: 2, Transactions: 2, Rate: 2000, Size: 50, Readers: 2, Members: 2, Lifetime: time.Hour,
		Modern: 2, Sharers: 2, Streamers: 2, Admin: 1,
	}
	if err := crew.Prepare(ctx, nil); err != nil {
		t.Fatal(err)
	}
	crew.Start(ctx)
	waitForCommits(ctx, t, node.Addr())
	for crew.Committed() == 0 && ctx.Err() == nil {
		wait(ctx, time.Millisecond)
	}
	waitForMembers(ctx, t, node.Addr(), "t-modern", "t-streams")
	crew.Calm()
	if err := crew.StopProducers(); err != nil {
		t.Fatal(err)
	}
	if err := crew.Shared(ctx, time.Minute); err != nil {
		t.Error(err)
	}
	if err := crew.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := crew.Final(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ops, err := history.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[history.Kind]int{}
	for _, op := range ops {
		seen[op.Kind]++
	}
	for _, k := range []history.Kind{history.Send, history.Txn, history.Poll, history.Assign, history.Subscribe, history.Commit, history.Crash} {
		if seen[k] == 0 {
			t.Errorf("the history has no %s", k)
		}
	}
	owned := map[string]bool{}
	for _, op := range ops {
		if op.Kind == history.Subscribe && len(op.Positions) > 0 {
			owned[op.Group] = true
		}
	}
	for _, group := range []string{"t-eager", "t-cooperative", "t-modern", "t-streams"} {
		if !owned[group] {
			t.Errorf("no member of %s was given anything", group)
		}
	}
	r := history.Check(ops, history.Options{Idempotent: true, ExactMarks: true})
	if !r.OK() || r.Acked != crew.Acked() || r.Acked == 0 {
		t.Errorf("%d acknowledged: %v", crew.Acked(), r)
	}
}

// waitForMembers asks until groups are stable, so that their members have been
// given what there is.
func waitForMembers(ctx context.Context, t *testing.T, address string, groups ...string) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for stable := 0; stable < len(groups); wait(ctx, 10*time.Millisecond) {
		all, err := kadm.NewClient(c).ListGroups(ctx)
		if err != nil {
			t.Fatal(err)
		}
		stable = 0
		for _, g := range groups {
			if all[g].State == "Stable" {
				stable++
			}
		}
	}
}

func TestValuesThatAreLackingAreCounted(t *testing.T) {
	var have, want values
	for _, v := range []int64{-1, 3, 64, 200} {
		want.add(v)
	}
	for _, v := range []int64{3, 5} {
		have.add(v)
	}
	if n, one := have.lacks(&want); n != 2 || one != 200 {
		t.Errorf("%d are lacking, %d among them, want 2 and 200", n, one)
	}
	have.add(64)
	have.add(200)
	if n, _ := have.lacks(&want); n != 0 {
		t.Errorf("%d are lacking, want none", n)
	}
}

// waitForCommits reads the offsets topic until some have been committed.
func waitForCommits(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics("__consumer_offsets"), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := 0; n < 50; {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatal("no group has committed anything")
		}
		n += fetches.NumRecords()
	}
}
