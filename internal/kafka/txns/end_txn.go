package txns

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// EndTxn (26), versions 0-5. The answer waits until the outcome is there to be
// read in every partition.
//
// v2 knows PRODUCER_FENCED, v4 TRANSACTION_ABORTABLE (KIP-890), v5 is that of
// clients of KIP-890, part 2: it answers the producer id and the epoch of the
// next transaction, and an end that is asked for twice is recognised.
func (f *Family) endTxnRow() api.API {
	return api.Late(0, 5, f.endTxn,
		"EndTxn is answered when the outcome can be read in every partition; Kafka answers when it is decided, and the next transaction may hear CONCURRENT_TRANSACTIONS for a while.")
}

func (f *Family) endTxn(c *api.Conn, req *kmsg.EndTxnRequest, finish api.Finish) {
	cmd := txn.End{
		ID: req.TransactionalID, ProducerID: req.ProducerID, Epoch: req.ProducerEpoch, Commit: req.Commit,
		Version: txn.V0, FreshID: -1,
	}
	done := func(body any, err error) {
		finish(func() kmsg.Response { return ended(req, body, err) })
	}
	if req.Version >= 5 {
		cmd.Version = txn.V2
		if txn.EpochsUsedUp(req.ProducerEpoch) {
			var err error
			c.Wait(func(ctx context.Context) { cmd.FreshID, err = f.fresh(ctx) })
			if err != nil {
				done(nil, err)
				return
			}
		}
	}
	f.ask(req.TransactionalID, cmd, done)
}

func ended(req *kmsg.EndTxnRequest, body any, err error) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.EndTxnResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	r, code := reply[txn.EndReply](body, err, req.Version >= 2)
	if code != wire.None {
		resp.ErrorCode = int16(code)
		return resp
	}
	resp.ProducerID, resp.ProducerEpoch = r.ProducerID, r.Epoch
	return resp
}
