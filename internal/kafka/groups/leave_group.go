package groups

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// LeaveGroup (13), versions 0-5.
//
// v3 brings many members with a code each, named by member or by instance id
// (KIP-345), v5 a reason (KIP-800). Before v3 the one member's code is that of
// the answer.
func (f *Family) leaveGroupRow() api.API { return api.Late(0, 5, f.leaveGroup) }

func (f *Family) leaveGroup(_ *api.Conn, req *kmsg.LeaveGroupRequest, finish api.Finish) {
	cmd := group.Leave{Group: req.Group}
	if req.Version < 3 {
		cmd.Members = []group.Leaver{{MemberID: req.MemberID}}
	}
	for i := range req.Members {
		cmd.Members = append(cmd.Members, group.Leaver{MemberID: req.Members[i].MemberID, InstanceID: req.Members[i].InstanceID})
	}
	f.ask(req.Group, cmd, func(body any, err error) {
		finish(func() kmsg.Response { return left(req, said(body, err)) })
	})
}

func left(req *kmsg.LeaveGroupRequest, s api.Said) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.LeaveGroupResponse)
	r, code := reply[group.LeaveReply](s)
	if code != 0 && (req.Version < 3 || code != int16(wire.UnknownMemberID)) {
		resp.ErrorCode = code
		return resp
	}
	if req.Version < 3 {
		resp.ErrorCode = int16(r.Codes[0])
		return resp
	}
	for i := range req.Members {
		row := kmsg.NewLeaveGroupResponseMember()
		row.MemberID, row.InstanceID, row.ErrorCode = req.Members[i].MemberID, req.Members[i].InstanceID, code
		if code == 0 {
			row.ErrorCode = int16(r.Codes[i])
		}
		resp.Members = append(resp.Members, row)
	}
	return resp
}
