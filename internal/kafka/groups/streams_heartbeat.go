package groups

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group/schema"
	"ottla/internal/group/streams"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// StreamsGroupHeartbeat (88), versions 0-1 (KIP-1071): an instance of an
// application joins with its topology (epoch 0), reports, and leaves (-1, a
// static one for a while with -2).
//
// v1 brings whether a description of the topology is wanted, which it never is
// without a plug-in, and the status of missing client tags.
func (f *Family) streamsHeartbeatRow() api.API {
	return api.Late(0, 1, f.streamsHeartbeat, fasterStreams, noWarmups)
}

// What we do otherwise, for the page of differences.
const (
	fasterStreams = "Unless group.streams.heartbeat.interval.ms (or the group's streams.heartbeat.interval.ms) is set, members are told to report every 300 ms, and less often the more members the node has; unless group.streams.assignment.interval.ms (or the group's) is set, a group is assigned at every change."
	noWarmups     = "The group settings of warm-up tasks (streams.num.warmup.replicas, streams.acceptable.recovery.lag, streams.task.offset.interval.ms) are unknown and refused. Kafka 4.4 takes them, and lets no task warm up whatever they say."
)

// What members are told of warm-ups, as Kafka's defaults have it.
const (
	taskOffsetIntervalMs  = 60_000
	acceptableRecoveryLag = 10_000
)

func (f *Family) streamsHeartbeat(c *api.Conn, req *kmsg.StreamsGroupHeartbeatRequest, finish api.Finish) {
	if !f.speaks("streams", metadata.StreamsVersion) {
		finish(func() kmsg.Response { return streamsBeat(req, api.Said{Err: wire.UnsupportedVersion}) })
		return
	}
	cmd := streamsCommand(req)
	cmd.ClientID, cmd.ClientHost = c.ClientID, hostOf(c)
	f.ask(req.Group, cmd, func(body any, err error) {
		finish(func() kmsg.Response { return streamsBeat(req, said(body, err)) })
	})
}

// speaks tells whether the cluster has a protocol of groups: its feature is
// finalised and the node does not leave it out.
func (f *Family) speaks(protocol, feature string) bool {
	if f.d.Cluster.Image().FeatureLevel(feature) < 1 {
		return false
	}
	for name := range strings.SplitSeq(f.d.View.String(nil, "group.coordinator.rebalance.protocols"), ",") {
		if strings.TrimSpace(name) == protocol {
			return true
		}
	}
	return false
}

func streamsCommand(req *kmsg.StreamsGroupHeartbeatRequest) streams.Heartbeat {
	cmd := streams.Heartbeat{
		Group: req.Group, MemberID: req.MemberID, Epoch: req.MemberEpoch, EndpointEpoch: req.EndpointInformationEpoch,
		InstanceID: req.InstanceID, RackID: req.RackID, RebalanceMs: req.RebalanceTimeoutMillis, ProcessID: req.ProcessID,
		Owned: schema.StreamsAssignment{
			Active: tasksFrom(req.ActiveTasks), Standby: tasksFrom(req.StandbyTasks), Warmup: tasksFrom(req.WarmupTasks),
		},
		SaidActive: req.ActiveTasks != nil, SaidStandby: req.StandbyTasks != nil, SaidWarmup: req.WarmupTasks != nil,
		SaidTags: req.ClientTags != nil, Offsets: offsetsFrom(req.TaskOffsets), SaidOffsets: req.TaskOffsets != nil,
		Ends: offsetsFrom(req.TaskEndOffsets), SaidEnds: req.TaskEndOffsets != nil,
		Shutdown: req.ShutdownApplication, Version: req.Version,
	}
	if req.UserEndpoint != nil {
		cmd.Endpoint = &schema.StreamsEndpoint{Host: req.UserEndpoint.Host, Port: req.UserEndpoint.Port}
	}
	for _, t := range req.ClientTags {
		cmd.Tags = append(cmd.Tags, schema.StreamsPair{Key: t.Key, Value: t.Value})
	}
	if req.Topology != nil {
		cmd.Topology = &schema.StreamsTopologyValue{Epoch: req.Topology.Epoch}
		for i := range req.Topology.Subtopologies {
			cmd.Topology.Subtopologies = append(cmd.Topology.Subtopologies, subtopologyFrom(&req.Topology.Subtopologies[i]))
		}
	}
	return cmd
}

