package trio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/rig"
	"ottla/test/rig/trio"
)

// Nodes that stop and start one after the other lose and double nothing, and
// clients that know all of them notice nothing but a moment's wait.
func TestARollingRestartLosesAndDoublesNothing(t *testing.T) {
	rollingRestart(t, trio.Options{})
}

// Followers fetch in the clear then.
func TestARollingRestartOfInsecureNodesLosesAndDoublesNothing(t *testing.T) {
	rollingRestart(t, trio.Options{Insecure: true})
}

func rollingRestart(t *testing.T, o trio.Options) {
	c := trio.Start(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cl := c.Client(kgo.ConsumeTopics("orders"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	minInsync := "2"
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, 6, 3, map[string]*string{"min.insync.replicas": &minInsync}, "orders"); err != nil {
		t.Fatal(err)
	}
	sent := map[string]int{}
	produce := func(when string) {
		t.Helper()
		var records []*kgo.Record
		for i := range 100 {
			value := fmt.Sprint(when, " ", i)
			sent[value] = 1
			records = append(records, &kgo.Record{Topic: "orders", Key: []byte(fmt.Sprint(i)), Value: []byte(value)})
		}
		if err := cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	produce("before")
	for n := 1; n <= 3; n++ {
		c.Stop(n)
		produce(fmt.Sprint("without ", n))
		c.Restart(n)
		produce(fmt.Sprint("with ", n))
	}
	got := map[string]int{}
	for total := 0; total < len(sent); {
		f := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records came back: %v", total, len(sent), f.Errors())
		}
		f.EachRecord(func(r *kgo.Record) {
			got[string(r.Value)]++
			total++
		})
	}
	if !maps.Equal(got, sent) {
		lost := slices.DeleteFunc(slices.Sorted(maps.Keys(sent)), func(v string) bool { return got[v] == 1 })
		t.Errorf("not there once each: %v", lost)
	}
}

// The others hear of a node's new address from itself: they could not reach it.
func TestANodeComesBackAtAnotherAddress(t *testing.T) {
	c := trio.Start(t, trio.Options{})
	for n := 1; n <= 3; n++ {
		was := c.Addrs()[n-1]
		c.Stop(n)
		c.Move(n)
		c.Restart(n)
		for _, m := range c.Node(n%3 + 1).Members() {
			if m.NodeID == int32(n) && (m.Addr == was || m.Addr != c.Addrs()[n-1]) {
				t.Errorf("node %d has node %d at %s, it was at %s and is at %s", n%3+1, n, m.Addr, was, c.Addrs()[n-1])
			}
		}
	}
}

// However soon one node joins after the other, internal topics that were there
// before, and those of queues and schedules, have all replicas in the end.
func TestInternalTopicsGrowWithTheCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := trio.Start(t, trio.Options{HTTP: true, First: func(c *trio.Cluster) {
		cl := c.Client()
		if _, err := kadm.NewClient(cl).CreateTopic(ctx, 1, 1, nil, "orders"); err != nil {
			t.Fatal(err)
		}
		var at kadm.Offsets
		at.AddOffset("orders", 0, 0, -1)
		if err := kadm.NewClient(cl).CommitAllOffsets(ctx, "g", at); err != nil {
			t.Fatal(err)
		}
		put(ctx, t, c.Node(1).HTTPAddr(), "/q/mails", `{}`)
		put(ctx, t, c.Node(1).HTTPAddr(), "/schedule/default/daily", `{"expression":"rate(1 day)","target":{"topic":"orders"}}`)
	}})
	cl := c.Client()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for _, topic := range []string{"__consumer_offsets", "__ottla_objects", "__ottla_schedules", "__ottla_schedule_wakes", "__ottla_timers"} {
		for {
			whole, all, err := replicated(ctx, cl, topic)
			if err == nil && all > 0 && whole == all {
				break
			}
			select {
			case <-look.C:
			case <-ctx.Done():
				t.Fatalf("%d of %d partitions of %s have three replicas (%v)", whole, all, topic, err)
			}
		}
	}
}

// put gives a node's HTTP door something that it shall keep.
func put(ctx context.Context, t *testing.T, addr, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode >= 300 {
		t.Fatalf("PUT %s: %d %s (%v)", path, resp.StatusCode, said, err)
	}
}

// replicated counts the partitions of a topic, and those that have three replicas in
// sync.
func replicated(ctx context.Context, cl *kgo.Client, topic string) (whole, all int, err error) {
	m, err := rig.Metadata(ctx, cl, topic)
	if err != nil {
		return 0, 0, err
	}
	for _, p := range m.Topics[0].Partitions {
		all++
		if len(p.Replicas) == 3 && len(p.ISR) == 3 {
			whole++
		}
	}
	return whole, all, nil
}
