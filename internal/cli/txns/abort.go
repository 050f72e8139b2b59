package txns

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// againAfter is the pause between two tries while an end is under way.
const againAfter = 20 * time.Millisecond

// Abort ends an open transaction as a new producer with its transactional id
// would: the coordinator aborts it in all partitions, and the producer that had
// it open is fenced. It returns when the transaction is over.
func Abort(ctx context.Context, c *kgo.Client, t *Transaction) error {
	for {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID = &t.ID
		req.TransactionTimeoutMillis = int32(max(1, t.Timeout.Milliseconds()))
		req.ProducerID, req.ProducerEpoch = -1, -1
		resp, err := req.RequestWith(ctx, c)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, kerr.ConcurrentTransactions) {
			return fmt.Errorf("fence the producer of %s: %w", t.ID, err)
		}
		wait := time.NewTimer(againAfter)
		select {
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("the end of %s is under way and takes long: %w", t.ID, ctx.Err())
		case <-wait.C:
		}
	}
}

// AbortHanging writes an abort marker into the one partition.
func AbortHanging(ctx context.Context, a *kadm.Client, h Hanging) error {
	set := kadm.TopicsSet{}
	set.Add(h.Topic, h.Partition)
	answers, err := a.WriteTxnMarkers(ctx, kadm.TxnMarkers{
		ProducerID: h.Producer, ProducerEpoch: h.Epoch, CoordinatorEpoch: max(0, h.CoordinatorEpoch), Topics: set,
	})
	if err == nil {
		err = answers[h.Producer].Topics[h.Topic].Partitions[h.Partition].Err
	}
	if err != nil {
		return fmt.Errorf("write a marker to %s-%d: %w", h.Topic, h.Partition, err)
	}
	return nil
}
