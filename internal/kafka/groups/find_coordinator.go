package groups

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// FindCoordinator (10), versions 0-6.
//
// v1 brings kinds of coordinators (KIP-98), v4 many keys at once with a code
// each (KIP-699), v6 share groups' state (KIP-932). A client may begin its
// connection with it, without ApiVersions (kafka-go does, at v0).
//
// The offsets topic is made by the first question, and the answer waits for
// it; Kafka answers COORDINATOR_NOT_AVAILABLE meanwhile.
//
// There is no transaction coordinator yet. As InitProducerId does, a question
// for one is answered with the code on which every client stops at once with a
// message that names the transactional id.
func (f *Family) findCoordinatorRow() api.API {
	return api.Row(0, 6, f.findCoordinator,
		"For transactions it answers TRANSACTIONAL_ID_AUTHORIZATION_FAILED: there is no transaction coordinator yet, and this is the code on which clients stop at once with a clear message instead of retrying until a time-out.",
		"The first question for a group makes the offsets topic and is answered when that serves; Kafka answers COORDINATOR_NOT_AVAILABLE meanwhile.",
	)
}

// Kinds of coordinators.
const (
	kindGroup = 0
	kindTxn   = 1
	kindShare = 2
)

// place is where a coordinator is.
type place struct {
	node int32
	host string
	port int32
	err  error
}

func (f *Family) findCoordinator(ctx context.Context, c *api.Conn, req *kmsg.FindCoordinatorRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	if req.Version < 4 {
		p := f.coordinatorOf(ctx, c, req, req.CoordinatorKey)
		resp.NodeID, resp.Host, resp.Port, resp.ErrorCode = p.node, p.host, p.port, codeOf(p.err)
		message := "NONE" // what Kafka says when all is well
		if p.err != nil {
			message = wire.MessageOf(p.err)
		}
		resp.ErrorMessage = &message
		return resp, nil
	}
	for _, key := range req.CoordinatorKeys {
		p := f.coordinatorOf(ctx, c, req, key)
		row := kmsg.NewFindCoordinatorResponseCoordinator()
		row.Key, row.NodeID, row.Host, row.Port, row.ErrorCode = key, p.node, p.host, p.port, codeOf(p.err)
		row.ErrorMessage = kmsg.StringPtr("")
		if words := wordsOf(p.err); words != nil {
			row.ErrorMessage = words
		}
		resp.Coordinators = append(resp.Coordinators, row)
	}
	return resp, nil
}

func (f *Family) coordinatorOf(ctx context.Context, c *api.Conn, req *kmsg.FindCoordinatorRequest, key string) place {
	node, err := f.leaderFor(ctx, req, key)
	if err != nil {
		return place{node: -1, port: -1, err: err}
	}
	host, port := c.Advertised(node)
	if host == "" {
		return place{node: -1, port: -1, err: wire.CoordinatorNotAvailable}
	}
	return place{node: node, host: host, port: port}
}

// leaderFor finds the node that leads the partition of a key.
func (f *Family) leaderFor(ctx context.Context, req *kmsg.FindCoordinatorRequest, key string) (int32, error) {
	switch {
	case req.CoordinatorType == kindTxn:
		return -1, wire.TransactionalIDAuthorizationFailed
	case req.CoordinatorType != kindGroup: // share groups too: there is no coordinator of theirs
		return -1, wire.InvalidRequest
	}
	if f.d.Cluster.Image().TopicByName(offsetsTopic) == nil {
		ctx, cancel := context.WithTimeout(ctx, f.patience)
		defer cancel()
		if err := f.d.Prepare(ctx, offsetsTopic, key); err != nil {
			return -1, wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", offsetsTopic, err)
		}
	}
	p, err := f.d.Groups.PartitionFor(key)
	if err != nil {
		return -1, err
	}
	t := f.d.Cluster.Image().TopicByName(offsetsTopic)
	if t == nil || int(p) >= len(t.Partitions) || t.Partitions[p].Leader < 0 {
		return -1, wire.CoordinatorNotAvailable
	}
	return t.Partitions[p].Leader, nil
}
