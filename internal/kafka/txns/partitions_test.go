package txns_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"ottla"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// ask sends a request as it is to the node.
func ask[R kmsg.Response](n *node, c *kgo.Client, req kmsg.Request) R {
	n.t.Helper()
	resp, err := c.Broker(1).RetriableRequest(n.ctx, req)
	if err != nil {
		n.t.Fatalf("%s: %v", kmsg.Key(req.Key()).Name(), err)
	}
	return resp.(R)
}

func (n *node) topicID(c *kgo.Client, topic string) [16]byte {
	n.t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	return ask[*kmsg.MetadataResponse](n, c, req).Topics[0].TopicID
}

// batchOf is a batch of one record of a transaction.
func batchOf(id int64, epoch int16, seq int32, value string) []byte {
	b := record.NewBuilder()
	b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = id, epoch, seq, true
	b.Add(1_700_000_000_000, nil, []byte(value))
	return b.Build(0)
}

// produce writes a batch into partition 0 of out.
func (n *node) produce(c *kgo.Client, txnID string, batch []byte) wire.Code {
	n.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.TransactionID, req.Acks, req.TimeoutMillis = &txnID, -1, 30_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.TopicID = "out", n.topicID(c, "out")
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return wire.Code(ask[*kmsg.ProduceResponse](n, c, req).Topics[0].Partitions[0].ErrorCode)
}

// fetchCommitted asks for partition 0 of out at read_committed and waits for
// bytes.
func (n *node) fetchCommitted(c *kgo.Client, offset int64, waitMs int32) kmsg.FetchResponseTopicPartition {
	n.t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel, req.SessionEpoch = waitMs, 1, 1<<20, 1, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = "out", n.topicID(c, "out")
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = offset, 1<<20, -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return ask[*kmsg.FetchResponse](n, c, req).Topics[0].Partitions[0]
}

func (n *node) producers(c *kgo.Client) []kmsg.DescribeProducersResponseTopicPartitionActiveProducer {
	n.t.Helper()
	req := kmsg.NewPtrDescribeProducersRequest()
	t := kmsg.NewDescribeProducersRequestTopic()
	t.Topic, t.Partitions = "out", []int32{0}
	req.Topics = append(req.Topics, t)
	return ask[*kmsg.DescribeProducersResponse](n, c, req).Topics[0].Partitions[0].ActiveProducers
}

// TestAHangingTransactionIsEndedByHand makes a transaction that no coordinator
// knows, as a broker of before KIP-890 could have, and ends it as
// kafka-transactions does (KIP-664).
func TestAHangingTransactionIsEndedByHand(t *testing.T) {
	n := startNode(t, ottla.Options{})
	c := n.client(kgo.MaxVersions(kversion.V3_8_0())) // newer clients have the partition added
	n.findCoordinator(c, 1, "nobody")
	if code := n.produce(c, "nobody", batchOf(7000, 0, 0, "hanging")); code != wire.InvalidProducerIDMapping {
		t.Fatalf("a transaction that no coordinator knows: %s", code.Name())
	}
	n.must(n.admin().AlterBrokerConfigs(n.ctx, []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "transaction.partition.verification.enable", Value: kmsg.StringPtr("false")},
	}))
	if code := n.produce(c, "nobody", batchOf(7000, 0, 0, "hanging")); code != wire.None {
		t.Fatalf("without verification: %s", code.Name())
	}
	n.transact(n.producer("a"), "one", kgo.TryCommit)
	if p := n.fetchCommitted(c, 0, 0); p.LastStableOffset != 0 || len(p.RecordBatches) > 0 || p.AbortedTransactions == nil {
		t.Fatalf("%+v, want nothing below the hanging transaction", p)
	}
	found := n.producers(c)
	i := slices.IndexFunc(found, func(p kmsg.DescribeProducersResponseTopicPartitionActiveProducer) bool { return p.ProducerID == 7000 })
	if i < 0 || found[i].CurrentTxnStartOffset != 0 || found[i].CoordinatorEpoch != -1 {
		t.Fatalf("producers %+v, want the hanging one at offset 0", found)
	}

	answered := make(chan kmsg.FetchResponseTopicPartition, 1)
	waiting := n.client()
	n.topicID(waiting, "out")
	go func() { answered <- n.fetchCommitted(waiting, 0, int32(patience.Milliseconds())) }()

	req := kmsg.NewPtrWriteTxnMarkersRequest()
	m := kmsg.NewWriteTxnMarkersRequestMarker()
	m.ProducerID, m.ProducerEpoch, m.CoordinatorEpoch = 7000, int16(found[i].ProducerEpoch), found[i].CoordinatorEpoch
	for _, topic := range []string{"out", "nowhere"} {
		mt := kmsg.NewWriteTxnMarkersRequestMarkerTopic()
		mt.Topic, mt.Partitions = topic, []int32{0}
		m.Topics = append(m.Topics, mt)
	}
	req.Markers = append(req.Markers, m)
	row := ask[*kmsg.WriteTxnMarkersResponse](n, c, req).Markers[0]
	if a, b := row.Topics[0].Partitions[0].ErrorCode, row.Topics[1].Partitions[0].ErrorCode; a != 0 || b != int16(wire.UnknownTopicOrPartition) {
		t.Fatalf("codes %d and %d", a, b)
	}
	p := <-answered // the last stable offset moved, and that woke it
	if len(p.AbortedTransactions) != 1 || p.AbortedTransactions[0].ProducerID != 7000 || p.AbortedTransactions[0].FirstOffset != 0 || p.LastStableOffset != p.HighWatermark {
		t.Errorf("%+v, want the transaction among the aborted", p)
	}
	if got := n.producers(c)[i]; got.CurrentTxnStartOffset != -1 {
		t.Errorf("%+v, want no open transaction", got)
	}
	n.read("out", both("one")...)
}

