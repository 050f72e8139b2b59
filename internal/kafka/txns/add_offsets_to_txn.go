package txns

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// AddOffsetsToTxn (25), versions 0-4: puts the partition of a group's offsets
// into a transaction.
//
// v2 knows PRODUCER_FENCED, v4 TRANSACTION_ABORTABLE (KIP-890). Clients of
// KIP-890, part 2, do without: TxnOffsetCommit adds the partition.
func (f *Family) addOffsetsToTxnRow() api.API { return api.Late(0, 4, f.addOffsetsToTxn) }

func (f *Family) addOffsetsToTxn(c *api.Conn, req *kmsg.AddOffsetsToTxnRequest, finish api.Finish) {
	done := func(_ any, err error) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.AddOffsetsToTxnResponse)
			if err != nil {
				resp.ErrorCode = int16(codeOf(err, req.Version >= 2))
			}
			return resp
		})
	}
	tp, err := f.offsetsPartition(c, req.Group)
	if err != nil {
		done(nil, err)
		return
	}
	f.ask(req.TransactionalID, txn.Add{
		ID: req.TransactionalID, ProducerID: req.ProducerID, Epoch: req.ProducerEpoch, Version: txn.V0,
		Partitions: []txn.TopicPartition{tp},
	}, done)
}

// offsetsPartition is where a group's offsets are. The first question makes the
// topic.
func (f *Family) offsetsPartition(c *api.Conn, group string) (txn.TopicPartition, error) {
	var err error
	if f.o.Cluster.Image().TopicByName(offsetsTopic) == nil {
		c.Wait(func(ctx context.Context) { err = f.prepare(ctx, offsetsTopic, group) })
	}
	if err != nil {
		return txn.TopicPartition{}, wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", offsetsTopic, err)
	}
	p, err := f.o.Groups.PartitionFor(group)
	return txn.TopicPartition{Topic: offsetsTopic, Partition: p}, err
}
