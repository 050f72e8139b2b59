package groups_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
)

// served are the options of a member that the server assigns (KIP-848).
func served(balancer kgo.GroupBalancer, opts ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{kgo.ServerSideBalancer(), kgo.Balancers(balancer)}, opts...)
}

func TestTheServerSharesPartitionsAsMembersComeAndGo(t *testing.T) {
	for name, balancer := range map[string]kgo.GroupBalancer{"uniform": kgo.StickyBalancer(), "range": kgo.RangeBalancer()} {
		t.Run(name, func(t *testing.T) {
			const partitions = 6
			n := startNode(t, partitions, ottla.Options{})
			n.produce(partitions, 0, 10)
			m := newTeam()
			m.join(n, "a", "g", served(balancer)...)
			m.until(n.ctx, t, "all with a", func() bool { return m.settled(partitions, "a") })
			b := m.join(n, "b", "g", served(balancer)...)
			m.until(n.ctx, t, "shared by two", func() bool { return m.settled(partitions, "a", "b") })
			m.join(n, "c", "g", served(balancer)...)
			m.until(n.ctx, t, "shared by three", func() bool { return m.settled(partitions, "a", "b", "c") })
			b.Close()
			m.until(n.ctx, t, "shared by the two that are left", func() bool { return len(m.owns["b"]) == 0 && m.settled(partitions, "a", "c") })
			m.until(n.ctx, t, "all read", func() bool { return len(m.read) == partitions*10 })
			if len(m.wrong) > 0 {
				t.Errorf("partitions with two owners: %q", m.wrong)
			}
			d := n.describeConsumers("g")
			if d.ErrorCode != 0 || d.AssignorName != name || len(d.Members) != 2 || d.Epoch != d.AssignmentEpoch {
				t.Errorf("the group is described as %+v", d)
			}
		})
	}
}

func (n *node) describeConsumers(group string) kmsg.ConsumerGroupDescribeResponseGroup {
	n.t.Helper()
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{group}
	resp, err := req.RequestWith(n.ctx, n.client())
	if err != nil {
		n.t.Fatal(err)
	}
	return resp.Groups[0]
}

// A topic that grows, or is made, is shared out without anybody asking.
func TestNewPartitionsAreSharedOut(t *testing.T) {
	n := startNode(t, 2, ottla.Options{})
	m := newTeam()
	m.join(n, "a", "g", served(kgo.StickyBalancer())...)
	m.join(n, "b", "g", served(kgo.StickyBalancer())...)
	m.until(n.ctx, t, "shared", func() bool { return m.settled(2, "a", "b") })
	if _, err := n.admin().CreatePartitions(n.ctx, 4, n.topic); err != nil {
		t.Fatal(err)
	}
	m.until(n.ctx, t, "shared with the new ones", func() bool { return m.settled(6, "a", "b") })
	if len(m.wrong) > 0 {
		t.Errorf("partitions with two owners: %q", m.wrong)
	}
}

