package cluster

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// DescribeCluster (60), versions 0 to 2.
//
//	v1  the kind of endpoint asked for: 1 brokers, 2 controllers (KIP-919)
//	v2  fenced brokers on demand (KIP-1073)
func (h *handlers) describeCluster() api.API {
	row := api.Row(0, 2, h.serveDescribeCluster)
	row.Directs = true
	return row
}

// The kinds of endpoints.
const brokerEndpoints, controllerEndpoints = 1, 2

func (h *handlers) serveDescribeCluster(_ context.Context, c *api.Conn, req *kmsg.DescribeClusterRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	resp.EndpointType, resp.ControllerID, resp.ClusterAuthorizedOperations = brokerEndpoints, -1, api.OperationsUnset
	if req.Version >= 1 && req.EndpointType != brokerEndpoints {
		err := wire.Errorf(wire.UnsupportedEndpointType, "Unsupported endpoint type %d", req.EndpointType)
		if req.EndpointType == controllerEndpoints {
			err = wire.Errorf(wire.MismatchedEndpointType, "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER")
		}
		resp.ErrorCode, resp.ErrorMessage = int16(wire.CodeOf(err)), kmsg.StringPtr(wire.MessageOf(err))
		return resp, nil
	}
	img := h.d.Cluster.Image()
	resp.ClusterID, resp.ControllerID = h.d.ClusterID, h.controllerID(img)
	if req.IncludeClusterAuthorizedOperations {
		resp.ClusterAuthorizedOperations = api.AllClusterOperations
	}
	for b := range img.Brokers() {
		if b.Fenced && !(req.Version >= 2 && req.IncludeFencedBrokers) {
			continue
		}
		r := kmsg.NewDescribeClusterResponseBroker()
		r.NodeID, r.Rack, r.IsFenced = b.ID, rackOf(b), b.Fenced
		r.Host, r.Port = address(c, b)
		resp.Brokers = append(resp.Brokers, r)
	}
	return resp, nil
}