// TestOffsetsOfATransactionArePendingUntilItsEnd follows the offsets of a group
// through a commit and an abort (KIP-98, KIP-447).
func TestOffsetsOfATransactionArePendingUntilItsEnd(t *testing.T) {
	n := startNode(t, ottla.Options{})
	c := n.client()
	begin := kmsg.NewPtrInitProducerIDRequest()
	begin.TransactionalID, begin.TransactionTimeoutMillis, begin.ProducerID, begin.ProducerEpoch = kmsg.StringPtr("tx"), 60_000, -1, -1
	n.findCoordinator(c, 1, "tx")
	who := ask[*kmsg.InitProducerIDResponse](n, c, begin)
	id := n.topicID(c, "in")

	commit := func(offset int64, epoch int16) wire.Code {
		req := kmsg.NewPtrTxnOffsetCommitRequest()
		req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = "tx", "g", who.ProducerID, epoch
		topic := kmsg.NewTxnOffsetCommitRequestTopic()
		topic.Topic, topic.TopicID = "in", id
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Offset = offset
		topic.Partitions = append(topic.Partitions, p)
		req.Topics = append(req.Topics, topic)
		return wire.Code(ask[*kmsg.TxnOffsetCommitResponse](n, c, req).Topics[0].Partitions[0].ErrorCode)
	}
	end := func(commit bool, epoch int16) {
		t.Helper()
		req := kmsg.NewPtrEndTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = "tx", who.ProducerID, epoch, commit
		if r := ask[*kmsg.EndTxnResponse](n, c, req); r.ErrorCode != 0 || r.ProducerEpoch != epoch+1 {
			t.Fatalf("EndTxn: %+v", r)
		}
	}
	fetch := func(stable bool) (int64, wire.Code) {
		t.Helper()
		req := kmsg.NewPtrOffsetFetchRequest()
		req.RequireStable = stable
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = "g"
		topic := kmsg.NewOffsetFetchRequestGroupTopic()
		topic.Topic, topic.TopicID, topic.Partitions = "in", id, []int32{0}
		g.Topics = append(g.Topics, topic)
		req.Groups = append(req.Groups, g)
		p := ask[*kmsg.OffsetFetchResponse](n, c, req).Groups[0].Topics[0].Partitions[0]
		return p.Offset, wire.Code(p.ErrorCode)
	}
	see := func(when string, offset int64, pending bool) {
		t.Helper()
		if got, code := fetch(false); got != offset || code != wire.None {
			t.Errorf("%s: offset %d, %s, want %d", when, got, code.Name(), offset)
		}
		got, code := fetch(true)
		if pending && (code != wire.UnstableOffsetCommit || got != -1) || !pending && (code != wire.None || got != offset) {
			t.Errorf("%s: stable offset %d, %s, want %d, pending %v", when, got, code.Name(), offset, pending)
		}
	}

	n.findCoordinator(c, 0, "g")
	if code := commit(5, 0); code != wire.None {
		t.Fatalf("commit: %s", code.Name())
	}
	if code := commit(6, 0); code != wire.None { // in the same transaction
		t.Fatalf("commit: %s", code.Name())
	}
	see("before the end", -1, true)
	end(true, 0)
	see("committed", 6, false)
	if code := commit(7, 0); code != wire.InvalidProducerEpoch {
		t.Errorf("with the epoch of the transaction before: %s", code.Name())
	}
	if code := commit(9, 1); code != wire.None {
		t.Fatalf("commit: %s", code.Name())
	}
	see("in the second transaction", 6, true)
	end(false, 1)
	see("aborted", 6, false)
}

// findCoordinator makes the topic of a group (0) or a transactional id (1), and
// waits for its coordinator.
func (n *node) findCoordinator(c *kgo.Client, kind int8, key string) {
	n.t.Helper()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorType, req.CoordinatorKeys = kind, []string{key}
	if r := ask[*kmsg.FindCoordinatorResponse](n, c, req); r.Coordinators[0].ErrorCode != 0 {
		n.t.Fatalf("FindCoordinator: %+v", r)
	}
}
