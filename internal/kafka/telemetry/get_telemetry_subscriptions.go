package telemetry

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// GetTelemetrySubscriptions (71), version 0 (KIP-714).
//
// A client without an id is given one. It may ask once an interval; sooner it is
// told THROTTLING_QUOTA_EXCEEDED, unless its last push was refused for reasons
// that send it here.
func (f *Family) subscriptionsRow() api.API {
	return api.Row(0, 0, f.subscriptions,
		"It is always listed; Kafka lists it only while a metrics reporter with a receiver is configured. Without a subscription (`client-metrics` settings) clients are told to push nothing.",
		"The expressions of `match` are read by RE2, which has no look-around and no back-references; a subscription that it cannot read matches nobody, and the log says so.")
}

// acceptedCodecs in the order of preference that Kafka names.
var acceptedCodecs = []int8{int8(record.Zstd), int8(record.LZ4), int8(record.Gzip), int8(record.Snappy)}

func (f *Family) subscriptions(_ context.Context, c *api.Conn, req *kmsg.GetTelemetrySubscriptionsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.GetTelemetrySubscriptionsResponse)
	id := uuid.UUID(req.ClientInstanceID)
	if id.IsZero() {
		id = f.d.NewID()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.instances.take(id, subscriptionOf(f.current(), c, id))
	f.clients.Set(int64(f.instances.len()))
	if !i.mayAsk(f.d.Now()) {
		resp.ErrorCode = int16(wire.ThrottlingQuotaExceeded)
		i.lastError = wire.ThrottlingQuotaExceeded
		return resp, nil
	}
	i.lastError = wire.None
	resp.ClientInstanceID = id
	resp.SubscriptionID = i.sub.id
	resp.AcceptedCompressionTypes = acceptedCodecs
	resp.PushIntervalMillis = int32(i.sub.interval.Milliseconds())
	resp.TelemetryMaxBytes = int32(f.maxBytes())
	resp.DeltaTemporality = true
	resp.RequestedMetrics = i.sub.metrics
	return resp, nil
}

// maxBytes is the largest push, as it is on the wire.
func (f *Family) maxBytes() int {
	return int(f.d.View.Int(f.d.Cluster.Image(), "telemetry.max.bytes"))
}
