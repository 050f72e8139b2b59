package txns

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// InitProducerId (22), versions 0-5.
//
// v3 lets a producer name the id and epoch that it has (KIP-360), v4 knows
// PRODUCER_FENCED, v5 is KIP-890's. Without a transactional id Kafka looks at
// none of that: each call gives a new id with epoch 0, whatever the producer
// had.
//
// With a transactional id, what an earlier producer has open is aborted and its
// epoch fenced; the answer waits for that, and the connection's next requests do
// not: it is parked.
func (f *Family) initProducerIDRow() api.API {
	return api.Late(0, 5, f.initProducerID,
		"With a transactional id whose transaction is open or being ended, the answer waits until it has ended; Kafka answers CONCURRENT_TRANSACTIONS meanwhile.",
		"A producer that names an epoch which is not the current one is fenced at once and aborts nothing; Kafka aborts the open transaction of its successor first.",
	)
}

func (f *Family) initProducerID(c *api.Conn, req *kmsg.InitProducerIDRequest, finish api.Finish) {
	client := c.ClientID
	done := func(body any, err error) {
		finish(func() kmsg.Response { return f.initialised(client, req, body, err) })
	}
	if !wellFormed(req) {
		done(nil, wire.InvalidRequest)
		return
	}
	if req.TransactionalID == nil {
		var id int64
		var err error
		c.Wait(func(ctx context.Context) { id, err = f.fresh(ctx) })
		done(txn.InitReply{ProducerID: id}, err)
		return
	}
	f.initTransactions(c, req, done)
}

// initTransactions gives the command to the coordinator, with a producer id for
// the case that it needs one.
func (f *Family) initTransactions(c *api.Conn, req *kmsg.InitProducerIDRequest, done func(any, error)) {
	cmd := txn.Init{ID: *req.TransactionalID, TimeoutMs: req.TransactionTimeoutMillis, ProducerID: -1, Epoch: -1}
	if req.Version >= 3 {
		cmd.ProducerID, cmd.Epoch = req.ProducerID, req.ProducerEpoch
	}
	var unprepared, none error
	c.Wait(func(ctx context.Context) {
		if unprepared = f.prepare(ctx, stateTopic, cmd.ID); unprepared == nil {
			cmd.FreshID, none = f.fresh(ctx)
		}
	})
	if unprepared != nil {
		done(nil, wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", stateTopic, unprepared))
		return
	}
	f.ask(cmd.ID, cmd, func(body any, err error) {
		r, ok := body.(txn.InitReply)
		switch {
		case errors.Is(err, txn.ErrNeedsProducerID):
			err = none
		case err == nil && ok && none == nil && r.ProducerID != cmd.FreshID:
			f.giveBack(cmd.FreshID)
		}
		done(body, err)
	})
}

// initialised is the answer.
func (f *Family) initialised(client string, req *kmsg.InitProducerIDRequest, body any, err error) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	r, code := reply[txn.InitReply](body, err, req.Version >= 4)
	if code != wire.None {
		f.o.Logger.Debug("no producer id for a client", "client", client, "err", err)
		resp.ErrorCode = int16(code)
		return resp
	}
	resp.ProducerID, resp.ProducerEpoch = r.ProducerID, r.Epoch
	return resp
}

// wellFormed tells whether a request is sound.
func wellFormed(req *kmsg.InitProducerIDRequest) bool {
	if req.TransactionalID != nil && *req.TransactionalID == "" {
		return false
	}
	return req.Version < 3 || req.ProducerID == -1 == (req.ProducerEpoch == -1)
}
