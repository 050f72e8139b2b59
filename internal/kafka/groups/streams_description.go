package groups

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// StreamsGroupTopologyDescriptionUpdate (93), version 0 (KIP-1331): what a
// topology looks like, for a broker with a plug-in that keeps it. One without
// lists the API and says that it has none, and so do we.
func (f *Family) streamsDescriptionRow() api.API { return api.Row(0, 0, f.streamsDescription) }

func (f *Family) streamsDescription(_ context.Context, _ *api.Conn, req *kmsg.StreamsGroupTopologyDescriptionUpdateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.StreamsGroupTopologyDescriptionUpdateResponse)
	resp.ErrorCode = int16(wire.UnsupportedVersion)
	resp.ErrorMessage = kmsg.StringPtr("The broker has no streams group topology description plugin configured.")
	return resp, nil
}
