package groups

import (
	"bytes"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
)

// JoinGroup (11), versions 0-9. The answer waits for the rebalance.
//
// v1 brings the rebalance timeout (before, the session timeout is both), v4
// MEMBER_ID_REQUIRED (KIP-394), v5 static members (KIP-345), v7 the protocol
// type in the answer (KIP-559), v8 a reason (KIP-800), v9 a leader that need
// not assign (KIP-814).
func (f *Family) joinGroupRow() api.API { return api.Late(0, 9, f.joinGroup) }

func (f *Family) joinGroup(c *api.Conn, req *kmsg.JoinGroupRequest, finish api.Finish) {
	cmd := group.Join{
		Group: req.Group, MemberID: req.MemberID, InstanceID: req.InstanceID,
		ClientID: c.ClientID, ClientHost: hostOf(c),
		SessionMs: req.SessionTimeoutMillis, RebalanceMs: req.RebalanceTimeoutMillis,
		ProtocolType: req.ProtocolType,
		KnownIDs:     req.Version >= 4, SkipAssignment: req.Version >= 9,
	}
	if req.Version == 0 {
		cmd.RebalanceMs = cmd.SessionMs
	}
	if cmd.MemberID == "" {
		cmd.NewID = f.d.NewID()
	}
	for i := range req.Protocols {
		p := &req.Protocols[i]
		cmd.Protocols = append(cmd.Protocols, group.Protocol{Name: p.Name, Metadata: bytes.Clone(p.Metadata)})
	}
	f.ask(req.Group, cmd, func(body any, err error) {
		finish(func() kmsg.Response { return joined(req, said(body, err)) })
	})
}

func joined(req *kmsg.JoinGroupRequest, s api.Said) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
	r, code := reply[group.JoinReply](s)
	if code != 0 {
		resp.ErrorCode, resp.Generation, resp.MemberID = code, -1, req.MemberID
		return resp
	}
	resp.MemberID, resp.ErrorCode, resp.Generation = r.MemberID, int16(r.Code), -1
	if resp.ErrorCode != 0 {
		return resp
	}
	resp.Generation, resp.LeaderID, resp.SkipAssignment = r.Generation, r.Leader, r.SkipAssignment
	resp.ProtocolType, resp.Protocol = r.ProtocolType, r.Protocol
	for i := range r.Members {
		m := kmsg.NewJoinGroupResponseMember()
		m.MemberID, m.InstanceID, m.ProtocolMetadata = r.Members[i].ID, r.Members[i].InstanceID, r.Members[i].Metadata
		resp.Members = append(resp.Members, m)
	}
	return resp
}
