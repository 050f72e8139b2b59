package txns

import (
	"context"
	"errors"
	"fmt"

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
// epoch fenced; the answer waits for that.
func (f *Family) initProducerIDRow() api.API {
	return api.Row(0, 5, f.initProducerID,
		"With a transactional id whose transaction is open or being ended, the answer waits until it has ended; Kafka answers CONCURRENT_TRANSACTIONS meanwhile.",
		"A producer that names an epoch which is not the current one is fenced at once and aborts nothing; Kafka aborts the open transaction of its successor first.",
	)
}

func (f *Family) initProducerID(ctx context.Context, c *api.Conn, req *kmsg.InitProducerIDRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	if !wellFormed(req) {
		resp.ErrorCode = int16(wire.InvalidRequest)
		return resp, nil
	}
	r, err := f.identity(ctx, req)
	if err != nil {
		f.o.Logger.Debug("no producer id for a client", "client", c.ClientID, "err", err)
		resp.ErrorCode = int16(codeOf(err, req.Version >= 4))
		return resp, nil
	}
	resp.ProducerID, resp.ProducerEpoch = r.ProducerID, r.Epoch
	return resp, nil
}

// wellFormed tells whether a request is sound.
func wellFormed(req *kmsg.InitProducerIDRequest) bool {
	if req.TransactionalID != nil && *req.TransactionalID == "" {
		return false
	}
	return req.Version < 3 || req.ProducerID == -1 == (req.ProducerEpoch == -1)
}

// identity is what the producer shall be.
func (f *Family) identity(ctx context.Context, req *kmsg.InitProducerIDRequest) (txn.InitReply, error) {
	if req.TransactionalID == nil {
		id, err := f.fresh(ctx)
		return txn.InitReply{ProducerID: id}, err
	}
	cmd := txn.Init{ID: *req.TransactionalID, TimeoutMs: req.TransactionTimeoutMillis, ProducerID: -1, Epoch: -1, FreshID: -1}
	if req.Version >= 3 {
		cmd.ProducerID, cmd.Epoch = req.ProducerID, req.ProducerEpoch
	}
	if err := f.prepare(ctx, stateTopic, cmd.ID); err != nil {
		return txn.InitReply{}, wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", stateTopic, err)
	}
	body, err := f.o.Txns.Do(ctx, cmd.ID, cmd)
	if errors.Is(err, txn.ErrNeedsProducerID) {
		if cmd.FreshID, err = f.fresh(ctx); err != nil {
			return txn.InitReply{}, err
		}
		body, err = f.o.Txns.Do(ctx, cmd.ID, cmd)
	}
	if err != nil {
		return txn.InitReply{}, err
	}
	r, ok := body.(txn.InitReply)
	if !ok {
		return txn.InitReply{}, fmt.Errorf("the transaction coordinator answered %T to Init", body)
	}
	return r, nil
}
