package cluster

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// UnregisterBroker (64), version 0 (KIP-631): the cluster forgets a node that
// will not come back. Its replicas stay assigned to it, and its vote, if it has one
// (RemoveRaftVoter takes that); a node that still runs stops.
func (h *handlers) unregisterBroker() api.API {
	return api.Row(0, 0, func(ctx context.Context, _ *api.Conn, req *kmsg.UnregisterBrokerRequest) (kmsg.Response, error) {
		resp := req.ResponseKind().(*kmsg.UnregisterBrokerResponse)
		code, text := h.unregister(ctx, controller.UnregisterBroker{ID: req.BrokerID})
		resp.ErrorCode, resp.ErrorMessage = int16(code), &text
		return resp, nil
	})
}

// UnregisterController (94), version 0, new in 4.4: the cluster forgets the
// registration of a controller that has no vote any more.
func (h *handlers) unregisterController() api.API {
	return api.Row(0, 0, func(ctx context.Context, _ *api.Conn, req *kmsg.UnregisterControllerRequest) (kmsg.Response, error) {
		resp := req.ResponseKind().(*kmsg.UnregisterControllerResponse)
		code, text := h.forgetController(ctx, req.ControllerID)
		resp.ErrorCode, resp.ErrorMessage = int16(code), &text
		return resp, nil
	}, "Nodes register once, as brokers: a node that votes is refused here, one that has registered as a broker is UnregisterBroker's.")
}

func (h *handlers) forgetController(ctx context.Context, id int32) (wire.Code, string) {
	if h.d.Quorum != nil {
		q := h.d.Quorum()
		if q.Leader == id && id >= 0 {
			return wire.InvalidRequest, "Controller cannot unregister itself while it is active."
		}
		for _, v := range q.Voters {
			if v.ID == id {
				return wire.InvalidRequest, "the controller votes: remove it from the quorum first (kafka-metadata-quorum remove-controller)"
			}
		}
	}
	return h.unregister(ctx, controller.UnregisterController{ID: id})
}

// unregister gives a command that has no reply; the text is "" where there is
// nothing to say, as Kafka has it.
func (h *handlers) unregister(ctx context.Context, cmd any) (wire.Code, string) {
	ctx, cancel := context.WithTimeout(ctx, unregisterTimeout)
	defer cancel()
	_, err := h.d.Cluster.Do(ctx, cmd)
	if err != nil && ctx.Err() != nil && wire.CodeOf(err) == wire.UnknownServerError {
		err = wire.RequestTimedOut
	}
	return wire.CodeOf(err), wire.MessageOf(err)
}

// unregisterTimeout bounds what names no time of its own.
const unregisterTimeout = createTimeout
