package groups

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group/consumer"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// ConsumerGroupDescribe (69), versions 0-1 (KIP-848). A group of another type
// is GROUP_ID_NOT_FOUND: clients ask DescribeGroups then.
//
// v1 brings which protocol a member speaks.
func (f *Family) consumerDescribeRow() api.API { return api.Late(0, 1, f.consumerDescribe) }

func (f *Family) consumerDescribe(_ *api.Conn, req *kmsg.ConsumerGroupDescribeRequest, finish api.Finish) {
	api.Gather(len(req.Groups), func(i int, done func(any, error)) {
		if req.Groups[i] == "" {
			done(nil, wire.InvalidGroupID)
			return
		}
		f.ask(req.Groups[i], consumer.Describe{Group: req.Groups[i]}, done)
	}, func(all []api.Said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse)
			for i, id := range req.Groups {
				resp.Groups = append(resp.Groups, describedConsumers(req, id, all[i]))
			}
			return resp
		})
	})
}

func describedConsumers(req *kmsg.ConsumerGroupDescribeRequest, id string, s api.Said) kmsg.ConsumerGroupDescribeResponseGroup {
	out := kmsg.NewConsumerGroupDescribeResponseGroup()
	out.Group, out.AuthorizedOperations = id, math.MinInt32
	r, code := reply[consumer.Described](s)
	if code != 0 {
		out.ErrorCode, out.ErrorMessage = code, wordsOf(s.Err)
		return out
	}
	out.State, out.Epoch, out.AssignmentEpoch, out.AssignorName = r.State, r.Epoch, r.AssignmentEpoch, r.Assignor
	if req.IncludeAuthorizedOperations {
		out.AuthorizedOperations = allGroupOperations
	}
	for i := range r.Members {
		m := &r.Members[i]
		row := kmsg.NewConsumerGroupDescribeResponseGroupMember()
		row.MemberID, row.InstanceID, row.RackID, row.MemberEpoch = m.ID, m.InstanceID, m.RackID, m.Epoch
		row.ClientID, row.ClientHost = m.ClientID, m.ClientHost
		row.SubscribedTopics, row.SubscribedTopicRegex = m.Topics, m.Regex
		row.Assignment, row.TargetAssignment = assignmentOf(m.Assigned), assignmentOf(m.Target)
		row.MemberType = memberType(m.Classic)
		out.Members = append(out.Members, row)
	}
	return out
}

// memberType is how v1 tells the protocol of a member.
func memberType(classic bool) int8 {
	if classic {
		return 0
	}
	return 1
}

func assignmentOf(list []consumer.Assigned) kmsg.Assignment {
	a := kmsg.NewAssignment()
	for i := range list {
		t := kmsg.NewAssignmentTopicPartition()
		t.Topic, t.TopicID, t.Partitions = list[i].Topic, list[i].ID, list[i].Partitions
		a.TopicPartitions = append(a.TopicPartitions, t)
	}
	return a
}