func subtopologyFrom(s *kmsg.StreamsGroupHeartbeatRequestTopologySubtopology) schema.Subtopology {
	out := schema.Subtopology{
		ID: s.SubtopologyID, Sources: slices.Clone(s.SourceTopics), SourceRegex: slices.Clone(s.SourceTopicRegex),
		Changelogs: topicsFrom(s.StateChangelogTopics), Sinks: slices.Clone(s.RepartitionSinkTopics), Repartitions: topicsFrom(s.RepartitionSourceTopics),
	}
	for _, c := range s.CopartitionGroups {
		out.Copartitions = append(out.Copartitions, schema.Copartition{
			Sources: slices.Clone(c.SourceTopics), SourceRegex: slices.Clone(c.SourceTopicRegex), Repartitions: slices.Clone(c.RepartitionSourceTopics),
		})
	}
	return out
}

func topicsFrom(list []kmsg.TopicInfo) []schema.StreamsTopic {
	var out []schema.StreamsTopic
	for _, t := range list {
		row := schema.StreamsTopic{Name: t.Topic, Partitions: t.NumPartitions, Replicas: t.ReplicationFactor}
		for _, c := range t.Configs {
			row.Configs = append(row.Configs, schema.StreamsPair{Key: c.Key, Value: c.Value})
		}
		out = append(out, row)
	}
	return out
}

func tasksFrom(list []kmsg.TaskIDs) []schema.StreamsTasks {
	var out []schema.StreamsTasks
	for _, t := range list {
		out = append(out, schema.StreamsTasks{Subtopology: t.SubtopologyID, Partitions: slices.Clone(t.Partitions)})
	}
	return out
}

func offsetsFrom(list []kmsg.TaskOffset) []streams.TaskOffset {
	var out []streams.TaskOffset
	for _, o := range list {
		out = append(out, streams.TaskOffset{Subtopology: o.SubtopologyID, Partition: o.Partition, Offset: o.Offset})
	}
	return out
}

// streamsBeat is the answer to a heartbeat.
func streamsBeat(req *kmsg.StreamsGroupHeartbeatRequest, s api.Said) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.StreamsGroupHeartbeatResponse)
	r, code := reply[streams.Beat](s)
	if code != 0 {
		resp.ErrorCode, resp.ErrorMessage = code, wordsOf(s.Err)
		return resp
	}
	resp.MemberID, resp.MemberEpoch, resp.EndpointInformationEpoch = r.MemberID, r.Epoch, r.EndpointEpoch
	if req.MemberEpoch < 0 {
		return resp // of a member that left
	}
	resp.HeartbeatIntervalMillis = int32(r.Interval.Milliseconds())
	resp.TaskOffsetIntervalMillis, resp.AcceptableRecoveryLag, resp.AcceptableRecoveryLagLegacy = taskOffsetIntervalMs, acceptableRecoveryLag, acceptableRecoveryLag
	resp.Status = []kmsg.StreamsGroupHeartbeatResponseStatus{}
	for _, st := range r.Status {
		row := kmsg.NewStreamsGroupHeartbeatResponseStatus()
		row.StatusCode, row.StatusDetail = int8(st.Code), st.Detail
		resp.Status = append(resp.Status, row)
	}
	if r.Assigned {
		resp.ActiveTasks, resp.StandbyTasks, resp.WarmupTasks = tasksTo(r.Tasks.Active), tasksTo(r.Tasks.Standby), tasksTo(r.Tasks.Warmup)
	}
	if !r.SaidEndpoints {
		return resp
	}
	resp.PartitionsByUserEndpoint = []kmsg.StreamsGroupHeartbeatResponsePartitionsByUserEndpoint{}
	for _, e := range r.Endpoints {
		row := kmsg.NewStreamsGroupHeartbeatResponsePartitionsByUserEndpoint()
		row.UserEndpoint.Host, row.UserEndpoint.Port = e.At.Host, e.At.Port
		for _, p := range e.Active {
			row.ActivePartitions = append(row.ActivePartitions, kmsg.StreamsGroupHeartbeatResponsePartitionsByUserEndpointActivePartition{Topic: p.Topic, Partitions: p.Partitions})
		}
		for _, p := range e.Standby {
			row.StandbyPartitions = append(row.StandbyPartitions, kmsg.StreamsGroupHeartbeatResponsePartitionsByUserEndpointStandbyPartition{Topic: p.Topic, Partitions: p.Partitions})
		}
		resp.PartitionsByUserEndpoint = append(resp.PartitionsByUserEndpoint, row)
	}
	return resp
}

// tasksTo never gives nil, which would mean that nothing has changed.
func tasksTo(list []schema.StreamsTasks) []kmsg.TaskIDs {
	out := []kmsg.TaskIDs{}
	for _, t := range list {
		out = append(out, kmsg.TaskIDs{SubtopologyID: t.Subtopology, Partitions: t.Partitions})
	}
	return out
}
