package topics

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// CreatePartitions (37), versions 0 to 3 (KIP-195). Count is the new total. v2
// is flexible, v3 only says that the client knows THROTTLING_QUOTA_EXCEEDED.
func (h *handlers) createPartitions() api.API {
	return api.Row(0, 3, h.serveCreatePartitions,
		"While a topic's first partition is reassigned, new ones get as many replicas as that one is to have; Kafka counts those that it will lose, too.")
}

func (h *handlers) serveCreatePartitions(ctx context.Context, _ *api.Conn, req *kmsg.CreatePartitionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	add := func(name string, code wire.Code, message string) {
		t := kmsg.NewCreatePartitionsResponseTopic()
		t.Topic, t.ErrorCode, t.ErrorMessage = name, int16(code), text(code, message)
		resp.Topics = append(resp.Topics, t)
	}
	count := map[string]int{}
	for i := range req.Topics {
		count[req.Topics[i].Topic]++
	}
	cmd := controller.CreatePartitions{ValidateOnly: req.ValidateOnly}
	for i := range req.Topics {
		t := &req.Topics[i]
		n := count[t.Topic]
		delete(count, t.Topic)
		switch {
		case n > 1:
			add(t.Topic, wire.InvalidRequest, "Duplicate topic name.")
		case n == 1:
			more := controller.MorePartitions{Name: t.Topic, Count: t.Count}
			for _, a := range t.Assignment {
				more.Assignments = append(more.Assignments, a.Replicas)
			}
			cmd.Topics = append(cmd.Topics, more)
		}
	}
	if len(cmd.Topics) == 0 {
		return resp, nil
	}
	results, err := do[[]controller.Result](ctx, h.d.Cluster, req.TimeoutMillis, cmd)
	for i := range cmd.Topics {
		if err != nil {
			add(cmd.Topics[i].Name, wire.CodeOf(err), wire.MessageOf(err))
			continue
		}
		add(cmd.Topics[i].Name, results[i].Code, results[i].Message)
	}
	return resp, nil
}
