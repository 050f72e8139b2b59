package groups_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

// node is a running node with a topic of some partitions.
type node struct {
	*ottla.Server
	t     *testing.T
	ctx   context.Context
	o     ottla.Options
	topic string
	at    atomic.Pointer[string] // the address that it serves at, nil while it is down
}

// quick are settings for tests: a rebalance does not wait for latecomers. What
// ends by itself after a while outlasts the test, however slow the machine is:
// sessions, and the time in which a request must be taken up.
func quick() map[string]string {
	s := map[string]string{"group.initial.rebalance.delay.ms": "0", "group.min.session.timeout.ms": "100"}
	long := fmt.Sprint(2 * patience.Milliseconds())
	s["offsets.commit.timeout.ms"] = long
	for _, kind := range []string{"consumer", "streams"} {
		s["group."+kind+".session.timeout.ms"], s["group."+kind+".max.session.timeout.ms"] = long, long
	}
	return s
}

func startNode(t *testing.T, partitions int32, o ottla.Options) *node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	if o.Settings == nil {
		o.Settings = quick()
	}
	n := &node{t: t, ctx: ctx, o: o, topic: "orders"}
	n.start()
	t.Cleanup(func() { n.Close() })
	if _, err := n.admin().CreateTopic(ctx, partitions, 1, nil, n.topic); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) start() {
	n.t.Helper()
	s, err := ottla.Start(n.ctx, n.o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.Server = s
	addr := s.Addr()
	n.at.Store(&addr)
}

// Close stops the node; start brings it up again, at another address.
func (n *node) Close() error {
	n.at.Store(nil)
	return n.Server.Close()
}

// dial connects to the node wherever it serves now. To keep a port for a node
// that is down is not possible: whoever asks for any may get it meanwhile, a
// client that tries to reach the node at it among them.
func (n *node) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	at := n.at.Load()
	if at == nil {
		return nil, errors.New("the node is down")
	}
	return new(net.Dialer).DialContext(ctx, network, *at)
}

func (n *node) client(opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(n.Addr()), kgo.Dialer(n.dial), kgo.MetadataMinAge(10 * time.Millisecond), kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, opts...)...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(c.Close)
	return c
}

func (n *node) admin() *kadm.Client { return kadm.NewClient(n.client()) }

// produce writes records to each partition: p/i.
func (n *node) produce(partitions int32, from, to int) {
	n.t.Helper()
	c := n.client()
	var records []*kgo.Record
	for p := range partitions {
		for i := from; i < to; i++ {
			records = append(records, &kgo.Record{Topic: n.topic, Partition: p, Value: fmt.Appendf(nil, "%d/%d", p, i)})
		}
	}
	if err := c.ProduceSync(n.ctx, records...).FirstErr(); err != nil {
		n.t.Fatal(err)
	}
}

// team watches the members of a group: who owns what, and what was read.
type team struct {
	mu      sync.Mutex
	changed chan struct{}
	owns    map[string]map[int32]bool
	dead    map[string]bool // cut off: what its client believes counts no more
	read    map[string]int  // value -> times
	wrong   []string
}

func newTeam() *team {
	return &team{changed: make(chan struct{}), owns: map[string]map[int32]bool{}, dead: map[string]bool{}, read: map[string]int{}}
}

func (m *team) update(f func()) {
	m.mu.Lock()
	f()
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
}

// until waits for something to be true of the team.
func (m *team) until(ctx context.Context, t *testing.T, what string, ok func() bool) {
	t.Helper()
	for {
		m.mu.Lock()
		done, changed := ok(), m.changed
		state := fmt.Sprint(m.owns, len(m.read))
		m.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("never %s: %s", what, state)
		}
	}
}

// settled tells whether these members own all partitions, each one once.
func (m *team) settled(partitions int, members ...string) bool {
	seen := 0
	for _, name := range members {
		if len(m.owns[name]) == 0 {
			return false
		}
		seen += len(m.owns[name])
	}
	return seen == partitions
}

