package topics

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// DeleteTopics (20), versions 1 to 6.
//
//	v3  TOPIC_DELETION_DISABLED instead of INVALID_REQUEST where
//	    delete.topic.enable is off (KIP-322)
//	v5  error messages
//	v6  topics by name or by id (KIP-516)
func (h *handlers) deleteTopics() api.API {
	return api.Row(1, 6, h.serveDeleteTopics)
}

func (h *handlers) serveDeleteTopics(ctx context.Context, _ *api.Conn, req *kmsg.DeleteTopicsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteTopicsResponse)
	asked := topicRefs(req)
	if len(asked) == 0 {
		return resp, nil
	}
	if !h.d.View.Bool(h.d.Cluster.Image(), "delete.topic.enable") {
		var err error = wire.TopicDeletionDisabled
		if req.Version < 3 {
			err = wire.Errorf(wire.InvalidRequest, "Topic deletion is disabled.")
		}
		for _, ref := range asked {
			resp.Topics = append(resp.Topics, deletedTopic(ref, err))
		}
		return resp, nil
	}
	cmd := controller.DeleteTopics{Topics: refuseTwins(resp, asked)}
	if len(cmd.Topics) == 0 {
		return resp, nil
	}
	gone, err := do[[]controller.DeletedTopic](ctx, h.d.Cluster, req.TimeoutMillis, cmd)
	if err != nil {
		for _, ref := range cmd.Topics {
			resp.Topics = append(resp.Topics, deletedTopic(ref, err))
		}
		return resp, nil
	}
	for i := range gone {
		t := deletedTopic(controller.TopicRef{Name: gone[i].Name, ID: gone[i].ID}, nil)
		t.ErrorCode, t.ErrorMessage = int16(gone[i].Code), anyText(gone[i].Code, gone[i].Message)
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

// refuseTwins answers topics that are named more than once, once each, and
// gives the others.
func refuseTwins(resp *kmsg.DeleteTopicsResponse, asked []controller.TopicRef) []controller.TopicRef {
	count := map[controller.TopicRef]int{}
	for _, ref := range asked {
		count[ref]++
	}
	var out []controller.TopicRef
	for _, ref := range asked {
		n := count[ref]
		delete(count, ref)
		switch {
		case n == 0: // its first mention was answered
		case n > 1 && ref.Name != "" && ref.ID.IsZero():
			resp.Topics = append(resp.Topics, deletedTopic(ref, wire.Errorf(wire.InvalidRequest, "Duplicate topic name.")))
		case n > 1 && ref.Name == "" && !ref.ID.IsZero():
			resp.Topics = append(resp.Topics, deletedTopic(ref, wire.Errorf(wire.InvalidRequest, "Duplicate topic id.")))
		default:
			out = append(out, ref)
		}
	}
	return out
}

// topicRefs reads both forms of the request.
func topicRefs(req *kmsg.DeleteTopicsRequest) []controller.TopicRef {
	var out []controller.TopicRef
	if req.Version < 6 {
		for _, name := range req.TopicNames {
			out = append(out, controller.TopicRef{Name: name})
		}
		return out
	}
	for i := range req.Topics {
		ref := controller.TopicRef{ID: req.Topics[i].TopicID}
		if req.Topics[i].Topic != nil {
			ref.Name = *req.Topics[i].Topic
		}
		out = append(out, ref)
	}
	return out
}

func deletedTopic(ref controller.TopicRef, err error) kmsg.DeleteTopicsResponseTopic {
	t := kmsg.NewDeleteTopicsResponseTopic()
	t.TopicID = ref.ID
	if ref.Name != "" {
		t.Topic = kmsg.StringPtr(ref.Name)
	}
	t.ErrorCode, t.ErrorMessage = int16(wire.CodeOf(err)), text(wire.CodeOf(err), wire.MessageOf(err))
	return t
}
