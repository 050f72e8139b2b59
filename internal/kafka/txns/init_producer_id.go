package txns

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// InitProducerId (22), versions 0-5.
//
// v3 lets a producer name the id and epoch that it has (KIP-360), v4 knows
// PRODUCER_FENCED, v5 is KIP-890's. Without a transactional id Kafka looks at
// none of that: each call gives a new id with epoch 0, whatever the producer
// had.
//
// With a transactional id the answer is TRANSACTIONAL_ID_AUTHORIZATION_FAILED
// until the transaction coordinator is there: of the codes that this API may
// answer it is the one on which every client stops at once with a message that
// names the transactional id. COORDINATOR_NOT_AVAILABLE would be tried again
// until the producer's time-out, without a word of the reason.
func (f *Family) initProducerIDRow() api.API {
	return api.Row(0, 5, f.initProducerID,
		"With a transactional id it answers TRANSACTIONAL_ID_AUTHORIZATION_FAILED: there is no transaction coordinator yet, and this is the code on which clients stop at once with a clear message instead of retrying until a time-out.")
}

func (f *Family) initProducerID(ctx context.Context, c *api.Conn, req *kmsg.InitProducerIDRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	if code := refusal(req); code != wire.None {
		resp.ErrorCode = int16(code)
		return resp, nil
	}
	id, err := f.take(ctx)
	if err != nil {
		code := wire.CodeOf(err)
		if code == wire.UnknownServerError {
			code = wire.CoordinatorLoadInProgress // as Kafka while it has no block; clients try again
		}
		f.o.Logger.Warn("no producer id for a client", "client", c.ClientID, "err", err)
		resp.ErrorCode = int16(code)
		return resp, nil
	}
	resp.ProducerID, resp.ProducerEpoch = id, 0
	return resp, nil
}

// refusal is what a request is refused with, None when it is sound.
func refusal(req *kmsg.InitProducerIDRequest) wire.Code {
	switch {
	case req.TransactionalID == nil:
	case *req.TransactionalID == "":
		return wire.InvalidRequest
	default:
		return wire.TransactionalIDAuthorizationFailed
	}
	if req.Version >= 3 && (req.ProducerID >= 0) != (req.ProducerEpoch >= 0) {
		return wire.InvalidRequest
	}
	return wire.None
}
