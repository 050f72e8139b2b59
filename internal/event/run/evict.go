package run

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// evictAfter is how long who loads waits for what others have begun before he ends that
// for them: a commit that is under way takes less.
const evictAfter = time.Second

// reached returns when the state is read up to an offset. What branches and replays of
// the seat left open that died with their node would hold it up until it is given up: a
// walk beside which nothing walks ends it.
func (w *walk) reached(ctx context.Context, c *kgo.Client, end int64) error {
	for {
		within, cancel := context.WithTimeout(ctx, evictAfter)
		err := w.r.s.mirror.reached(within, w.r.statePartition, end)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
		if w.alone {
			w.evict(ctx, c)
		}
	}
}

// evict aborts what is open of the seat's branches and replays. What cannot be aborted
// now is tried again, or is given up some time.
func (w *walk) evict(ctx context.Context, c *kgo.Client) {
	open, err := kadm.NewClient(c).ListTransactions(ctx, nil, []string{"Ongoing"})
	for _, t := range open.Sorted() {
		if !strings.HasPrefix(t.TxnID, w.txn+"-") {
			continue
		}
		req := kmsg.NewPtrInitProducerIDRequest()
		req.TransactionalID, req.TransactionTimeoutMillis = &t.TxnID, int32(txnTimeout/time.Millisecond)
		req.ProducerID, req.ProducerEpoch = -1, -1
		if _, failed := req.RequestWith(ctx, c); failed != nil { // an answer says at most that it is under way
			err = failed
		}
	}
	if err != nil {
		w.r.s.o.Logger.Warn("what was left open is not ended yet; it is tried again", "source", w.r.src.Load().Ref.String(), "topic", w.r.topic,
			"partition", w.r.seat.Partition, "err", err)
	}
}
