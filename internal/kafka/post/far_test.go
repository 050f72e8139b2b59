package post

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// leaderless finds no partition here.
type leaderless struct{}

func (leaderless) ByID(uuid.UUID, int32) (*partition.Partition, wire.Code) {
	return nil, wire.NotLeaderOrFollower
}

// canned answers requests.
type canned func(node int32, req kmsg.Request) (kmsg.Response, error)

func (c canned) Start(_ context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	done(c(node, req))
}

// boxOf is a partition that node 2 leads.
func boxOf(t *testing.T, c canned) Box {
	t.Helper()
	topic := &metadata.Topic{Name: "orders", ID: uuid.UUID{5}, Partitions: []*metadata.Partition{{Leader: 2}, {Leader: metadata.NoLeader}, {Leader: 1}}}
	o := &Office{NodeID: 1, Partitions: leaderless{}, Peers: c, View: &config.View{NodeID: 1}, Image: metadata.Empty, Timeout: time.Minute}
	for index, want := range map[int32]wire.Code{1: wire.NotLeaderOrFollower, 2: wire.NotLeaderOrFollower, 3: wire.NotLeaderOrFollower, -1: wire.NotLeaderOrFollower} {
		if _, err := o.Box(topic, index); wire.CodeOf(err) != want {
			t.Errorf("partition %d: %v, want %v", index, err, want)
		}
	}
	b, err := o.Box(topic, 0)
	if err != nil || b.MostBytes() < 1<<16 {
		t.Fatalf("%v, %v", b, err)
	}
	return b
}

func produced(code wire.Code) kmsg.Response {
	resp := kmsg.NewPtrProduceResponse()
	resp.Topics = []kmsg.ProduceResponseTopic{{Partitions: []kmsg.ProduceResponseTopicPartition{{ErrorCode: int16(code)}}}}
	return resp
}

func TestABatchGoesToWhoeverLeadsItsPartition(t *testing.T) {
	var sent *kmsg.ProduceRequest
	at := int32(-1)
	b := boxOf(t, func(node int32, req kmsg.Request) (kmsg.Response, error) {
		at, sent = node, req.(*kmsg.ProduceRequest)
		return produced(wire.None), nil
	})
	if err := b.Put(t.Context(), []byte("batch")); err != nil {
		t.Fatal(err)
	}
	p := sent.Topics[0].Partitions[0]
	if at != 2 || sent.Acks != -1 || sent.TimeoutMillis != 60_000 || uuid.UUID(sent.Topics[0].TopicID) != (uuid.UUID{5}) || p.Partition != 0 || string(p.Records) != "batch" {
		t.Errorf("node %d was sent %+v", at, sent)
	}
}

func TestWhatPassesIsToldFromWhatDoesNot(t *testing.T) {
	for _, c := range []struct {
		resp kmsg.Response
		err  error
		want wire.Code
	}{
		{produced(wire.DuplicateSequenceNumber), nil, wire.None},
		{produced(wire.UnknownTopicOrPartition), nil, wire.NotLeaderOrFollower},
		{produced(wire.FencedLeaderEpoch), nil, wire.NotLeaderOrFollower},
		{produced(wire.OutOfOrderSequenceNumber), nil, wire.OutOfOrderSequenceNumber},
		{produced(wire.MessageTooLarge), nil, wire.MessageTooLarge},
		{kmsg.NewPtrProduceResponse(), nil, wire.UnknownServerError},
		{nil, errors.New("cut"), wire.NotLeaderOrFollower},
		{nil, context.DeadlineExceeded, wire.RequestTimedOut},
	} {
		b := boxOf(t, func(int32, kmsg.Request) (kmsg.Response, error) { return c.resp, c.err })
		if err := b.Put(t.Context(), nil); wire.CodeOf(err) != c.want {
			t.Errorf("%+v, %v: %v, want %v", c.resp, c.err, err, c.want)
		}
	}
}

// log answers ListOffsets and Fetch from batches, some to a piece.
func log(batches [][]byte, code wire.Code) canned {
	return func(_ int32, req kmsg.Request) (kmsg.Response, error) {
		switch q := req.(type) {
		case *kmsg.ListOffsetsRequest:
			resp := kmsg.NewPtrListOffsetsResponse()
			row := kmsg.NewListOffsetsResponseTopicPartition()
			row.Offset = -1
			if q.Topics[0].Partitions[0].Timestamp <= 1000 && len(batches) > 0 {
				row.Offset = 0
			}
			resp.Topics = []kmsg.ListOffsetsResponseTopic{{Partitions: []kmsg.ListOffsetsResponseTopicPartition{row}}}
			return resp, nil
		case *kmsg.FetchRequest:
			resp := kmsg.NewPtrFetchResponse()
			row := kmsg.NewFetchResponseTopicPartition()
			row.HighWatermark, row.ErrorCode = int64(len(batches)), int16(code)
			if at := int(q.Topics[0].Partitions[0].FetchOffset); at < len(batches) {
				row.RecordBatches = append([]byte(nil), batches[at]...)
				if at+1 < len(batches) {
					row.RecordBatches = append(row.RecordBatches, batches[at+1][:70]...) // a part of the next
				}
			}
			resp.Topics = []kmsg.FetchResponseTopic{{Partitions: []kmsg.FetchResponseTopicPartition{row}}}
			return resp, nil
		}
		return nil, errors.New("an unexpected request")
	}
}

func TestABatchIsLookedForAtAnotherNode(t *testing.T) {
	var batches [][]byte
	for i := range 5 {
		b := record.NewBuilder()
		b.ProducerID, b.ProducerEpoch, b.BaseSequence = int64(100+i%2), 0, int32(i)
		b.Add(1000, nil, []byte("some value"))
		batches = append(batches, b.Build(int64(i)))
	}
	for _, c := range []struct {
		x    Batch
		want bool
	}{{Batch{1000, 100, 4}, true}, {Batch{0, 101, 3}, true}, {Batch{0, 100, 3}, false}, {Batch{1001, 100, 4}, false}} {
		if got, err := boxOf(t, log(batches, wire.None)).Has(t.Context(), c.x); got != c.want || err != nil {
			t.Errorf("%+v: %t, %v", c.x, got, err)
		}
	}
	if got, err := boxOf(t, log(nil, wire.None)).Has(t.Context(), Batch{}); got || err != nil {
		t.Errorf("an empty log: %t, %v", got, err)
	}
	if _, err := boxOf(t, log(batches, wire.OffsetOutOfRange)).Has(t.Context(), Batch{}); wire.CodeOf(err) != wire.OffsetOutOfRange {
		t.Errorf("an error of the node: %v", err)
	}
	cut := boxOf(t, func(int32, kmsg.Request) (kmsg.Response, error) { return nil, errors.New("cut") })
	if _, err := cut.Has(t.Context(), Batch{}); wire.CodeOf(err) != wire.NotLeaderOrFollower {
		t.Errorf("a node that is cut off: %v", err)
	}
}
