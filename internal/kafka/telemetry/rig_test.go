package telemetry

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protowire"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// rig is a family on a clock and an image that the test moves.
type rig struct {
	t   *testing.T
	f   *Family
	img *metadata.Image
	now time.Time
	reg *metric.Registry
	ids byte
}

func (r *rig) Image() *metadata.Image { return r.img }

func (r *rig) Do(context.Context, any) (any, error) { return nil, errors.New("no commands here") }

func newRig(t *testing.T) *rig {
	t.Helper()
	static, err := config.StaticOf("test", map[string]string{"telemetry.max.bytes": "1000"})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, img: metadata.Empty(), now: time.UnixMilli(1_700_000_000_000), reg: metric.New()}
	r.f = New(Deps{
		Cluster: r, View: &config.View{Static: static, NodeID: 1}, Now: func() time.Time { return r.now },
		NewID: func() uuid.UUID { r.ids++; return uuid.UUID{0xaa, r.ids} }, Metrics: r.reg,
	})
	return r
}

// subscribe sets the settings of a subscription.
func (r *rig) subscribe(name string, settings ...string) {
	r.t.Helper()
	var recs []metadata.Record
	for i := 0; i < len(settings); i += 2 {
		recs = append(recs, &metadata.ConfigRecord{ResourceType: metadata.ResourceClientMetrics, ResourceName: name, Name: settings[i], Value: &settings[i+1]})
	}
	img, _, err := r.img.With(r.img.Offset+1, 0, recs...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.img = img
}

func conn() *api.Conn {
	return &api.Conn{ClientID: "billing", SoftwareName: "apache-kafka-java", SoftwareVersion: "4.1.0", Remote: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 555}}
}

func (r *rig) ask(id uuid.UUID) *kmsg.GetTelemetrySubscriptionsResponse {
	r.t.Helper()
	req := kmsg.NewPtrGetTelemetrySubscriptionsRequest()
	req.ClientInstanceID = id
	resp, err := r.f.subscriptions(r.t.Context(), conn(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.(*kmsg.GetTelemetrySubscriptionsResponse)
}

func (r *rig) push(id uuid.UUID, sub int32, metrics []byte, edit func(*kmsg.PushTelemetryRequest)) wire.Code {
	r.t.Helper()
	req := kmsg.NewPtrPushTelemetryRequest()
	req.ClientInstanceID, req.SubscriptionID, req.Metrics = id, sub, metrics
	if edit != nil {
		edit(req)
	}
	resp, err := r.f.push(r.t.Context(), conn(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return wire.Code(resp.(*kmsg.PushTelemetryResponse).ErrorCode)
}

// scrape is the page of metrics.
func (r *rig) scrape() string {
	w := httptest.NewRecorder()
	r.reg.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// message nests bytes as a field.
func message(num protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
}

// metricOf is a Metric with data of the kind fieldSum or fieldGauge; delta sets
// the temporality.
func metricOf(name string, kind protowire.Number, delta bool, values ...float64) []byte {
	var data []byte
	for i, v := range values {
		p := protowire.AppendTag(nil, fieldDouble, protowire.Fixed64Type)
		p = protowire.AppendFixed64(p, math.Float64bits(v))
		if i%2 == 1 { // both forms of numbers
			p = protowire.AppendTag(nil, fieldInt, protowire.Fixed64Type)
			p = protowire.AppendFixed64(p, uint64(int64(v)))
		}
		data = append(data, message(fieldDataPoints, p)...)
	}
	temporality := uint64(2)
	if delta {
		temporality = temporalityDelta
	}
	data = protowire.AppendVarint(protowire.AppendTag(data, fieldTemporality, protowire.VarintType), temporality)
	return append(message(fieldName, []byte(name)), message(kind, data)...)
}

// pushOf is MetricsData of metrics.
func pushOf(metrics ...[]byte) []byte {
	var scope []byte
	for _, m := range metrics {
		scope = append(scope, message(fieldMetrics, m)...)
	}
	return message(fieldResourceMetrics, message(fieldScopeMetrics, scope))
}
