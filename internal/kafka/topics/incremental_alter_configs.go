package topics

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// IncrementalAlterConfigs (44), versions 0 and 1 (KIP-339): set, delete, append
// and subtract single settings. A broker with an empty name stands for all
// brokers. v1 is flexible.
func (h *handlers) incrementalAlterConfigs() api.API {
	return api.Row(0, 1, h.serveIncrementalAlterConfigs,
		"A broker's setting that Kafka does not know is refused; Kafka keeps it for plug-ins, of which there are none here.",
		"Settings that would promise what cannot be kept (TLS, SASL, Java classes) are refused, as at start.")
}

func (h *handlers) serveIncrementalAlterConfigs(ctx context.Context, _ *api.Conn, req *kmsg.IncrementalAlterConfigsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	resources := make([]controller.AlterResource, len(req.Resources))
	for i := range req.Resources {
		q := &req.Resources[i]
		resources[i] = controller.AlterResource{Type: int8(q.ResourceType), Name: q.ResourceName}
		for _, c := range q.Configs {
			resources[i].Entries = append(resources[i].Entries, controller.AlterEntry{Name: c.Name, Op: controller.Op(c.Op), Value: c.Value})
		}
	}
	for i, err := range h.alterAll(ctx, resources, true, req.ValidateOnly) {
		r := kmsg.NewIncrementalAlterConfigsResponseResource()
		r.ResourceType, r.ResourceName = req.Resources[i].ResourceType, req.Resources[i].ResourceName
		r.ErrorCode, r.ErrorMessage = int16(wire.CodeOf(err)), text(wire.CodeOf(err), wire.MessageOf(err))
		resp.Resources = append(resp.Resources, r)
	}
	return resp, nil
}
