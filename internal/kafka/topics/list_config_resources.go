package topics

import (
	"context"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// ListConfigResources (74), versions 0 and 1.
//
//	v0  client-metrics subscriptions only (KIP-1000)
//	v1  the types asked for, none: all (KIP-1142)
//
// Topics and brokers are listed whether they have settings or not, groups and
// subscriptions only when they have.
func (h *handlers) listConfigResources() api.API {
	return api.Row(0, 1, h.serveListConfigResources)
}

// listedTypes in the order of the answer.
var listedTypes = []int8{metadata.ResourceClientMetrics, metadata.ResourceGroup, resourceLogger, metadata.ResourceBroker, metadata.ResourceTopic}

func (h *handlers) serveListConfigResources(_ context.Context, _ *api.Conn, req *kmsg.ListConfigResourcesRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.ListConfigResourcesResponse)
	types := req.ResourceTypes
	switch {
	case req.Version == 0:
		types = []int8{metadata.ResourceClientMetrics}
	case len(types) == 0:
		types = listedTypes
	}
	for _, t := range types {
		if !slices.Contains(listedTypes, t) {
			resp.ErrorCode = int16(wire.UnsupportedVersion)
			return resp, nil
		}
	}
	img := h.d.Cluster.Image()
	for _, t := range listedTypes {
		if !slices.Contains(types, t) {
			continue
		}
		for _, name := range resourceNames(img, t) {
			r := kmsg.NewListConfigResourcesResponseConfigResource()
			r.Name, r.Type = name, t
			resp.ConfigResources = append(resp.ConfigResources, r)
		}
	}
	return resp, nil
}

func resourceNames(img *metadata.Image, resourceType int8) []string {
	var names []string
	switch resourceType {
	case metadata.ResourceTopic:
		for t := range img.Topics() {
			names = append(names, t.Name)
		}
	case metadata.ResourceBroker, resourceLogger:
		for b := range img.Brokers() {
			names = append(names, strconv.Itoa(int(b.ID)))
		}
	default:
		names = img.ConfigResources(resourceType)
	}
	return names
}
