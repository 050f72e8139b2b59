package shares

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group/sharegroup"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// ShareGroupDescribe (77), version 1.
func (f *Family) shareGroupDescribeRow() api.API { return api.Late(1, 1, f.shareGroupDescribe) }

// allGroupOperations are the bits of AclOperation that mean something for a
// group (KIP-430); without an authorizer everybody may do them all.
const allGroupOperations = 1<<3 | 1<<6 | 1<<8 | 1<<10 | 1<<11

func (f *Family) shareGroupDescribe(_ *api.Conn, req *kmsg.ShareGroupDescribeRequest, finish api.Finish) {
	api.Gather(len(req.GroupIDs), func(i int, done func(any, error)) {
		f.askGroup(req.GroupIDs[i], sharegroup.Describe{Group: req.GroupIDs[i]}, done)
	}, func(all []api.Said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.ShareGroupDescribeResponse)
			for i, id := range req.GroupIDs {
				row := describedGroup(id, all[i])
				if req.IncludeAuthorizedOperations && row.ErrorCode == 0 {
					row.AuthorizedOperations = allGroupOperations
				}
				resp.Groups = append(resp.Groups, row)
			}
			return resp
		})
	})
}

func describedGroup(id string, s api.Said) kmsg.ShareGroupDescribeResponseGroup {
	out := kmsg.NewShareGroupDescribeResponseGroup()
	out.GroupID, out.AuthorizedOperations = id, math.MinInt32
	d, ok := s.Body.(sharegroup.Described)
	if s.Err == nil && !ok {
		s.Err = wire.Errorf(wire.UnknownServerError, "the group coordinator answered %T", s.Body)
	}
	if s.Err != nil {
		out.ErrorCode, out.ErrorMessage = stateCode(s.Err), messageOf(s.Err)
		return out
	}
	out.GroupState, out.GroupEpoch, out.AssignmentEpoch, out.Assignor = d.State, d.Epoch, d.AssignmentEpoch, d.Assignor
	for i := range d.Members {
		m := &d.Members[i]
		row := kmsg.NewShareGroupDescribeResponseGroupMember()
		row.MemberID, row.RackID, row.MemberEpoch = m.ID, m.RackID, m.Epoch
		row.ClientID, row.ClientHost, row.SubscribedTopicNames = m.ClientID, m.ClientHost, m.Topics
		for _, p := range m.Assigned {
			tp := kmsg.NewShareGroupDescribeResponseGroupMemberAssignmentTopicPartition()
			tp.TopicID, tp.Topic, tp.Partitions = p.ID, p.Topic, p.Partitions
			row.Assignment.TopicPartitions = append(row.Assignment.TopicPartitions, tp)
		}
		out.Members = append(out.Members, row)
	}
	return out
}
