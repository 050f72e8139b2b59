package txns

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// commitWorld is a cluster with the topics "orders" (two partitions) and
// __consumer_offsets (one), whose coordinators answer as a test says.
type commitWorld struct {
	image  *metadata.Image
	part   *partition.Partition
	lost   wire.Code // why the partition of the offsets topic is not there
	vouch  func(cmd any) (any, error)
	refuse error // of the group
	txns   []string
	groups []group.Commit
	f      *Family
}

var commitOrders = uuid.UUID{1, 2, 3}

func newCommitWorld(t *testing.T) *commitWorld {
	t.Helper()
	w := &commitWorld{vouch: func(any) (any, error) { return nil, nil }}
	offsets := uuid.UUID{9}
	var err error
	w.image, _, err = metadata.Empty().With(1, 1,
		&metadata.TopicRecord{Name: "orders", ID: commitOrders},
		&metadata.PartitionRecord{TopicID: commitOrders, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1},
		&metadata.PartitionRecord{TopicID: commitOrders, Partition: 1, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1},
		&metadata.TopicRecord{Name: offsetsTopic, ID: offsets},
		&metadata.PartitionRecord{TopicID: offsets, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: "/data", Now: time.Now, VerifyAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w.part = partition.New(partition.Options{Topic: offsetsTopic, NodeID: 1, Now: time.Now, Config: partition.Config{
		Log:       log.Config{SegmentBytes: 1 << 20, IndexBytes: 1 << 16, IndexIntervalBytes: 4096, Internal: true, MaxDecompressed: 1 << 20},
		Rules:     record.Rules{MaxBatchBytes: 1 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 1 << 60},
		MinInsync: 1, VerifyTransactions: true,
	}})
	if err := w.part.Open(dir); err != nil {
		t.Fatal(err)
	}
	if err := w.part.Become(partition.Role{Leader: 1, Replicas: []int32{1}, ISR: []int32{1}}); err != nil {
		t.Fatal(err)
	}
	w.f = New(Deps{Cluster: w, Txns: commitCoordinator(w.askTxns), Groups: commitCoordinator(w.askGroups), Partitions: w})
	return w
}

// Image and Do make it a Cluster, ByName the Partitions.
func (w *commitWorld) Image() *metadata.Image { return w.image }

func (w *commitWorld) Do(context.Context, any) (any, error) { return nil, wire.UnknownServerError }

func (w *commitWorld) ByName([]byte, int32) (*partition.Partition, wire.Code) {
	return w.part, w.lost
}

// commitCoordinator is a Coordinator that only takes commands.
type commitCoordinator func(cmd any, done func(any, error))

func (c commitCoordinator) PartitionFor(string) (int32, error) { return 0, nil }

func (c commitCoordinator) Go(_ context.Context, _ string, cmd any, done func(any, error)) {
	c(cmd, done)
}

func (c commitCoordinator) Do(context.Context, string, any) (any, error) {
	return nil, wire.UnknownServerError
}

func (c commitCoordinator) Each(context.Context, any) []coordinator.Answer { return nil }

// askTxns is the coordinator of transactions.
func (w *commitWorld) askTxns(cmd any, done func(any, error)) {
	switch c := cmd.(type) {
	case txn.Add:
		w.txns = append(w.txns, fmt.Sprintf("%s: add %d/%d version %d %v", c.ID, c.ProducerID, c.Epoch, c.Version, c.Partitions))
	case txn.Verify:
		w.txns = append(w.txns, fmt.Sprintf("%s: verify %d/%d %v", c.ID, c.ProducerID, c.Epoch, c.Partitions))
	}
	done(w.vouch(cmd))
}

// askGroups is the coordinator of groups.
func (w *commitWorld) askGroups(cmd any, done func(any, error)) {
	c := cmd.(group.Commit)
	w.groups = append(w.groups, c)
	if w.refuse != nil {
		done(nil, w.refuse)
		return
	}
	r := group.CommitReply{Codes: make([][]wire.Code, len(c.Topics))}
	for i := range c.Topics {
		for j := range c.Topics[i].Partitions {
			code := wire.None
			if c.Topics[i].Partitions[j].Metadata == "long" {
				code = wire.OffsetMetadataTooLarge
			}
			r.Codes[i] = append(r.Codes[i], code)
		}
	}
	done(r, nil)
}

// commitRequest commits offsets of both partitions of orders, of one that it
// has not, and of a topic that is not there.
func commitRequest(version int16) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.SetVersion(version)
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = "tx", "g", 7, 3
	req.Generation, req.MemberID, req.InstanceID = 4, "m", kmsg.StringPtr("i")
	for name, id := range map[string]uuid.UUID{"orders": commitOrders, "unknown": {8}} {
		topic := kmsg.NewTxnOffsetCommitRequestTopic()
		topic.Topic, topic.TopicID = name, id
		for p := range int32(3) {
			row := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			row.Partition, row.Offset, row.LeaderEpoch = p, int64(100+p), 5
			if p == 1 {
				row.Metadata = kmsg.StringPtr("long")
			}
			topic.Partitions = append(topic.Partitions, row)
		}
		req.Topics = append(req.Topics, topic)
	}
	slices.SortFunc(req.Topics, func(a, b kmsg.TxnOffsetCommitRequestTopic) int { return int(b.TopicID[0]) - int(a.TopicID[0]) })
	return req
}

// commit gives the codes: three of the unknown topic, three of orders.
func (w *commitWorld) commit(t *testing.T, req *kmsg.TxnOffsetCommitRequest) []wire.Code {
	t.Helper()
	var resp kmsg.Response
	w.f.txnOffsetCommit(&api.Conn{}, req, func(make func() kmsg.Response) {
		if resp != nil {
			t.Error("answered twice")
		}
		resp = make()
	})
	var out []wire.Code
	for i, topic := range resp.(*kmsg.TxnOffsetCommitResponse).Topics {
		if topic.Topic != req.Topics[i].Topic || topic.TopicID != req.Topics[i].TopicID {
			t.Errorf("topic %d is %q %x", i, topic.Topic, topic.TopicID)
		}
		for _, p := range topic.Partitions {
			out = append(out, wire.Code(p.ErrorCode))
		}
	}
	return out
}

func TestOffsetsGoToTheGroupWhenTheTransactionHasItsPartition(t *testing.T) {
	for version := int16(0); version <= 6; version++ {
		w := newCommitWorld(t)
		missing, question := wire.UnknownTopicOrPartition, "tx: verify 7/3 [{__consumer_offsets 0}]"
		if version >= 5 {
			question = "tx: add 7/3 version 2 [{__consumer_offsets 0}]"
		} else {
			w.vouch = func(any) (any, error) { return txn.VerifyReply{Codes: []wire.Code{wire.None}}, nil }
		}
		if version >= 6 {
			missing = wire.UnknownTopicID
		}
		got := w.commit(t, commitRequest(version))
		if want := []wire.Code{missing, missing, missing, wire.None, wire.OffsetMetadataTooLarge, wire.UnknownTopicOrPartition}; !slices.Equal(got, want) {
			t.Errorf("v%d: codes %v, want %v", version, got, want)
		}
		if !slices.Equal(w.txns, []string{question}) {
			t.Errorf("v%d: asked %q, want %q", version, w.txns, question)
		}
		if len(w.groups) != 1 {
			t.Fatalf("v%d: %d commits", version, len(w.groups))
		}
		c := w.groups[0]
		if c.Group != "g" || c.Txn == nil || c.Txn.ProducerID != 7 || c.Txn.ProducerEpoch != 3 || c.Txn.Guard == 0 || c.RetentionMs != -1 {
			t.Errorf("v%d: %+v of %+v", version, c, c.Txn)
		}
		epoch := int32(5)
		if version < 2 {
			epoch = -1
		}
		if p := c.Topics[0].Partitions; len(c.Topics) != 1 || len(p) != 2 || c.Topics[0].ID != commitOrders || p[0].Offset != 100 || p[0].LeaderEpoch != epoch {
			t.Errorf("v%d: topics %+v", version, c.Topics)
		}
	}
}

func TestOffsetsOfATransactionThatIsNotVouchedForAreRefused(t *testing.T) {
	for _, tc := range []struct {
		said       wire.Code
		v3, v4, v5 wire.Code
	}{
		{wire.TransactionAbortable, wire.InvalidTxnState, wire.TransactionAbortable, wire.TransactionAbortable},
		{wire.ProducerFenced, wire.InvalidProducerEpoch, wire.InvalidProducerEpoch, wire.InvalidProducerEpoch},
		{wire.InvalidProducerIDMapping, wire.InvalidProducerIDMapping, wire.InvalidProducerIDMapping, wire.InvalidProducerIDMapping},
		{wire.ConcurrentTransactions, wire.ConcurrentTransactions, wire.ConcurrentTransactions, wire.ConcurrentTransactions},
		{wire.NetworkException, wire.CoordinatorLoadInProgress, wire.CoordinatorLoadInProgress, wire.CoordinatorLoadInProgress},
		{wire.NotEnoughReplicas, wire.CoordinatorNotAvailable, wire.CoordinatorNotAvailable, wire.CoordinatorNotAvailable},
		{wire.RequestTimedOut, wire.CoordinatorNotAvailable, wire.CoordinatorNotAvailable, wire.CoordinatorNotAvailable},
		{wire.KafkaStorageError, wire.NotCoordinator, wire.NotCoordinator, wire.NotCoordinator},
	} {
		for version, want := range map[int16]wire.Code{0: tc.v3, 3: tc.v3, 4: tc.v4, 5: tc.v5, 6: tc.v5} {
			w := newCommitWorld(t)
			w.vouch = func(cmd any) (any, error) {
				if _, ok := cmd.(txn.Verify); ok && tc.said == wire.TransactionAbortable {
					return txn.VerifyReply{Codes: []wire.Code{tc.said}}, nil
				}
				return nil, tc.said
			}
			if got := w.commit(t, commitRequest(version)); got[3] != want || got[4] != want || len(w.groups) != 0 {
				t.Errorf("%s, v%d: codes %v, %d commits, want %s", tc.said.Name(), version, got, len(w.groups), want.Name())
			}
		}
	}
}

func TestTheGroupHasTheLastWord(t *testing.T) {
	for said, want := range map[wire.Code]wire.Code{
		wire.IllegalGeneration: wire.IllegalGeneration, wire.UnknownMemberID: wire.UnknownMemberID, wire.FencedInstanceID: wire.FencedInstanceID,
		wire.InvalidTxnState: wire.InvalidTxnState, wire.InvalidProducerEpoch: wire.InvalidProducerEpoch,
		wire.CoordinatorLoadInProgress: wire.CoordinatorLoadInProgress, wire.NotCoordinator: wire.NotCoordinator,
		wire.NotEnoughReplicas: wire.CoordinatorNotAvailable, wire.MessageTooLarge: wire.UnknownServerError,
	} {
		w := newCommitWorld(t)
		w.refuse = said
		if got := w.commit(t, commitRequest(5)); got[3] != want || got[4] != want {
			t.Errorf("%s: codes %v, want %s", said.Name(), got, want.Name())
		}
	}
	for version, want := range map[int16]wire.Code{5: wire.IllegalGeneration, 6: wire.StaleMemberEpoch} {
		w := newCommitWorld(t)
		w.refuse = wire.StaleMemberEpoch
		if got := w.commit(t, commitRequest(version)); got[3] != want || w.groups[0].TellsNotFound != (version >= 6) {
			t.Errorf("stale, v%d: codes %v, want %s", version, got, want.Name())
		}
	}
	w := newCommitWorld(t)
	req := commitRequest(5)
	req.Group = ""
	if got := w.commit(t, req); got[3] != wire.InvalidGroupID || w.txns != nil {
		t.Errorf("no group: codes %v, asked %q", got, w.txns)
	}
	req = commitRequest(5)
	req.Topics = req.Topics[:1]
	if got := w.commit(t, req); len(got) != 3 || w.txns != nil || w.groups != nil {
		t.Errorf("nothing that is there: codes %v, asked %q", got, w.txns)
	}
	w.lost = wire.NotLeaderOrFollower
	if got := w.commit(t, commitRequest(5)); got[3] != wire.NotCoordinator {
		t.Errorf("led elsewhere: codes %v", got)
	}
}

func TestOffsetsAreNotVouchedForTwice(t *testing.T) {
	w := newCommitWorld(t)
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.Transactional = 7, 3, true
	b.Add(1, []byte("k"), []byte("v"))
	var got partition.Appended
	args := partition.AppendArgs{Acks: -1, Internal: true, Guard: w.part.Guard(7, 3, -1, true)}
	if err := w.part.Append(b.Build(0), &args, &got); err != nil {
		t.Fatal(err)
	}
	if codes := w.commit(t, commitRequest(5)); codes[3] != wire.None || w.txns != nil || w.groups[0].Txn.Guard != 0 {
		t.Errorf("codes %v, asked %q", codes, w.txns)
	}
}