// Committed offsets of a group whose members come and go are those of its
// records, and a restart of the node costs nobody anything.
func TestConsumersGoOnAfterARestart(t *testing.T) {
	const partitions = 3
	n := startNode(t, partitions, ottla.Options{Dir: t.TempDir()})
	n.produce(partitions, 0, 5)
	m := newTeam()
	a := m.join(n, "a", "g", served(kgo.StickyBalancer())...)
	b := m.join(n, "b", "g", served(kgo.StickyBalancer())...)
	m.until(n.ctx, t, "shared", func() bool { return m.settled(partitions, "a", "b") })
	m.until(n.ctx, t, "all read", func() bool { return len(m.read) == partitions*5 })
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.start()
	n.produce(partitions, 5, 8)
	m.until(n.ctx, t, "the rest read by the same members", func() bool { return len(m.read) == partitions*8 })
	for _, c := range []*kgo.Client{a, b} {
		if err := c.CommitUncommittedOffsets(n.ctx); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	got, err := n.admin().FetchOffsets(n.ctx, "g")
	if err != nil {
		t.Fatal(err)
	}
	for p := range int32(partitions) {
		if o, ok := got.Lookup(n.topic, p); !ok || o.At != 8 || o.Err != nil {
			t.Errorf("partition %d is committed at %+v, want 8", p, o)
		}
	}
}

// An empty group of either protocol becomes one of the other with whoever joins
// it, and keeps its offsets.
func TestAnEmptyGroupChangesItsProtocol(t *testing.T) {
	n := startNode(t, 2, ottla.Options{})
	n.produce(2, 0, 3)
	m := newTeam()
	for i, opts := range [][]kgo.Opt{nil, served(kgo.StickyBalancer()), {kgo.Balancers(kgo.RangeBalancer())}} {
		name := fmt.Sprint("m", i)
		c := m.join(n, name, "g", opts...)
		m.until(n.ctx, t, "all with "+name, func() bool { return m.settled(2, name) })
		m.until(n.ctx, t, "all read", func() bool { return len(m.read) == 6 })
		if err := c.CommitUncommittedOffsets(n.ctx); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for value, times := range m.read {
		if times != 1 {
			t.Errorf("%s was read %d times", value, times)
		}
	}
}

// Members of both protocols are in one group while it migrates: nobody has a
// partition twice, and every partition has an owner at each stage.
func TestALiveGroupMigratesThereAndBack(t *testing.T) {
	const partitions = 6
	n := startNode(t, partitions, ottla.Options{})
	m := newTeam()
	old := []kgo.Opt{kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.HeartbeatInterval(50 * time.Millisecond)}
	a := m.join(n, "a", "g", old...)
	b := m.join(n, "b", "g", old...)
	m.until(n.ctx, t, "shared by two classic members", func() bool { return m.settled(partitions, "a", "b") })
	c := m.join(n, "c", "g", served(kgo.StickyBalancer())...)
	m.until(n.ctx, t, "shared by both kinds", func() bool { return m.settled(partitions, "a", "b", "c") })
	a.Close()
	b.Close()
	m.until(n.ctx, t, "all with the new one", func() bool { return m.settled(partitions, "c") && len(m.owns["a"])+len(m.owns["b"]) == 0 })
	m.join(n, "d", "g", old...)
	m.until(n.ctx, t, "shared by both kinds again", func() bool { return m.settled(partitions, "c", "d") })
	c.Close()
	m.until(n.ctx, t, "all with the classic one", func() bool { return m.settled(partitions, "d") && len(m.owns["c"]) == 0 })
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.wrong) > 0 {
		t.Errorf("partitions with two owners: %q", m.wrong)
	}
	groups, err := n.admin().ListGroups(n.ctx)
	if err != nil || groups["g"].GroupType != "classic" {
		t.Errorf("the group is listed as %+v, %v", groups["g"], err)
	}
}

// Unless somebody says how often members shall report, that hangs on how many
// there are; a group's own setting wins.
func TestTheHeartbeatIntervalAdaptsUnlessItIsSet(t *testing.T) {
	n := startNode(t, 1, ottla.Options{})
	c := n.client()
	beat := func(group, id string) int32 {
		t.Helper()
		req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		req.Group, req.MemberID, req.RebalanceTimeoutMillis = group, id, 60000
		req.SubscribedTopicNames, req.Topics = []string{n.topic}, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		resp, err := req.RequestWith(n.ctx, c)
		if err != nil || resp.ErrorCode != 0 {
			t.Fatalf("%+v, %v", resp, err)
		}
		return resp.HeartbeatIntervalMillis
	}
	if got := beat("few", "m"); got != 300 {
		t.Errorf("one member shall report every %d ms, want 300", got)
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	row := kmsg.NewIncrementalAlterConfigsRequestResource()
	row.ResourceType, row.ResourceName = kmsg.ConfigResourceTypeGroupConfig, "told"
	row.Configs = []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "consumer.heartbeat.interval.ms", Value: kmsg.StringPtr("7000")}}
	req.Resources = append(req.Resources, row)
	resp, err := req.RequestWith(n.ctx, c)
	if err != nil || resp.Resources[0].ErrorCode != 0 {
		t.Fatalf("%+v, %v", resp, err)
	}
	if got := beat("told", "m"); got != 7000 {
		t.Errorf("a member of a group that was told shall report every %d ms, want 7000", got)
	}
	for i := range 300 {
		beat("many", fmt.Sprint("m", i))
	}
	if got := beat("many", "m0"); got < 500 || got > 5000 {
		t.Errorf("one of 300 members shall report every %d ms, want 600 or so", got)
	}
}

// Members that the server assigns consume, produce and commit in one
// transaction (KIP-447); while they come and go every record is counted once.
func TestConsumersCommitInTransactions(t *testing.T) {
	const partitions, records = 4, 200
	n := startNode(t, partitions, ottla.Options{})
	if _, err := n.admin().CreateTopic(n.ctx, 1, 1, nil, "out"); err != nil {
		t.Fatal(err)
	}
	n.produce(partitions, 0, records/partitions)
	ctx, stop := context.WithCancel(n.ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for i := range 2 {
		s, err := kgo.NewGroupTransactSession(append([]kgo.Opt{
			kgo.SeedBrokers(n.Addr()), kgo.TransactionalID(fmt.Sprint("t", i)), kgo.ConsumerGroup("g"), kgo.ConsumeTopics(n.topic), kgo.DefaultProduceTopic("out"),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.FetchMaxWait(100 * time.Millisecond),
		}, served(kgo.StickyBalancer())...)...)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer s.Close()
			for ctx.Err() == nil {
				copyOnce(ctx, s)
			}
		})
	}
	reader := n.client(kgo.ConsumeTopics("out"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	times := map[string]int{}
	for len(times) < records && n.ctx.Err() == nil {
		reader.PollFetches(n.ctx).EachRecord(func(r *kgo.Record) { times[string(r.Value)]++ })
	}
	for value, got := range times {
		if got != 1 {
			t.Errorf("%s came out %d times", value, got)
		}
	}
	if len(times) != records {
		t.Errorf("%d of %d records came out", len(times), records)
	}
}

// copyOnce takes what one poll brings to the other topic, in one transaction.
func copyOnce(ctx context.Context, s *kgo.GroupTransactSession) {
	fetches := s.PollRecords(ctx, 20)
	if fetches.NumRecords() == 0 || s.Begin() != nil {
		return
	}
	failed := kgo.AbortingFirstErrPromise(s.Client())
	fetches.EachRecord(func(r *kgo.Record) {
		s.Produce(ctx, &kgo.Record{Value: r.Value}, failed.Promise())
	})
	_, _ = s.End(ctx, failed.Err() == nil) // what was not committed is read again
}
