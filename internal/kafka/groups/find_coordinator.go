package groups

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// FindCoordinator (10), versions 0-6.
//
// v1 brings kinds of coordinators (KIP-98), v4 many keys at once with a code
// each (KIP-699), v6 share groups' state (KIP-932). A client may begin its
// connection with it, without ApiVersions (kafka-go does, at v0).
//
// The topic of groups or of transactions is made by the first question, and the
// answer waits for it; Kafka answers COORDINATOR_NOT_AVAILABLE meanwhile.
func (f *Family) findCoordinatorRow() api.API {
	row := api.Row(0, 6, f.findCoordinator,
		"The first question for a group or a transactional id makes the internal topic and is answered when that serves; Kafka answers COORDINATOR_NOT_AVAILABLE meanwhile.",
		"Internal topics that were made while there were fewer nodes than replicas were asked for get the rest when nodes come; Kafka makes none before.",
	)
	row.Directs = true
	return row
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
	topic, partitionFor := offsetsTopic, f.d.Groups.PartitionFor
	switch req.CoordinatorType {
	case kindGroup:
	case kindTxn:
		topic, partitionFor = stateTopic, f.d.Txns.PartitionFor
	case kindShare:
		if _, ok := store.ParseKey(key); !ok || req.Version < 6 {
			return -1, wire.Errorf(wire.InvalidRequest, "a share coordinator is found by group:topicId:partition, not by %q", key)
		}
		topic, partitionFor = shareTopic, f.d.States.PartitionFor
	default:
		return -1, wire.InvalidRequest
	}
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	if err := f.d.Prepare(ctx, topic, key); err != nil {
		return -1, wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", topic, err)
	}
	p, err := partitionFor(key)
	if err != nil {
		return -1, err
	}
	img := f.d.Cluster.Image()
	t := img.TopicByName(topic)
	if t == nil || int(p) >= len(t.Partitions) {
		return -1, wire.CoordinatorNotAvailable
	}
	leader := img.Broker(t.Partitions[p].Leader)
	if leader == nil || leader.Fenced {
		return -1, wire.CoordinatorNotAvailable
	}
	return leader.ID, nil
}
