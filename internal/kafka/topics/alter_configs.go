package topics

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// AlterConfigs (33), versions 0 to 2: replaces all of a resource's settings;
// what is not sent goes back to its default. Old clients use it; it is
// deprecated for IncrementalAlterConfigs (KIP-339). v2 is flexible.
func (h *handlers) alterConfigs() api.API {
	return api.Row(0, 2, h.serveAlterConfigs,
		"A resource named twice is refused; Kafka leaves such a request without an answer.",
		"Settings are kept in normal form (\"100\" for \" 100 \"); Kafka keeps the text and shows the normal form.",
		"A broker's setting that Kafka does not know is refused; Kafka keeps it for plug-ins, of which there are none here.")
}

func (h *handlers) serveAlterConfigs(ctx context.Context, _ *api.Conn, req *kmsg.AlterConfigsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterConfigsResponse)
	resources := make([]controller.AlterResource, len(req.Resources))
	for i := range req.Resources {
		q := &req.Resources[i]
		resources[i] = controller.AlterResource{Type: int8(q.ResourceType), Name: q.ResourceName}
		for _, c := range q.Configs {
			resources[i].Entries = append(resources[i].Entries, controller.AlterEntry{Name: c.Name, Value: c.Value})
		}
	}
	for i, err := range h.alterAll(ctx, resources, false, req.ValidateOnly) {
		r := kmsg.NewAlterConfigsResponseResource()
		r.ResourceType, r.ResourceName = req.Resources[i].ResourceType, req.Resources[i].ResourceName
		r.ErrorCode, r.ErrorMessage = int16(wire.CodeOf(err)), text(wire.CodeOf(err), wire.MessageOf(err))
		resp.Resources = append(resp.Resources, r)
	}
	return resp, nil
}
