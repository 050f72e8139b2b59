package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/event/commit"
	"ottla/internal/sim"
)

// txnNode is a node on a simulated disk, and a client of it.
type txnNode struct {
	*Server
	t   *testing.T
	ctx context.Context
}

func startTxnNode(t *testing.T, ctx context.Context, d *sim.Disk) *txnNode {
	t.Helper()
	static, err := config.StaticOf("test", map[string]string{
		"transaction.state.log.num.partitions": "1", "offsets.topic.num.partitions": "1", "group.initial.rebalance.delay.ms": "0",
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(ctx, Options{
		FS: d, Dirs: []string{"/data"}, NodeID: -1, Listen: []Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}},
		Static: static, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &txnNode{Server: s, t: t, ctx: ctx}
}

func (n *txnNode) client(opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(n.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return n.Dial(ctx) }),
		kgo.MetadataMinAge(10 * time.Millisecond), kgo.FetchMaxWait(50 * time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

// transact is one transaction with a record in each partition and, if it is
// above 0, an offset of a group.
func (n *txnNode) transact(c *kgo.Client, name string, offset int64, end kgo.TransactionEndTry) error {
	if err := c.BeginTransaction(); err != nil {
		return err
	}
	var records []*kgo.Record
	for p := range int32(2) {
		records = append(records, &kgo.Record{Topic: "t", Partition: p, Value: []byte(name)})
	}
	if err := c.ProduceSync(n.ctx, records...).FirstErr(); err != nil {
		return err
	}
	if offset > 0 {
		if err := n.commitOffset(c, offset); err != nil {
			return err
		}
	}
	if end == kgo.TryCommit {
		return commit.Commit(n.ctx, c, records...)
	}
	return c.EndTransaction(n.ctx, end)
}

// commitOffset commits an offset in c's transaction (KIP-890: it adds the
// group's partition by itself).
func (n *txnNode) commitOffset(c *kgo.Client, offset int64) error {
	id, epoch, err := c.ProducerID(n.ctx)
	if err != nil {
		return err
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch, req.Generation = "a", "g", id, epoch, -1
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = "t", n.broker.Image().TopicByName("t").ID
	at := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	at.Offset = offset
	topic.Partitions = append(topic.Partitions, at)
	req.Topics = append(req.Topics, topic)
	answer, err := req.RequestWith(n.ctx, c)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
}

// ledger is what was begun and what was answered so far.
type ledger struct {
	mu    sync.Mutex
	begun map[string]bool // and shall be committed
	ended map[string]bool // committed, and the producer knows
}

func (l *ledger) copy() (begun, ended map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	begun, ended = map[string]bool{}, map[string]bool{}
	for k := range l.begun {
		begun[k] = true
	}
	for k := range l.ended {
		ended[k] = true
	}
	return begun, ended
}

// txnMoment is the disk at one operation, and what it must still hold.
type txnMoment struct {
	what         string
	disk         *sim.Disk
	begun, ended map[string]bool
}

// TestTransactionsSurvivePowerCuts cuts the power at every operation on the
// disk while transactions run: between a decision and its markers, between the
// markers of two partitions, before the end is noted. Afterwards what a
// producer was told is there, the rest is there as a whole or not at all, and
// nothing is held back.
func TestTransactionsSurvivePowerCuts(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d := sim.NewDisk(7)
	if err := errors.Join(d.MkdirAll("/data", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	n := startTxnNode(t, ctx, d)
	c := n.client(kgo.TransactionalID("a"))
	if _, err := kadm.NewClient(c).CreateTopic(ctx, 2, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	if err := n.transact(c, "zero", offsetOf["zero"], kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	l := &ledger{begun: map[string]bool{}, ended: map[string]bool{"zero": true}}
	moments := n.live(d, c, l)
	c.Close()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if len(moments) < 20 {
		t.Errorf("only %d operations", len(moments))
	}
	t.Logf("%d moments", len(moments))
	for _, m := range moments {
		m.disk.Crash()
		m.disk.Restart()
		m.verify(t)
		if t.Failed() {
			return
		}
	}
}

// live runs transactions and keeps the disk at every operation that changes it.
func (n *txnNode) live(d *sim.Disk, c *kgo.Client, l *ledger) []txnMoment {
	var mu sync.Mutex
	var moments []txnMoment
	d.OnOp(func(op sim.Op) sim.Action {
		if !op.Kind.Changes() || !strings.Contains(op.Name, "/t-") && !strings.Contains(op.Name, "/__") {
			return sim.Action{}
		}
		mu.Lock()
		defer mu.Unlock()
		m := txnMoment{what: op.String(), disk: d.Clone(uint64(op.Seq))}
		m.begun, m.ended = l.copy()
		moments = append(moments, m)
		return sim.Action{}
	})
	for i := range 4 {
		name, end := fmt.Sprint("txn", i), kgo.TryCommit
		if i == 1 {
			end = kgo.TryAbort
		}
		l.mu.Lock()
		l.begun[name] = bool(end)
		l.mu.Unlock()
		if err := n.transact(c, name, offsetOf[name], end); err != nil {
			n.t.Fatalf("%s: %v", name, err)
		}
		l.mu.Lock()
		if bool(end) {
			l.ended[name] = true
		}
		l.mu.Unlock()
	}
	d.OnOp(nil)
	mu.Lock()
	defer mu.Unlock()
	return moments
}

// offsetOf is what a transaction commits for the group.
var offsetOf = map[string]int64{"zero": 1, "txn0": 2, "txn1": 3, "txn2": 4, "txn3": 5}

func (m *txnMoment) verify(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience) // of this moment alone: there are many
	defer cancel()
	n := startTxnNode(t, ctx, m.disk)
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	c := n.client(kgo.TransactionalID("a"))
	defer c.Close()
	if err := n.transact(c, "last", 0, kgo.TryCommit); err != nil {
		t.Fatalf("power cut at %s: %v", m.what, err)
	}
	seen := n.read()
	for name, count := range seen {
		if count != 2 {
			t.Errorf("power cut at %s: %s is there %d times, want once in each of 2 partitions", m.what, name, count)
		}
		if commits, known := m.begun[name]; name != "zero" && name != "last" && (!known || !commits) {
			t.Errorf("power cut at %s: %s can be read, and nobody committed it", m.what, name)
		}
	}
	last := int64(0)
	for name := range seen {
		last = max(last, offsetOf[name])
	}
	if at := n.committed(); at != last {
		t.Errorf("power cut at %s: the group is at %d, its transactions at %d", m.what, at, last)
	}
	for name := range m.ended {
		if seen[name] == 0 {
			t.Errorf("power cut at %s: %s was committed, and is gone", m.what, name)
		}
	}
}

// committed is the offset of the group.
func (n *txnNode) committed() int64 {
	n.t.Helper()
	c := n.client()
	defer c.Close()
	offsets, err := kadm.NewClient(c).FetchOffsets(n.ctx, "g")
	if err != nil {
		n.t.Fatal(err)
	}
	at, _ := offsets.Lookup("t", 0)
	return at.At
}

// read counts what is committed, up to the last transaction.
func (n *txnNode) read() map[string]int {
	n.t.Helper()
	r := n.client(kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer r.Close()
	seen := map[string]int{}
	for seen["last"] < 2 {
		f := r.PollFetches(n.ctx)
		if err := f.Err0(); err != nil {
			n.t.Fatal(err)
		}
		f.EachRecord(func(x *kgo.Record) { seen[string(x.Value)]++ })
	}
	return seen
}
