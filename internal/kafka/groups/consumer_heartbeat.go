package groups

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group/consumer"
	"ottla/internal/group/schema"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// ConsumerGroupHeartbeat (68), versions 0-1 (KIP-848): a member joins (epoch
// 0), reports, and leaves (-1, a static member for a while with -2).
//
// v1 brings regular expressions and ids that clients make.
func (f *Family) consumerHeartbeatRow() api.API {
	return api.Late(0, 1, f.consumerHeartbeat, fasterHeartbeats, fasterAssignments)
}

// What we do otherwise, for the page of differences.
const (
	fasterHeartbeats  = "Unless group.consumer.heartbeat.interval.ms (or the group's consumer.heartbeat.interval.ms) is set, members are told to report every 300 ms, and less often the more members the node has (at most 500 reports a second), up to Kafka's 5 s. Groups settle that much sooner."
	fasterAssignments = "Unless group.consumer.assignment.interval.ms (or the group's consumer.assignment.interval.ms) is set, a group of up to 100 members is assigned at once at every change, so that the answer to the first heartbeat has partitions already, at epoch 1; larger groups at most every 0.1 ms a member, up to Kafka's second."
)

func (f *Family) consumerHeartbeat(c *api.Conn, req *kmsg.ConsumerGroupHeartbeatRequest, finish api.Finish) {
	cmd := consumer.Heartbeat{
		Group: req.Group, MemberID: req.MemberID, Epoch: req.MemberEpoch, Version: req.Version,
		InstanceID: req.InstanceID, RackID: req.RackID, ClientID: c.ClientID, ClientHost: hostOf(c),
		RebalanceMs: req.RebalanceTimeoutMillis, Assignor: req.ServerAssignor, Regex: req.SubscribedTopicRegex,
		Topics: slices.Clone(req.SubscribedTopicNames), SaidTopics: req.SubscribedTopicNames != nil,
		SaidOwned: req.Topics != nil,
	}
	if !f.speaksConsumer() {
		finish(func() kmsg.Response { return beat(req, api.Said{Err: wire.UnsupportedVersion}) })
		return
	}
	if cmd.MemberID == "" {
		cmd.NewID = f.d.NewID().String()
	}
	for i := range req.Topics {
		cmd.Owned = append(cmd.Owned, schema.TopicPartitions{
			Topic: uuid.UUID(req.Topics[i].TopicID), Partitions: slices.Clone(req.Topics[i].Partitions),
		})
	}
	f.ask(req.Group, cmd, func(body any, err error) {
		finish(func() kmsg.Response { return beat(req, said(body, err)) })
	})
}

// speaksConsumer tells whether the cluster has the consumer protocol: its
// feature is finalised and the node does not leave it out.
func (f *Family) speaksConsumer() bool {
	if f.d.Cluster.Image().FeatureLevel(metadata.GroupVersion) < 1 {
		return false
	}
	for name := range strings.SplitSeq(f.d.View.String(nil, "group.coordinator.rebalance.protocols"), ",") {
		if strings.TrimSpace(name) == "consumer" {
			return true
		}
	}
	return false
}

// beat is the answer to a heartbeat. While the coordinator loads it is an
// error: a member may not go on with what it has for ever.
func beat(req *kmsg.ConsumerGroupHeartbeatRequest, s api.Said) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
	r, code := reply[consumer.Beat](s)
	if code != 0 {
		resp.ErrorCode, resp.ErrorMessage = code, wordsOf(s.Err)
		return resp
	}
	resp.MemberID, resp.MemberEpoch = &r.MemberID, r.Epoch
	resp.HeartbeatIntervalMillis = int32(r.Interval.Milliseconds())
	if !r.Assigned {
		return resp
	}
	resp.Assignment = &kmsg.ConsumerGroupHeartbeatResponseAssignment{Topics: []kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic{}}
	for i := range r.Assignment {
		row := kmsg.NewConsumerGroupHeartbeatResponseAssignmentTopic()
		row.TopicID, row.Partitions = r.Assignment[i].Topic, r.Assignment[i].Partitions
		resp.Assignment.Topics = append(resp.Assignment.Topics, row)
	}
	return resp
}
