package groups

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// Heartbeat (12), versions 0-4; v3 brings static members (KIP-345).
//
// While the coordinator loads, all is well: it would only make members join
// again that have nothing to fear.
func (f *Family) heartbeatRow() api.API { return api.Late(0, 4, f.heartbeat) }

func (f *Family) heartbeat(_ *api.Conn, req *kmsg.HeartbeatRequest, finish api.Finish) {
	cmd := group.Heartbeat{Group: req.Group, MemberID: req.MemberID, InstanceID: req.InstanceID, Generation: req.Generation}
	f.ask(req.Group, cmd, func(_ any, err error) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
			if resp.ErrorCode = codeOf(err); resp.ErrorCode == int16(wire.CoordinatorLoadInProgress) {
				resp.ErrorCode = 0
			}
			return resp
		})
	})
}
