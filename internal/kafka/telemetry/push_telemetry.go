package telemetry

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// PushTelemetry (72), version 0 (KIP-714).
//
// Checked in Kafka's order: the client's id, that it has not said goodbye, its
// pace (THROTTLING_QUOTA_EXCEEDED), the subscription's id
// (UNKNOWN_SUBSCRIPTION_ID), the compression (UNSUPPORTED_COMPRESSION_TYPE), the
// size (TELEMETRY_TOO_LARGE); then the content (INVALID_RECORD).
func (f *Family) pushRow() api.API {
	return api.Row(0, 0, f.push,
		"It is always listed, as GetTelemetrySubscriptions is. What clients push is summed up by the names of metrics and shown with the node's own (`ottla_client_metrics_*`); there are no reporter plug-ins.",
		"A push that opens to more than 16 times `telemetry.max.bytes` is TELEMETRY_TOO_LARGE; Kafka opens it whole.")
}

// openFactor is how much larger than telemetry.max.bytes a push may be once it
// is opened: names repeat, so metrics compress well, but not without end.
const openFactor = 16

func (f *Family) push(_ context.Context, c *api.Conn, req *kmsg.PushTelemetryRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.PushTelemetryResponse)
	code := f.admit(c, req)
	if code == wire.None {
		code = f.take(req)
	}
	f.pushes.Inc()
	f.bytes.Add(len(req.Metrics))
	if code != wire.None {
		f.failed.Inc()
	}
	resp.ErrorCode = int16(code)
	return resp, nil
}

// admit judges a push by what stands around its content.
func (f *Family) admit(c *api.Conn, req *kmsg.PushTelemetryRequest) wire.Code {
	id := uuid.UUID(req.ClientInstanceID)
	if reserved(id) {
		return wire.InvalidRequest
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := f.instances.take(id, subscriptionOf(f.current(), c, id))
	f.clients.Set(int64(f.instances.len()))
	i.lastError = f.judge(i, req)
	if i.lastError == wire.None {
		i.terminating = req.Terminating
	}
	return i.lastError
}

func (f *Family) judge(i *instance, req *kmsg.PushTelemetryRequest) wire.Code {
	switch {
	case i.terminating:
		return wire.InvalidRequest
	case !i.mayPush(f.d.Now(), req.Terminating):
		return wire.ThrottlingQuotaExceeded
	case req.SubscriptionID != i.sub.id:
		return wire.UnknownSubscriptionID
	case req.CompressionType < int8(record.None) || req.CompressionType > int8(record.Zstd):
		return wire.UnsupportedCompression
	case len(req.Metrics) > f.maxBytes():
		return wire.TelemetryTooLarge
	}
	return wire.None
}

// reserved knows the ids that no client can have: zero, and those that KIP-858
// keeps (below 100).
func reserved(id uuid.UUID) bool {
	for _, b := range id[:15] {
		if b != 0 {
			return false
		}
	}
	return id[15] < 100
}

// take opens and sums up the content. Nothing counts of a push that cannot be
// read to its end.
func (f *Family) take(req *kmsg.PushTelemetryRequest) wire.Code {
	if len(req.Metrics) == 0 {
		return wire.None
	}
	b, err := record.Decompress(record.Codec(req.CompressionType), req.Metrics, openFactor*f.maxBytes())
	var bad *record.Error
	if errors.As(err, &bad) && bad.Kind == record.KindTooLarge {
		return wire.TelemetryTooLarge
	}
	var points []point
	if err == nil {
		points, err = parse(b)
	}
	if err != nil {
		return wire.InvalidRecord
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sums.add(points)
	return wire.None
}
