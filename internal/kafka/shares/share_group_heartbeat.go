package shares

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group/sharegroup"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// ShareGroupHeartbeat (76), version 1: a member of a share group joins, stays
// and leaves, and is told its partitions. The client makes its id.
func (f *Family) shareGroupHeartbeatRow() api.API {
	return api.Late(1, 1, f.shareGroupHeartbeat,
		"Unless share.heartbeat.interval.ms or its broker setting is set, members are asked to report every 300 ms in small groups and less often the more members the node has, so that a new assignment is known at once.",
		"Groups are assigned anew at every change; group.share.assignment.interval.ms is not heeded.",
	)
}

func (f *Family) shareGroupHeartbeat(c *api.Conn, req *kmsg.ShareGroupHeartbeatRequest, finish api.Finish) {
	cmd := sharegroup.Heartbeat{
		Group: req.GroupID, MemberID: req.MemberID, Epoch: req.MemberEpoch, RackID: req.RackID,
		Topics: slices.Clone(req.SubscribedTopicNames), SaidTopics: req.SubscribedTopicNames != nil,
		ClientID: c.ClientID, ClientHost: hostOf(c),
	}
	f.askGroup(req.GroupID, cmd, func(body any, err error) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.ShareGroupHeartbeatResponse)
			beat, ok := body.(sharegroup.Beat)
			if err == nil && !ok {
				err = wire.Errorf(wire.UnknownServerError, "the group coordinator answered %T", body)
			}
			if err != nil {
				resp.ErrorCode, resp.ErrorMessage = stateCode(err), ownMessage(err)
				return resp
			}
			resp.MemberID, resp.MemberEpoch = &beat.MemberID, beat.Epoch
			resp.HeartbeatIntervalMillis = int32(beat.Interval.Milliseconds())
			if beat.Assigned {
				resp.Assignment = assignment(beat)
			}
			return resp
		})
	})
}

func assignment(beat sharegroup.Beat) *kmsg.ShareGroupHeartbeatResponseAssignment {
	a := kmsg.NewShareGroupHeartbeatResponseAssignment()
	a.TopicPartitions = []kmsg.ShareGroupHeartbeatResponseAssignmentTopicPartition{}
	for _, p := range beat.Assignment {
		row := kmsg.NewShareGroupHeartbeatResponseAssignmentTopicPartition()
		row.TopicID, row.Partitions = p.Topic, p.Partitions
		a.TopicPartitions = append(a.TopicPartitions, row)
	}
	return &a
}

// askGroup gives a command to a group's machine and does not wait.
func (f *Family) askGroup(group string, cmd any, done func(any, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), f.patience)
	f.d.Groups.Go(ctx, group, cmd, func(body any, err error) {
		cancel()
		done(body, err)
	})
}
