package cluster

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Metadata (3), versions 0 to 13.
//
//	v0   no topics means all; from v1 on null means all and empty means none
//	v2   cluster id
//	v4   the client says whether topics may be created; before, they may
//	v5   offline replicas
//	v7   leader epochs (KIP-320)
//	v8   authorized operations (KIP-430); those of the cluster until v10 only
//	v10  topic ids in the answer, v12 in the request (KIP-516); the fields that
//	     versions 10 and 11 have for them there are refused, and null names too
//	v13  an error for the whole (KIP-1102)
//
// A request that names an id is answered for its ids alone, as in Kafka.
//
// A client that lost its connection asks at once, and would believe for seconds
// that the node which has ended leads; so the answer waits a moment until another
// does.
func (h *handlers) metadata() api.API {
	row := api.Row(0, 13, h.serveMetadata,
		"Internal topics are made by their coordinators when first needed, not by Metadata.",
		"Topics are listed in order of name.",
		"A node that others may have gone on without, for all that it hears, answers LEADER_NOT_AVAILABLE for a topic that it does not know.",
		"On a node that has heard nothing of the controller for three seconds a connection that asks a second time is reset, so that the client asks another node; so with FindCoordinator, DescribeCluster and DescribeTopicPartitions.")
	row.Directs = true
	return row
}

func (h *handlers) serveMetadata(ctx context.Context, c *api.Conn, req *kmsg.MetadataRequest) (kmsg.Response, error) {
	if h.d.Settled != nil {
		h.d.Settled(ctx)
	}
	a := metadataAnswer{
		h: h, req: req, resp: req.ResponseKind().(*kmsg.MetadataResponse),
		img: h.d.Cluster.Image(), refused: map[string]wire.Code{},
	}
	names := a.names()
	if a.asksTooEarly() {
		return a.refuse(wire.InvalidRequest), nil
	}
	if create := a.toCreate(names); len(create) > 0 {
		if err := h.autoCreate(ctx, create, a.refused); err != nil {
			return nil, err
		}
		a.img = h.d.Cluster.Image()
	}
	a.brokers(c)
	a.topics(names)
	if req.IncludeClusterAuthorizedOperations && req.Version >= 8 && req.Version <= 10 {
		a.resp.AuthorizedOperations = api.AllClusterOperations
	}
	return a.resp, nil
}

// metadataAnswer is one answer being made from one image.
type metadataAnswer struct {
	h    *handlers
	req  *kmsg.MetadataRequest
	resp *kmsg.MetadataResponse
	img  *metadata.Image
	// refused holds what became of topics that could not be created.
	refused map[string]wire.Code
}

// asksTooEarly tells whether the request has an id, or no name, in a version
// whose requests have the fields but not yet the meaning (KIP-516).
func (a *metadataAnswer) asksTooEarly() bool {
	if a.req.Version < 10 || a.req.Version > 11 {
		return false
	}
	for i := range a.req.Topics {
		if t := &a.req.Topics[i]; t.Topic == nil || !uuid.UUID(t.TopicID).IsZero() {
			return true
		}
	}
	return false
}

// refuse answers every topic with the same code and tells nothing else.
func (a *metadataAnswer) refuse(code wire.Code) *kmsg.MetadataResponse {
	a.resp.ControllerID = -1
	for i := range a.req.Topics {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic, t.TopicID, t.ErrorCode = kmsg.StringPtr(""), a.req.Topics[i].TopicID, int16(code)
		if name := a.req.Topics[i].Topic; name != nil {
			t.Topic = name
		}
		a.resp.Topics = append(a.resp.Topics, t)
	}
	return a.resp
}

// all tells whether the request is for every topic.
func (a *metadataAnswer) all() bool {
	if a.req.Version == 0 {
		return len(a.req.Topics) == 0
	}
	return a.req.Topics == nil
}

// byID tells whether the request names any topic by id.
func (a *metadataAnswer) byID() bool {
	for i := range a.req.Topics {
		if !uuid.UUID(a.req.Topics[i].TopicID).IsZero() {
			return true
		}
	}
	return false
}

// names are the topics asked for by name, each once, in order.
func (a *metadataAnswer) names() []string {
	if a.byID() {
		return nil
	}
	seen := make(map[string]bool, len(a.req.Topics))
	var out []string
	for i := range a.req.Topics {
		name := ""
		if p := a.req.Topics[i].Topic; p != nil {
			name = *p
		}
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

func (a *metadataAnswer) brokers(c *api.Conn) {
	for b := range a.img.Brokers() {
		if b.Fenced {
			continue
		}
		r := kmsg.NewMetadataResponseBroker()
		r.NodeID, r.Rack = b.ID, rackOf(b)
		r.Host, r.Port = address(c, b)
		a.resp.Brokers = append(a.resp.Brokers, r)
	}
	a.resp.ControllerID = a.h.controllerID(a.img)
	a.resp.ClusterID = &a.h.d.ClusterID
}
