package telemetry_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protowire"

	"ottla"
)

// A client that asks, is told what a client-metrics resource says, and pushes;
// the node's own page shows the sum.
func TestAClientsMetricsAreShown(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	node, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.ClientID("billing"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeClientMetrics, "all"
	for name, value := range map[string]string{"metrics": "org.test.", "interval.ms": "30000", "match": "client_id=bill.*"} {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = name, &value
		r.Configs = append(r.Configs, c)
	}
	alter.Resources = append(alter.Resources, r)
	altered, err := alter.RequestWith(ctx, cl)
	if err != nil || altered.Resources[0].ErrorCode != 0 {
		t.Fatalf("%+v %v", altered, err)
	}
	sub, err := kmsg.NewPtrGetTelemetrySubscriptionsRequest().RequestWith(ctx, cl)
	if err != nil || sub.ErrorCode != 0 || len(sub.RequestedMetrics) != 1 || sub.RequestedMetrics[0] != "org.test." || sub.PushIntervalMillis != 30000 {
		t.Fatalf("%+v %v", sub, err)
	}
	push := kmsg.NewPtrPushTelemetryRequest()
	push.ClientInstanceID, push.SubscriptionID, push.Metrics = sub.ClientInstanceID, sub.SubscriptionID, delta("org.test.sends", 42)
	pushed, err := push.RequestWith(ctx, cl)
	if err != nil || pushed.ErrorCode != 0 {
		t.Fatalf("%+v %v", pushed, err)
	}
	if page := page(t, ctx, "http://"+node.HTTPAddr()+"/metrics"); !strings.Contains(page, `ottla_client_metrics_sum{metric="org.test.sends"} 42`) {
		t.Error("the page does not show what was pushed")
	}
}

func page(t *testing.T, ctx context.Context, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// delta is MetricsData with one Sum of one data point.
func delta(name string, value int64) []byte {
	nest := func(num protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
	}
	point := protowire.AppendFixed64(protowire.AppendTag(nil, 6, protowire.Fixed64Type), uint64(value))
	sum := protowire.AppendVarint(protowire.AppendTag(nest(1, point), 2, protowire.VarintType), 1)
	return nest(1, nest(2, nest(2, append(nest(1, []byte(name)), nest(7, sum)...))))
}
