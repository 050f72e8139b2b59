package txns_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"ottla"
	"ottla/internal/event/commit"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

// node is a running node with topics in and out.
type node struct {
	*ottla.Server
	t   *testing.T
	ctx context.Context
	o   ottla.Options
}

func startNode(t *testing.T, o ottla.Options) *node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	if o.Settings == nil {
		o.Settings = map[string]string{}
	}
	o.Settings["group.initial.rebalance.delay.ms"] = "0"
	o.Settings["offsets.commit.timeout.ms"] = fmt.Sprint(patience.Milliseconds()) // FindCoordinator's, for the topics that it makes
	n := &node{t: t, ctx: ctx, o: o}
	n.start()
	t.Cleanup(func() { n.Close() })
	n.must(n.admin().CreateTopic(ctx, 2, 1, nil, "in"))
	n.must(n.admin().CreateTopic(ctx, 2, 1, nil, "out"))
	return n
}

func (n *node) start() {
	n.t.Helper()
	s, err := ottla.Start(n.ctx, n.o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.Server = s
}

func (n *node) must(_ any, err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) client(opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(n.Addr()), kgo.MetadataMinAge(10 * time.Millisecond), kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(c.Close)
	return c
}

func (n *node) admin() *kadm.Client { return kadm.NewClient(n.client()) }

func (n *node) producer(id string, opts ...kgo.Opt) *kgo.Client {
	return n.client(append([]kgo.Opt{kgo.TransactionalID(id)}, opts...)...)
}

// write produces one record to each partition of out, in c's transaction.
func (n *node) write(c *kgo.Client, value string) error {
	var records []*kgo.Record
	for p := range int32(2) {
		records = append(records, &kgo.Record{Topic: "out", Partition: p, Value: fmt.Appendf(nil, "%s/%d", value, p)})
	}
	if err := c.ProduceSync(n.ctx, records...).FirstErr(); err != nil {
		return err
	}
	return commit.Known(n.ctx, c, records...)
}

// transact is one transaction with a record in each partition.
func (n *node) transact(c *kgo.Client, value string, commit kgo.TransactionEndTry) {
	n.t.Helper()
	if err := c.BeginTransaction(); err != nil {
		n.t.Fatal(err)
	}
	if err := n.write(c, value); err != nil {
		n.t.Fatalf("%s: %v", value, err)
	}
	if err := c.EndTransaction(n.ctx, commit); err != nil {
		n.t.Fatalf("%s: %v", value, err)
	}
}

// read reads until the last of want is there, and holds that nothing else is.
func (n *node) read(topic string, want ...string) {
	n.t.Helper()
	c := n.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	got := map[string]bool{}
	for len(got) < len(want) {
		f := c.PollFetches(n.ctx)
		if err := f.Err0(); err != nil {
			n.t.Fatalf("%d of %d records: %v", len(got), len(want), err)
		}
		f.EachRecord(func(r *kgo.Record) {
			if v := string(r.Value); got[v] || !slices.Contains(want, v) {
				n.t.Errorf("read %q, a second time or though nobody committed it", v)
			}
			got[string(r.Value)] = true
		})
	}
}

func both(values ...string) []string {
	var out []string
	for _, v := range values {
		out = append(out, v+"/0", v+"/1")
	}
	return out
}

func TestWhatIsCommittedIsReadAndWhatIsAbortedIsNot(t *testing.T) {
	n := startNode(t, ottla.Options{})
	c := n.producer("a")
	n.transact(c, "one", kgo.TryCommit)
	n.transact(c, "two", kgo.TryAbort)
	n.transact(c, "three", kgo.TryCommit)
	n.read("out", both("one", "three")...)
}

func TestASecondProducerFencesTheFirst(t *testing.T) {
	n := startNode(t, ottla.Options{})
	first := n.producer("a")
	if err := first.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := n.write(first, "lost"); err != nil {
		t.Fatal(err)
	}
	second := n.producer("a")
	n.transact(second, "won", kgo.TryCommit)
	if err := n.write(first, "late"); err == nil {
		t.Error("the fenced producer writes on")
	}
	if err := first.EndTransaction(n.ctx, kgo.TryCommit); err == nil {
		t.Error("the fenced producer commits")
	}
	n.transact(second, "again", kgo.TryCommit)
	n.read("out", both("won", "again")...)
}

func TestATransactionLeftAloneEndsWhenItsTimeIsUp(t *testing.T) {
	var clock ottla.Clock
	n := startNode(t, ottla.Options{Clock: &clock})
	c := n.producer("a", kgo.TransactionTimeout(10*time.Second))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := n.write(c, "left"); err != nil {
		t.Fatal(err)
	}
	other := n.producer("b")
	n.transact(other, "behind", kgo.TryCommit)
	if err := clock.Advance(n.ctx, 11*time.Second); err != nil {
		t.Fatal(err)
	}
	n.read("out", both("behind")...) // not held back any more
	if err := c.EndTransaction(n.ctx, kgo.TryCommit); err == nil {
		t.Error("the transaction commits after it was aborted")
	}
	d, err := n.admin().DescribeTransactions(n.ctx, "a")
	if err != nil || d["a"].State != "CompleteAbort" {
		t.Errorf("described as %+v, %v", d, err)
	}
}

func TestConsumeTransformProduce(t *testing.T) {
	for name, versions := range map[string]*kversion.Versions{"KIP-890": kversion.Stable(), "before": kversion.V3_0_0()} {
		t.Run(name, func(t *testing.T) { consumeTransformProduce(t, versions) })
	}
}

func consumeTransformProduce(t *testing.T, versions *kversion.Versions) {
	n := startNode(t, ottla.Options{})
	in := n.client()
	var want []string
	for i := range 20 {
		v := fmt.Sprint(i)
		if err := in.ProduceSync(n.ctx, &kgo.Record{Topic: "in", Partition: int32(i % 2), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		want = append(want, v+"!")
	}
	s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(n.Addr()), kgo.MaxVersions(versions), kgo.TransactionalID("pipe"), kgo.ConsumerGroup("pipe"),
		kgo.ConsumeTopics("in"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for done, tries := 0, 0; done < len(want); tries++ {
		f := s.PollRecords(n.ctx, 3)
		if err := f.Err0(); err != nil {
			t.Fatal(err)
		}
		if err := s.Begin(); err != nil {
			t.Fatal(err)
		}
		f.EachRecord(func(r *kgo.Record) {
			s.Produce(n.ctx, &kgo.Record{Topic: "out", Value: append(slices.Clone(r.Value), '!')}, nil)
		})
		how := kgo.TryCommit
		if tries%3 == 1 {
			how = kgo.TryAbort
		}
		committed, err := s.End(n.ctx, how)
		if err != nil {
			t.Fatal(err)
		}
		if committed {
			done += f.NumRecords()
		}
	}
	n.read("out", want...)
	offsets, err := n.admin().FetchOffsets(n.ctx, "pipe")
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	offsets.Each(func(o kadm.OffsetResponse) { total += o.At })
	if total != 20 {
		t.Errorf("offsets add up to %d, want 20", total)
	}
}

func TestTransactionsOutliveARestart(t *testing.T) {
	n := startNode(t, ottla.Options{Dir: t.TempDir()})
	c := n.producer("a")
	n.transact(c, "before", kgo.TryCommit)
	open := n.producer("b")
	if err := open.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := n.write(open, "open"); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.start()
	l, err := n.admin().ListTransactions(n.ctx, nil, nil)
	if err != nil || l["a"].State != "CompleteCommit" || l["b"].State != "Ongoing" {
		t.Errorf("listed as %+v, %v", l, err)
	}
	n.transact(n.producer("b"), "after", kgo.TryCommit) // aborts what was open
	n.read("out", both("before", "after")...)
}

func TestATimeoutAboveTheLimitIsRefused(t *testing.T) {
	n := startNode(t, ottla.Options{Settings: map[string]string{"transaction.max.timeout.ms": "5000"}})
	c := n.producer("a", kgo.TransactionTimeout(6*time.Second))
	err := c.BeginTransaction()
	if err == nil {
		err = n.write(c, "x")
	}
	if err == nil || !strings.Contains(err.Error(), "INVALID_TRANSACTION_TIMEOUT") {
		t.Errorf("got %v, want INVALID_TRANSACTION_TIMEOUT", err)
	}
}

// Clients of before KIP-890 add partitions by themselves and keep their epoch.
func TestClientsOfBeforeKIP890(t *testing.T) {
	n := startNode(t, ottla.Options{})
	old := kgo.MaxVersions(kversion.V3_0_0())
	c := n.producer("a", old)
	n.transact(c, "one", kgo.TryCommit)
	n.transact(c, "two", kgo.TryAbort)
	n.transact(c, "three", kgo.TryCommit)
	if _, epoch, err := c.ProducerID(n.ctx); err != nil || epoch != 0 {
		t.Errorf("epoch %d, %v; want 0", epoch, err)
	}
	n.begin(c)
	if err := n.write(c, "lost"); err != nil {
		t.Fatal(err)
	}
	second := n.producer("a", old)
	n.transact(second, "won", kgo.TryCommit)
	if err := c.EndTransaction(n.ctx, kgo.TryCommit); err == nil {
		t.Error("the fenced producer commits")
	}
	n.transact(n.producer("a"), "new", kgo.TryCommit) // a newer client takes over
	n.read("out", both("one", "three", "won", "new")...)
}

// A cluster whose transaction.version is 0, as one of an older release, does
// what its clients then ask for.
func TestAClusterWithoutTheFeature(t *testing.T) {
	n := startNode(t, ottla.Options{})
	req := kmsg.NewPtrUpdateFeaturesRequest()
	u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	u.Feature, u.MaxVersionLevel, u.UpgradeType, u.AllowDowngrade = "transaction.version", 0, 2, true
	req.FeatureUpdates = append(req.FeatureUpdates, u)
	resp, err := req.RequestWith(n.ctx, n.client())
	if err != nil || resp.ErrorCode != 0 {
		t.Fatal(err, resp)
	}
	c := n.producer("a")
	n.transact(c, "one", kgo.TryCommit)
	n.transact(c, "two", kgo.TryAbort)
	if _, epoch, err := c.ProducerID(n.ctx); err != nil || epoch != 0 {
		t.Errorf("epoch %d, %v; want 0", epoch, err)
	}
	n.begin(c)
	if err := n.write(c, "lost"); err != nil {
		t.Fatal(err)
	}
	n.transact(n.producer("a"), "won", kgo.TryCommit)
	n.read("out", both("one", "won")...)
}

func (n *node) begin(c *kgo.Client) {
	n.t.Helper()
	if err := c.BeginTransaction(); err != nil {
		n.t.Fatal(err)
	}
}
