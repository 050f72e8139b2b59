package groups

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// DescribeGroups (15), versions 0-6.
//
// v3 brings authorized operations (KIP-430), v4 instance ids (KIP-345), v6
// GROUP_ID_NOT_FOUND with a message for a group that is not there (KIP-1043);
// before, it is Dead without an error.
func (f *Family) describeGroupsRow() api.API { return api.Late(0, 6, f.describeGroups) }

// allGroupOperations are the bits of AclOperation that mean something for a
// group (KIP-430); without an authorizer everybody may do them all: READ,
// DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS.
const allGroupOperations = 1<<3 | 1<<6 | 1<<8 | 1<<10 | 1<<11

func (f *Family) describeGroups(_ *api.Conn, req *kmsg.DescribeGroupsRequest, finish api.Finish) {
	api.Gather(len(req.Groups), func(i int, done func(any, error)) {
		f.ask(req.Groups[i], group.Describe{Group: req.Groups[i]}, done)
	}, func(all []api.Said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
			for i, id := range req.Groups {
				resp.Groups = append(resp.Groups, describedGroup(req, id, all[i]))
			}
			return resp
		})
	})
}

func describedGroup(req *kmsg.DescribeGroupsRequest, id string, s api.Said) kmsg.DescribeGroupsResponseGroup {
	out := kmsg.NewDescribeGroupsResponseGroup()
	out.Group, out.AuthorizedOperations = id, math.MinInt32
	r, code := reply[group.Described](s)
	switch {
	case code == int16(wire.GroupIDNotFound):
		out.State = group.Dead.String()
		if req.Version >= 6 {
			out.ErrorCode, out.ErrorMessage = code, wordsOf(s.Err)
			return out
		}
	case code != 0:
		out.ErrorCode = code
		if req.Version >= 6 {
			out.ErrorMessage = wordsOf(s.Err)
		}
		return out
	default:
		out.State, out.ProtocolType, out.Protocol = r.State.String(), r.ProtocolType, r.Protocol
	}
	if req.IncludeAuthorizedOperations {
		out.AuthorizedOperations = allGroupOperations
	}
	for i := range r.Members {
		m := &r.Members[i]
		row := kmsg.NewDescribeGroupsResponseGroupMember()
		row.MemberID, row.InstanceID, row.ClientID, row.ClientHost = m.ID, m.InstanceID, m.ClientID, m.ClientHost
		row.ProtocolMetadata, row.MemberAssignment = orEmpty(m.Metadata), orEmpty(m.Assignment)
		out.Members = append(out.Members, row)
	}
	return out
}

func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