// join starts a member that reads until it is closed.
func (m *team) join(n *node, name, group string, opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	m.update(func() { m.owns[name] = map[int32]bool{} })
	lost := func(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
		m.update(func() {
			for _, p := range gone[n.topic] {
				delete(m.owns[name], p)
			}
		})
	}
	c := n.client(append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(n.topic), kgo.ClientID(name), kgo.HeartbeatInterval(50 * time.Millisecond),
		kgo.SessionTimeout(patience), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, got map[string][]int32) {
			m.update(func() {
				if m.dead[name] {
					return
				}
				for _, p := range got[n.topic] {
					for other, owns := range m.owns {
						if owns[p] {
							m.wrong = append(m.wrong, fmt.Sprintf("%s got partition %d, which %s has", name, p, other))
						}
					}
					m.owns[name][p] = true
				}
			})
		}),
		kgo.OnPartitionsRevoked(lost), kgo.OnPartitionsLost(lost),
	}, opts...)...)
	go func() {
		for {
			fs := c.PollFetches(n.ctx)
			if fs.IsClientClosed() || n.ctx.Err() != nil {
				return
			}
			m.update(func() {
				fs.EachRecord(func(r *kgo.Record) { m.read[string(r.Value)]++ })
			})
			c.MarkCommitRecords(fs.Records()...)
		}
	}()
	return c
}

func TestEveryAssignorSharesPartitionsAsMembersComeAndGo(t *testing.T) {
	for name, balancer := range map[string]kgo.GroupBalancer{
		"range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(),
		"sticky": kgo.StickyBalancer(), "cooperative-sticky": kgo.CooperativeStickyBalancer(),
	} {
		t.Run(name, func(t *testing.T) {
			const partitions = 6
			n := startNode(t, partitions, ottla.Options{})
			n.produce(partitions, 0, 10)
			m := newTeam()
			m.join(n, "a", "g", kgo.Balancers(balancer))
			m.until(n.ctx, t, "all with a", func() bool { return m.settled(partitions, "a") })
			b := m.join(n, "b", "g", kgo.Balancers(balancer))
			m.until(n.ctx, t, "shared by two", func() bool { return m.settled(partitions, "a", "b") })
			m.join(n, "c", "g", kgo.Balancers(balancer))
			m.until(n.ctx, t, "shared by three", func() bool { return m.settled(partitions, "a", "b", "c") })
			b.Close()
			m.until(n.ctx, t, "shared by the two that are left", func() bool { return len(m.owns["b"]) == 0 && m.settled(partitions, "a", "c") })
			m.until(n.ctx, t, "all read", func() bool { return len(m.read) == partitions*10 })
			if len(m.wrong) > 0 {
				t.Errorf("partitions with two owners: %q", m.wrong)
			}
		})
	}
}

func TestCommittedOffsetsSurviveARestartInTheMiddleOfAGroup(t *testing.T) {
	const partitions = 3
	n := startNode(t, partitions, ottla.Options{Dir: t.TempDir()})
	n.produce(partitions, 0, 5)
	m := newTeam()
	c := m.join(n, "a", "g")
	m.until(n.ctx, t, "all read", func() bool { return len(m.read) == partitions*5 })
	if err := c.CommitUncommittedOffsets(n.ctx); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.start()
	n.produce(partitions, 5, 8)
	m.until(n.ctx, t, "the rest read by the same member", func() bool { return len(m.read) == partitions*8 })
	if err := c.CommitUncommittedOffsets(n.ctx); err != nil {
		t.Fatal(err)
	}
	c.Close()
	got, err := n.admin().FetchOffsets(n.ctx, "g")
	if err != nil {
		t.Fatal(err)
	}
	for p := range int32(partitions) {
		if o, ok := got.Lookup(n.topic, p); !ok || o.At != 8 || o.Err != nil {
			t.Errorf("partition %d is committed at %+v, want 8", p, o)
		}
	}
	for value, times := range m.read {
		if times != 1 {
			t.Errorf("%s was read %d times", value, times)
		}
	}
}

