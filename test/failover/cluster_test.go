package failover

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	endtxn "ottla/internal/event/commit"
	"ottla/test/rig/trio"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 5 * time.Minute

// nodes are three with the topics "in" and "out", whose partitions all of them
// lead.
type nodes struct {
	*trio.Cluster
	t   *testing.T
	ctx context.Context
	cl  *kgo.Client
}

func startNodes(t *testing.T) *nodes {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	n := &nodes{Cluster: trio.Start(t, trio.Options{Settings: map[string]string{"group.initial.rebalance.delay.ms": "0"}}), t: t, ctx: ctx}
	n.cl = n.Client()
	for _, topic := range []string{"in", "out"} {
		if _, err := kadm.NewClient(n.cl).CreateTopic(ctx, 6, 3, map[string]*string{"min.insync.replicas": kadm.StringPtr("2")}, topic); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func (n *nodes) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// count reads a topic as committed transactions have it, until want different
// values have come, and tells how often each did.
func (n *nodes) count(topic string, want int) map[string]int {
	n.t.Helper()
	cl := n.Client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	seen := map[string]int{}
	for len(seen) < want {
		fs := cl.PollFetches(n.ctx)
		if n.ctx.Err() != nil {
			n.t.Fatalf("%d of %d values of %s have come", len(seen), want, topic)
		}
		fs.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
	}
	return seen
}

// Transactions whose coordinators, partitions and groups are on different
// nodes: what commits is there once, what aborts is not, and offsets go with
// the records, also while one node after the other is away.
func TestTransactionsReachAcrossNodes(t *testing.T) {
	n := startNodes(t)
	const ids, rounds = 6, 4 // six transactional ids are coordinated by several nodes
	for round := range rounds {
		if round > 0 {
			n.Stop(round)
		}
		for id := range ids {
			n.transact(fmt.Sprintf("tx-%d", id), round)
		}
		if round > 0 {
			n.Restart(round)
		}
	}
	seen := n.count("in", ids*rounds*6)
	for value, times := range seen {
		if times != 1 {
			t.Errorf("%q is there %d times", value, times)
		}
	}
	n.settled()
	n.pipe()
}

// settled waits until no transaction is open: that an end is complete is noted
// after it was answered, by the next coordinator where the first one fell.
func (n *nodes) settled() {
	n.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		open, err := kadm.NewClient(n.cl).ListTransactions(n.ctx, nil, []string{"Ongoing", "PrepareCommit", "PrepareAbort"})
		if err == nil && len(open) == 0 {
			return
		}
		select {
		case <-look.C:
		case <-n.ctx.Done():
			n.t.Fatalf("transactions are open: %v, %v", open, err)
		}
	}
}

// transact aborts a transaction over all partitions, then commits another.
func (n *nodes) transact(id string, round int) {
	n.t.Helper()
	cl := n.Client(kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		n.must(cl.BeginTransaction())
		for p := range int32(6) {
			value := fmt.Sprintf("%s/%d/%d", id, round, p)
			if end == kgo.TryAbort {
				value = "aborted"
			}
			r := &kgo.Record{Topic: "in", Partition: p, Value: []byte(value)}
			n.must(cl.ProduceSync(n.ctx, r).FirstErr())
			n.must(endtxn.Known(n.ctx, cl, r))
		}
		n.must(cl.EndTransaction(n.ctx, end))
	}
}

// pipe copies "in" to "out" with the offsets in the transactions, by three
// groups, so that coordinators of transactions and of groups are on different
// nodes.
func (n *nodes) pipe() {
	n.t.Helper()
	for g := range 3 {
		name := fmt.Sprintf("pipe-%d", g)
		s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(n.Addrs()...), kgo.TransactionalID(name), kgo.ConsumerGroup(name), kgo.ConsumeTopics("in"),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(50*time.Millisecond))
		n.must(err)
		for copied := 0; copied < 144; {
			fs := s.PollFetches(n.ctx)
			n.must(n.ctx.Err())
			n.must(s.Begin())
			fs.EachRecord(func(r *kgo.Record) {
				s.Produce(n.ctx, &kgo.Record{Topic: "out", Value: fmt.Appendf(nil, "%s %s", name, r.Value)}, nil)
			})
			ok, err := s.End(n.ctx, kgo.TryCommit)
			n.must(err)
			if ok {
				copied += fs.NumRecords()
			}
		}
		s.Close()
		lag, err := kadm.NewClient(n.cl).Lag(n.ctx, name)
		n.must(err)
		if total := lag[name].Lag.Total(); total > 6 { // the last marker of each partition
			n.t.Errorf("%s lags by %d", name, total)
		}
	}
	for value, times := range n.count("out", 3*144) {
		if times != 1 {
			n.t.Errorf("%q is there %d times", value, times)
		}
	}
}

// A share group whose partitions, states and dead letters are led by several
// nodes takes every record.
func TestAShareGroupReachesAcrossNodes(t *testing.T) {
	n := startNodes(t)
	n.setGroup("g", "share.auto.offset.reset", "earliest")
	n.setGroup("g", "errors.deadletterqueue.topic.name", "dlq.g")
	if _, err := kadm.NewClient(n.cl).CreateTopic(n.ctx, 2, 3, map[string]*string{"errors.deadletterqueue.group.enable": kadm.StringPtr("true")}, "dlq.g"); err != nil {
		t.Fatal(err)
	}
	producer := n.Client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	member := n.Client(kgo.ShareGroup("g"), kgo.ConsumeTopics("in"))
	taken := map[string]bool{}
	rejected := map[string]bool{}
	take := func(fs kgo.Fetches) {
		fs.EachRecord(func(r *kgo.Record) {
			value := string(r.Value)
			if !taken[value] && len(taken)%10 == 0 {
				rejected[value] = true
			}
			taken[value] = true
			if rejected[value] { // also when it comes again, for nobody heard of it
				r.Ack(kgo.AckReject)
			} else {
				r.Ack(kgo.AckAccept)
			}
		})
	}
	for round := range 2 {
		for i := range 60 {
			n.must(producer.ProduceSync(n.ctx, &kgo.Record{Topic: "in", Value: fmt.Appendf(nil, "%d/%d", round, i)}).FirstErr())
		}
		for len(taken) < 60*(round+1) {
			fs := member.PollRecords(n.ctx, 20)
			n.must(n.ctx.Err())
			take(fs)
		}
	}
	n.buried("dlq.g", rejected, func(ctx context.Context) { take(member.PollRecords(ctx, 20)) })
}

// buried waits until the dead letters of all records named are in a topic. Their
// member goes on meanwhile: what it says may be lost with a connection.
func (n *nodes) buried(topic string, records map[string]bool, member func(context.Context)) {
	n.t.Helper()
	letters := n.Client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	came := map[string]bool{}
	missing := func() bool {
		for value := range records {
			if !came[value] {
				return true
			}
		}
		return false
	}
	for missing() {
		n.must(n.ctx.Err())
		short, cancel := context.WithTimeout(n.ctx, 100*time.Millisecond)
		letters.PollFetches(short).EachRecord(func(r *kgo.Record) { came[string(r.Value)] = true })
		cancel()
		short, cancel = context.WithTimeout(n.ctx, 100*time.Millisecond)
		member(short)
		cancel()
	}
}
