package groups

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

func at(p int32, committed, start, end int64) Partition {
	return Partition{TopicPartition: TopicPartition{"t", p}, Committed: committed, Start: start, End: end}
}

func TestAPlanSaysWhatIsReplayedAndSkipped(t *testing.T) {
	to := func(n int64) Target { return func(Partition) (int64, bool) { return n, true } }
	for _, c := range []struct {
		name   string
		p      Partition
		target Target
		want   string // from to replayed skipped clamped; "" leaves the partition alone
	}{
		{"back", at(0, 7, 0, 10), to(4), "7 4 3 0 false"},
		{"forward", at(0, 7, 0, 10), to(9), "7 9 0 2 false"},
		{"stay", at(0, 7, 0, 10), to(7), "7 7 0 0 false"},
		{"before the log", at(0, 7, 5, 10), to(0), "7 5 2 0 true"},
		{"after the log", at(0, 7, 5, 10), to(99), "7 10 0 3 true"},
		{"from deleted records", at(0, 2, 5, 10), to(8), "2 8 0 3 false"},
		{"from beyond the end", at(0, 20, 5, 10), to(8), "20 8 2 0 false"},
		{"never committed", at(0, -1, 0, 10), to(3), "-1 3 0 0 false"},
		{"unknown log", at(0, 1, -1, -1), to(0), ""},
		{"left alone", at(0, 1, 0, 10), func(Partition) (int64, bool) { return 0, false }, ""},
	} {
		got := ""
		for _, m := range Plan([]Partition{c.p}, c.target) {
			got = fmt.Sprint(m.From, m.To, m.Replayed, m.Skipped, m.Clamped)
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPlansAreInOrder(t *testing.T) {
	moves := Plan([]Partition{at(10, 1, 0, 5), at(2, 1, 0, 5), at(0, 1, 0, 5)}, func(p Partition) (int64, bool) { return p.Start, true })
	var order []int32
	for _, m := range moves {
		order = append(order, m.Partition)
	}
	if !slices.Equal(order, []int32{0, 2, 10}) {
		t.Errorf("got %v", order)
	}
}

func TestFilesOfOffsetsAreRead(t *testing.T) {
	for in, want := range map[string]map[TopicPartition]int64{
		"t,0,5\nt,1,7\n":                      {{"t", 0}: 5, {"t", 1}: 7},
		"topic,partition,offset\nt,0,5\n":     {{"t", 0}: 5},
		"g,t,0,5\nother,t,0,9\n\"g\",u,3,1\n": {{"t", 0}: 5, {"u", 3}: 1},
		"":                                    {},
		"\"a,b\", 0, 1\n":                     {{"a,b", 0}: 1},
	} {
		got, err := ReadCSV(strings.NewReader(in), "g")
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"t,0\n", "t,0,5\nt,x,5\n", "t,0,5,6,7\n", "\"t,0,5\n", "t,0,5\nt,0,99999999999999999999\n"} {
		if got, err := ReadCSV(strings.NewReader(in), "g"); err == nil {
			t.Errorf("%q gave %v", in, got)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{"t,0,5\n", "g,t,0,5\n", "topic,partition,offset\n", "\"", "t,-1,-1\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := ReadCSV(strings.NewReader(in), "g")
		if err == nil && len(got) > strings.Count(in, "\n")+1 {
			t.Errorf("%d offsets out of %q", len(got), in)
		}
	})
}

func TestWordsSelectPartitions(t *testing.T) {
	for _, c := range []struct {
		words     string
		yes, no   []TopicPartition
		malformed bool
	}{
		{words: "", yes: []TopicPartition{{"a", 0}, {"b", 9}}},
		{words: "a", yes: []TopicPartition{{"a", 0}, {"a", 9}}, no: []TopicPartition{{"b", 0}}},
		{words: "a:0,2 b:1", yes: []TopicPartition{{"a", 0}, {"a", 2}, {"b", 1}}, no: []TopicPartition{{"a", 1}, {"b", 0}}},
		{words: "a:x", malformed: true}, {words: "a:", malformed: true},
	} {
		takes, err := Select(strings.Fields(c.words))
		if (err != nil) != c.malformed {
			t.Errorf("%q: %v", c.words, err)
			continue
		}
		for _, p := range c.yes {
			if !takes(p) {
				t.Errorf("%q leaves %v out", c.words, p)
			}
		}
		for _, p := range c.no {
			if takes(p) {
				t.Errorf("%q takes %v", c.words, p)
			}
		}
	}
}

// cluster is a node with a topic t of two partitions, 4 records in the first
// and 2 in the second, all of the time `written`.
func cluster(t *testing.T, written time.Time) (context.Context, *ottla.Server, *kadm.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	node, err := ottla.Start(ctx, ottla.Options{Settings: map[string]string{"group.initial.rebalance.delay.ms": "0"}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	a := kadm.NewClient(client)
	if _, err := a.CreateTopic(ctx, 2, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	for i, p := range []int32{0, 0, 0, 0, 1, 1} {
		r := &kgo.Record{Topic: "t", Partition: p, Value: []byte{byte(i)}, Timestamp: written.Add(time.Duration(i) * time.Minute)}
		if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	return ctx, node, a
}

func TestLagIsToldInRecordsAndInTime(t *testing.T) {
	written := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	ctx, node, a := cluster(t, written)
	for group, offset := range map[string]int64{"behind": 1, "done": 4} {
		if err := Commit(ctx, a, group, []Move{{TopicPartition: TopicPartition{"t", 0}, To: offset}}); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Ages: true, Within: time.Minute, Now: func() time.Time { return written.Add(time.Hour) }, Servers: []string{node.Addr()}}
	all, err := Describe(ctx, a, o, "behind", "done")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		lag    int64
		behind time.Duration
	}{{3, 59 * time.Minute}, {0, 0}} {
		p := all[i].Partitions[0]
		if all[i].State != "Empty" || p.Topic != "t" || p.Start != 0 || p.End != 4 || p.Lag != want.lag || p.Behind != want.behind || p.Member != nil {
			t.Errorf("%s: got %+v, want lag %d, behind %v", all[i].Name, p, want.lag, want.behind)
		}
	}
}

func TestMembersAreShownWithTheirClients(t *testing.T) {
	ctx, node, a := cluster(t, time.Now())
	consumer, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.ClientID("shop"), kgo.InstanceID("i-1"), kgo.ConsumerGroup("live"), kgo.ConsumeTopics("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	for n := 0; n < 6; {
		f := consumer.PollFetches(ctx)
		if err := f.Err(); err != nil {
			t.Fatal(err)
		}
		n += f.NumRecords()
	}
	if err := consumer.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := Describe(ctx, a, Options{}, "live")
	if err != nil {
		t.Fatal(err)
	}
	g := all[0]
	if g.State != "Stable" || len(g.Members) != 1 || g.Members[0].Client != "shop" || g.Members[0].Instance != "i-1" || g.Members[0].Host != "127.0.0.1" || len(g.Members[0].Assigned) != 2 {
		t.Errorf("got %+v", g)
	}
	for _, p := range g.Partitions {
		if p.Lag != 0 || p.Member == nil || p.Member.Client != "shop" {
			t.Errorf("got %+v", p)
		}
	}
	if err := Commit(ctx, a, "live", []Move{{TopicPartition: TopicPartition{"t", 0}, To: 0}}); err == nil {
		t.Error("a group with members was reset")
	}
}

func TestAGroupThatIsNotThereIsAnError(t *testing.T) {
	ctx, _, a := cluster(t, time.Now())
	if got, err := Describe(ctx, a, Options{}, "nobody"); !errors.Is(err, kerr.GroupIDNotFound) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := Describe(ctx, a, Options{}); err != nil || got != nil {
		t.Errorf("without names: got %+v, %v", got, err)
	}
}

func TestVerdictsSayWhyAGroupIsBehind(t *testing.T) {
	member := Member{ID: "m", Client: "shop", Host: "10.0.0.1", Assigned: []TopicPartition{{"t", 0}}}
	make := func(state string, committed, start, end int64, members ...Member) *Group {
		g := &Group{Name: "g", State: state, Members: members}
		p := at(0, committed, start, end)
		p.Lag, p.Behind = max(0, end-max(committed, start)), time.Minute
		if len(members) > 0 && len(members[0].Assigned) > 0 {
			p.Member = &g.Members[0]
		}
		g.Partitions = []Partition{p}
		return g
	}
	for _, c := range []struct {
		name          string
		before, after *Group
		want          string // parts of the text, separated by |
	}{
		{"empty", make("Empty", 5, 0, 10), nil, "it has no members|it is 5 records behind, the oldest of them 1m0s old"},
		{"done", make("Stable", 10, 0, 10, member), nil, "it has read everything"},
		{"nothing", &Group{State: "Empty"}, nil, "no members|committed no offsets"},
		{"rebalancing", make("PreparingRebalance", 10, 0, 10, member), nil, "1 members are sharing|read everything"},
		{"on the way", make("Assigning", 10, 0, 10, Member{ID: "n"}), nil, "1 members are on their way"},
		{"held up", make("Reconciling", 10, 0, 10, member), nil, "member m at 10.0.0.1 has not given up t-0 yet"},
		{"deleted", make("Stable", 2, 5, 10, member), nil, "3 records were deleted before they were read, in t-0|5 records behind"},
		{"idle", make("Stable", 10, 0, 10, member, Member{ID: "n"}), nil, "1 of 2 members have no partition"},
		{"unread", make("Stable", 5, 0, 10, Member{ID: "n"}), nil, "no member reads t-0"},
		{"catches up", make("Stable", 0, 0, 100, member), make("Stable", 50, 0, 110, member), "committed 5 records a second while 1 were written|catches up in 15s"},
		{"never", make("Stable", 0, 0, 100, member), make("Stable", 10, 0, 200, member), "never catches up"},
		{"stuck", make("Stable", 5, 0, 100, member), make("Stable", 5, 0, 100, member), "nothing was committed in t-0 (shop at 10.0.0.1)"},
	} {
		after, elapsed := c.after, 10*time.Second
		if after == nil {
			after, elapsed = c.before, 0
		}
		var texts []string
		for _, n := range Verdict(c.before, after, elapsed) {
			texts = append(texts, n.Text)
		}
		all := strings.Join(texts, "\n")
		for part := range strings.SplitSeq(c.want, "|") {
			if !strings.Contains(all, part) {
				t.Errorf("%s: no %q in\n%s", c.name, part, all)
			}
		}
	}
}
