package groups

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group/schema"
	"ottla/internal/group/streams"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// StreamsGroupDescribe (89), versions 0-1 (KIP-1071). A group of another type
// is GROUP_ID_NOT_FOUND: clients ask DescribeGroups then.
//
// v1 brings the description of the topology, of which none is stored without a
// plug-in, and the assignor's name.
func (f *Family) streamsDescribeRow() api.API { return api.Late(0, 1, f.streamsDescribe) }

func (f *Family) streamsDescribe(_ *api.Conn, req *kmsg.StreamsGroupDescribeRequest, finish api.Finish) {
	speaks := f.speaks("streams", metadata.StreamsVersion)
	api.Gather(len(req.Groups), func(i int, done func(any, error)) {
		switch {
		case !speaks:
			done(nil, wire.UnsupportedVersion)
		case req.Groups[i] == "":
			done(nil, wire.InvalidGroupID)
		default:
			f.ask(req.Groups[i], streams.Describe{Group: req.Groups[i]}, done)
		}
	}, func(all []api.Said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.StreamsGroupDescribeResponse)
			for i, id := range req.Groups {
				resp.Groups = append(resp.Groups, describedStreams(req, id, all[i]))
			}
			return resp
		})
	})
}

// notStored is the status of a description that is asked for and not there.
const notStored int8 = 1

// streamsAssignor is the one that there is.
const streamsAssignor = "sticky"

func describedStreams(req *kmsg.StreamsGroupDescribeRequest, id string, s api.Said) kmsg.StreamsGroupDescribeResponseGroup {
	out := kmsg.NewStreamsGroupDescribeResponseGroup()
	out.Group, out.AuthorizedOperations = id, math.MinInt32
	r, code := reply[streams.Described](s)
	if code != 0 {
		out.ErrorCode, out.ErrorMessage = code, wordsOf(s.Err)
		return out
	}
	out.State, out.Epoch, out.AssignmentEpoch = r.State, r.Epoch, r.AssignmentEpoch
	if req.IncludeAuthorizedOperations {
		out.AuthorizedOperations = allGroupOperations
	}
	if req.IncludeTopologyDescription {
		out.TopologyDescriptionStatus = notStored
	}
	out.AssignorName = kmsg.StringPtr(streamsAssignor)
	if r.Topology != nil {
		out.Topology = topologyTo(r.Topology)
	}
	for i := range r.Members {
		out.Members = append(out.Members, streamsMember(&r.Members[i]))
	}
	return out
}

func topologyTo(t *schema.StreamsTopologyValue) *kmsg.StreamsGroupDescribeResponseGroupTopology {
	out := kmsg.NewStreamsGroupDescribeResponseGroupTopology()
	out.Epoch = t.Epoch
	for i := range t.Subtopologies {
		s := &t.Subtopologies[i]
		row := kmsg.NewStreamsGroupDescribeResponseGroupTopologySubtopology()
		row.SubtopologyID, row.SourceTopics, row.RepartitionSinkTopics = s.ID, s.Sources, s.Sinks
		row.StateChangelogTopics, row.RepartitionSourceTopics = topicsTo(s.Changelogs), topicsTo(s.Repartitions)
		out.Subtopologies = append(out.Subtopologies, row)
	}
	return &out
}

func topicsTo(list []schema.StreamsTopic) []kmsg.TopicInfo {
	var out []kmsg.TopicInfo
	for i := range list {
		row := kmsg.NewTopicInfo()
		row.Topic, row.NumPartitions, row.ReplicationFactor = list[i].Name, list[i].Partitions, list[i].Replicas
		for _, c := range list[i].Configs {
			row.Configs = append(row.Configs, kmsg.TopicInfoConfig{Key: c.Key, Value: c.Value})
		}
		out = append(out, row)
	}
	return out
}

func streamsMember(m *streams.DescribedMember) kmsg.StreamsGroupDescribeResponseGroupMember {
	row := kmsg.NewStreamsGroupDescribeResponseGroupMember()
	row.MemberID, row.MemberEpoch, row.InstanceID, row.RackID = m.ID, m.Epoch, m.Said.InstanceID, m.Said.RackID
	row.ClientID, row.ClientHost = m.Said.ClientID, m.Said.ClientHost
	row.TopologyEpoch, row.ProcessID = m.Said.TopologyEpoch, m.Said.ProcessID
	if e := m.Said.Endpoint; e != nil {
		row.UserEndpoint = &kmsg.StreamsGroupDescribeResponseGroupMemberUserEndpoint{Host: e.Host, Port: e.Port}
	}
	for _, t := range m.Said.Tags {
		row.ClientTags = append(row.ClientTags, kmsg.StreamsGroupDescribeResponseGroupMemberClientTag{Key: t.Key, Value: t.Value})
	}
	row.TaskOffsets, row.TaskEndOffsets = offsetsTo(m.Offsets), offsetsTo(m.Ends)
	row.Assignment, row.TargetAssignment = rolesTo(m.Assigned), rolesTo(m.Target)
	return row
}

func offsetsTo(list []streams.TaskOffset) []kmsg.TaskOffset {
	var out []kmsg.TaskOffset
	for _, o := range list {
		out = append(out, kmsg.TaskOffset{SubtopologyID: o.Subtopology, Partition: o.Partition, Offset: o.Offset})
	}
	return out
}

func rolesTo(v schema.StreamsAssignment) kmsg.StreamsAssignment {
	return kmsg.StreamsAssignment{ActiveTasks: tasksTo(v.Active), StandbyTasks: tasksTo(v.Standby), WarmupTasks: tasksTo(v.Warmup)}
}