func TestAStaticMemberComesBackWithoutARebalance(t *testing.T) {
	const partitions = 4
	n := startNode(t, partitions, ottla.Options{})
	m := newTeam()
	// a is there first, so that it leads. A leader that comes back is told to
	// assign nothing (KIP-814), computes a plan all the same, and asks for a
	// rebalance where that is not what it was given: franz-go's right, and no
	// part of this test.
	m.join(n, "a", "g", kgo.InstanceID("ia"))
	m.until(n.ctx, t, "all with a", func() bool { return m.settled(partitions, "a") })
	b := m.join(n, "b", "g", kgo.InstanceID("ib"))
	m.until(n.ctx, t, "shared by two", func() bool { return m.settled(partitions, "a", "b") })
	before := describe(n, "g")
	b.Close() // a static member leaves its place when it closes without leaving
	m.update(func() { m.owns["b"] = map[int32]bool{} })
	m.join(n, "b2", "g", kgo.InstanceID("ib"))
	m.until(n.ctx, t, "taken up again", func() bool { return m.settled(partitions, "a", "b2") })
	after := describe(n, "g")
	if len(before.Members) != 2 || len(after.Members) != 2 || after.State != "Stable" {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	ids := func(g kadm.DescribedGroup) map[string]string {
		out := map[string]string{}
		for _, mb := range g.Members {
			out[*mb.InstanceID] = mb.MemberID
		}
		return out
	}
	if x, y := ids(before), ids(after); x["ia"] != y["ia"] || x["ib"] == y["ib"] {
		t.Errorf("members %v became %v: only ib should have a new id", x, y)
	}
}

func describe(n *node, group string) kadm.DescribedGroup {
	n.t.Helper()
	gs, err := n.admin().DescribeGroups(n.ctx, group)
	if err != nil {
		n.t.Fatal(err)
	}
	return gs[group]
}

func TestAnAdministratorSeesAndChangesGroups(t *testing.T) {
	n := startNode(t, 2, ottla.Options{})
	a := n.admin()
	m := newTeam()
	c := m.join(n, "a", "busy")
	m.until(n.ctx, t, "all with a", func() bool { return m.settled(2, "a") })
	var offs kadm.Offsets
	offs.AddOffset(n.topic, 0, 7, 0)
	if err := a.CommitAllOffsets(n.ctx, "idle", offs); err != nil {
		t.Fatal(err)
	}
	listed, err := a.ListGroups(n.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(listed)); !slices.Equal(got, []string{"busy", "idle"}) || listed["busy"].State != "Stable" || listed["idle"].State != "Empty" {
		t.Errorf("listed %+v", listed)
	}
	if some, err := a.ListGroups(n.ctx, "empty"); err != nil || len(some) != 1 || some["idle"].State != "Empty" {
		t.Errorf("listed %+v with a filter, %v", some, err)
	}
	g := describe(n, "busy")
	if g.State != "Stable" || g.ProtocolType != "consumer" || len(g.Members) != 1 || g.Members[0].ClientID != "a" || g.Members[0].ClientHost != "/127.0.0.1" {
		t.Errorf("described %+v", g)
	}
	if _, err := a.DeleteGroup(n.ctx, "busy"); err == nil {
		t.Error("a group with members was deleted")
	}
	gone, err := a.DeleteOffsets(n.ctx, "busy", kadm.TopicsSet{n.topic: {0: {}}})
	if code, ok := gone.Lookup(n.topic, 0); err != nil || !ok || !errors.Is(code, kerr.GroupSubscribedToTopic) {
		t.Errorf("offsets of a topic that is read: %v, %v", gone, err)
	}
	got, err := a.FetchOffsets(n.ctx, "idle")
	if o, ok := got.Lookup(n.topic, 0); err != nil || !ok || o.At != 7 {
		t.Errorf("fetched %+v, %v", got, err)
	}
	c.Close()
	for _, id := range []string{"busy", "idle"} {
		if _, err := a.DeleteGroup(n.ctx, id); err != nil {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	if listed, err = a.ListGroups(n.ctx); err != nil || len(listed) != 0 {
		t.Errorf("after deletion there are %v, %v", listed, err)
	}
}

func TestATopicMadeAnewInheritsNoOffsets(t *testing.T) {
	n := startNode(t, 1, ottla.Options{})
	a := n.admin()
	var offs kadm.Offsets
	offs.AddOffset(n.topic, 0, 7, 0)
	if err := a.CommitAllOffsets(n.ctx, "g", offs); err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeleteTopic(n.ctx, n.topic); err != nil {
		t.Fatal(err)
	}
	if _, err := a.CreateTopic(n.ctx, 1, 1, nil, n.topic); err != nil {
		t.Fatal(err)
	}
	got, err := n.admin().FetchOffsets(n.ctx, "g")
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := got.Lookup(n.topic, 0); ok {
		t.Errorf("the new topic has the offset %+v of the old one", o)
	}
}
