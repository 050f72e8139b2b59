package groups

import (
	"bytes"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// SyncGroup (14), versions 0-5. The answer waits for the leader's.
//
// v3 brings static members (KIP-345), v5 demands protocol type and name
// (KIP-559).
func (f *Family) syncGroupRow() api.API { return api.Late(0, 5, f.syncGroup) }

func (f *Family) syncGroup(_ *api.Conn, req *kmsg.SyncGroupRequest, finish api.Finish) {
	if req.Version >= 5 && (req.ProtocolType == nil || req.Protocol == nil) {
		finish(func() kmsg.Response { return synced(req, api.Said{Err: wire.InconsistentGroupProtocol}) })
		return
	}
	cmd := group.Sync{
		Group: req.Group, MemberID: req.MemberID, InstanceID: req.InstanceID, Generation: req.Generation,
		ProtocolType: req.ProtocolType, Protocol: req.Protocol,
	}
	for i := range req.GroupAssignment {
		a := &req.GroupAssignment[i]
		cmd.Assignments = append(cmd.Assignments, group.Assignment{MemberID: a.MemberID, Bytes: bytes.Clone(a.MemberAssignment)})
	}
	f.ask(req.Group, cmd, func(body any, err error) {
		finish(func() kmsg.Response { return synced(req, said(body, err)) })
	})
}

func synced(req *kmsg.SyncGroupRequest, s api.Said) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
	r, code := reply[group.SyncReply](s)
	resp.MemberAssignment = []byte{}
	if code != 0 {
		resp.ErrorCode = code
		return resp
	}
	resp.ErrorCode, resp.ProtocolType, resp.Protocol = int16(r.Code), r.ProtocolType, r.Protocol
	if r.Assignment != nil {
		resp.MemberAssignment = r.Assignment
	}
	return resp
}
