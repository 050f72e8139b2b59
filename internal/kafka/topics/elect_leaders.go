package topics

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// ElectLeaders (43), versions 0 to 2.
//
//	v0  preferred leaders only (KIP-183)
//	v1  the type of election: 0 preferred, 1 unclean (KIP-460)
//	v2  flexible
//
// No topics means all partitions; those that need no election are left out
// then, and answered with ELECTION_NOT_NEEDED where they were named.
func (h *handlers) electLeaders() api.API {
	return api.Row(0, 2, h.serveElectLeaders)
}

func (h *handlers) serveElectLeaders(ctx context.Context, _ *api.Conn, req *kmsg.ElectLeadersRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ElectLeadersResponse)
	kind := req.ElectionType
	if req.Version < 1 {
		kind = 0
	}
	cmd := controller.ElectLeaders{Unclean: kind == 1}
	if req.Topics != nil {
		cmd.Partitions = []controller.TopicPartition{}
	}
	for i := range req.Topics {
		for _, p := range req.Topics[i].Partitions {
			cmd.Partitions = append(cmd.Partitions, controller.TopicPartition{Topic: req.Topics[i].Topic, Index: p})
		}
	}
	if kind != 0 && kind != 1 {
		refuseElection(resp, cmd.Partitions, wire.Errorf(wire.InvalidRequest, "Unknown election type %d", kind))
		return resp, nil
	}
	results, err := do[[]controller.ElectResult](ctx, h.d.Cluster, req.TimeoutMillis, cmd)
	if err != nil {
		refuseElection(resp, cmd.Partitions, err)
		return resp, nil
	}
	for i := range results {
		addElection(resp, results[i].TopicPartition, results[i].Code, results[i].Message)
	}
	return resp, nil
}

// refuseElection gives one reason for all.
func refuseElection(resp *kmsg.ElectLeadersResponse, partitions []controller.TopicPartition, err error) {
	resp.ErrorCode = int16(wire.CodeOf(err))
	for _, tp := range partitions {
		addElection(resp, tp, wire.CodeOf(err), wire.MessageOf(err))
	}
}

// addElection adds one partition's row, beside its topic's others when they
// came just before.
func addElection(resp *kmsg.ElectLeadersResponse, tp controller.TopicPartition, code wire.Code, message string) {
	n := len(resp.Topics)
	if n == 0 || resp.Topics[n-1].Topic != tp.Topic {
		t := kmsg.NewElectLeadersResponseTopic()
		t.Topic = tp.Topic
		resp.Topics = append(resp.Topics, t)
		n++
	}
	p := kmsg.NewElectLeadersResponseTopicPartition()
	p.Partition, p.ErrorCode, p.ErrorMessage = tp.Index, int16(code), anyText(code, message)
	resp.Topics[n-1].Partitions = append(resp.Topics[n-1].Partitions, p)
}
