package telemetry

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

func TestWithoutSubscriptionsNothingIsAskedFor(t *testing.T) {
	r := newRig(t)
	got := r.ask(uuid.UUID{})
	if got.ErrorCode != 0 || got.ClientInstanceID != (uuid.UUID{0xaa, 1}) || len(got.RequestedMetrics) != 0 || got.PushIntervalMillis != 300_000 {
		t.Errorf("answer %+v", got)
	}
	if !slices.Equal(got.AcceptedCompressionTypes, []int8{4, 3, 1, 2}) || got.TelemetryMaxBytes != 1000 || !got.DeltaTemporality {
		t.Errorf("answer %+v", got)
	}
}

func TestSubscriptionsOfAClientAreJoined(t *testing.T) {
	r := newRig(t)
	r.subscribe("a", "metrics", "org.apache.kafka.producer.,org.apache.kafka.consumer.", "interval.ms", "60000", "match", "client_software_name=apache.*")
	r.subscribe("b", "metrics", "org.apache.kafka.producer.", "interval.ms", "10000", "match", "client_id=bill.*,client_source_address=10\\.0\\.0\\.7")
	r.subscribe("c", "metrics", "*", "match", "client_id=bill") // the whole value must match
	first := r.ask(uuid.UUID{1})
	if want := []string{"org.apache.kafka.consumer.", "org.apache.kafka.producer."}; !slices.Equal(first.RequestedMetrics, want) || first.PushIntervalMillis != 10_000 {
		t.Errorf("answer %+v, want %v every 10 s", first, want)
	}
	if other := r.ask(uuid.UUID{2}); other.SubscriptionID == first.SubscriptionID {
		t.Error("two clients have one subscription id")
	}
	r.subscribe("c", "match", "client_id=.*")
	if all := r.ask(uuid.UUID{1}); !slices.Equal(all.RequestedMetrics, []string{"*"}) || all.SubscriptionID == first.SubscriptionID || all.ErrorCode != 0 {
		t.Errorf("after a change of what is wanted: %+v", all)
	}
}

func TestAClientKeepsToItsPace(t *testing.T) {
	r := newRig(t)
	r.subscribe("a", "metrics", "*", "interval.ms", "1000")
	id := uuid.UUID{1}
	sub := r.ask(id).SubscriptionID
	for _, step := range []struct {
		wait time.Duration
		do   func() wire.Code
		want wire.Code
	}{
		{0, func() wire.Code { return wire.Code(r.ask(id).ErrorCode) }, wire.ThrottlingQuotaExceeded},
		{0, func() wire.Code { return r.push(id, sub, nil, nil) }, wire.None}, // at once after it asked
		{0, func() wire.Code { return r.push(id, sub, nil, nil) }, wire.ThrottlingQuotaExceeded},
		{time.Second, func() wire.Code { return r.push(id, sub, nil, nil) }, wire.None},
		{time.Second, func() wire.Code { return r.push(id, sub+1, nil, nil) }, wire.UnknownSubscriptionID},
		{0, func() wire.Code { return wire.Code(r.ask(id).ErrorCode) }, wire.None}, // the error sent it here
		{0, func() wire.Code {
			return r.push(id, sub, nil, func(q *kmsg.PushTelemetryRequest) { q.Terminating = true })
		}, wire.None},
		{time.Second, func() wire.Code { return r.push(id, sub, nil, nil) }, wire.InvalidRequest}, // it said goodbye
	} {
		r.now = r.now.Add(step.wait)
		if got := step.do(); got != step.want {
			t.Errorf("got %v, want %v", got, step.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	r := newRig(t)
	sound := pushOf(metricOf("m", fieldSum, true, 1))
	zeros := func(n int) []byte {
		enc, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return enc.EncodeAll(make([]byte, n), nil)
	}
	codec := func(c record.Codec) func(*kmsg.PushTelemetryRequest) {
		return func(q *kmsg.PushTelemetryRequest) { q.CompressionType = int8(c) }
	}
	for i, tc := range []struct {
		name    string
		metrics []byte
		edit    func(*kmsg.PushTelemetryRequest)
		want    wire.Code
	}{
		{"sound", sound, nil, wire.None},
		{"no client id", sound, func(q *kmsg.PushTelemetryRequest) { q.ClientInstanceID = [16]byte{} }, wire.InvalidRequest},
		{"reserved client id", sound, func(q *kmsg.PushTelemetryRequest) { q.ClientInstanceID = [16]byte{15: 1} }, wire.InvalidRequest},
		{"codec 5", sound, codec(5), wire.UnsupportedCompression},
		{"codec -1", sound, codec(-1), wire.UnsupportedCompression},
		{"too many bytes", make([]byte, 1001), nil, wire.TelemetryTooLarge},
		{"not what the codec says", sound, codec(record.Gzip), wire.InvalidRecord},
		{"not OTLP", []byte{0xff, 0xff, 0xff}, nil, wire.InvalidRecord},
		{"a metric without a name", pushOf(message(fieldSum, nil)), nil, wire.InvalidRecord},
		{"opens to too much", zeros(100_000), codec(record.Zstd), wire.TelemetryTooLarge},
	} {
		id := uuid.UUID{1, byte(i)}
		if got := r.push(id, r.ask(id).SubscriptionID, tc.metrics, tc.edit); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestPushesAreSummedByName(t *testing.T) {
	r := newRig(t)
	send := func(id byte, b []byte, c record.Codec) {
		t.Helper()
		u := uuid.UUID{7, id}
		code := r.push(u, r.ask(u).SubscriptionID, b, func(q *kmsg.PushTelemetryRequest) { q.CompressionType = int8(c) })
		if code != wire.None {
			t.Fatalf("push: %v", code)
		}
	}
	b := pushOf(metricOf("org.records", fieldSum, true, 5, 7), metricOf("org.rate", fieldGauge, false, 3), metricOf("org.ever", fieldSum, false, 100))
	send(1, b, record.None)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	send(2, z.Bytes(), record.Gzip)
	page := r.scrape()
	for _, want := range []string{
		`ottla_client_metrics_sum{metric="org.records"} 24`, `ottla_client_metrics_points_total{metric="org.records"} 4`,
		`ottla_client_metrics_points_total{metric="org.rate"} 2`, `ottla_client_metrics_sum{metric="org.ever"} 0`,
		"ottla_client_metrics_pushes_total 2", "ottla_client_metrics_clients 2", "ottla_client_metrics_pushes_failed_total 0",
		fmt.Sprintf("ottla_client_metrics_bytes_total %d", len(b)+z.Len()),
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestNamesAndClientsAreBounded(t *testing.T) {
	r := newRig(t)
	for i := range maxNames + 50 {
		r.f.sums.add([]point{{name: fmt.Sprintf("n{%d}", i), count: 1}})
	}
	if n := len(r.f.sums.byName); n > maxNames+1 {
		t.Errorf("%d names are shown, want at most %d", n, maxNames+1)
	}
	if page := r.scrape(); !strings.Contains(page, `ottla_client_metrics_points_total{metric="other"} 50`) || !strings.Contains(page, `metric="n_0_"`) {
		t.Error("names beyond the bound are not under other, or a name was not cleaned")
	}
	for i := range maxInstances + 10 {
		r.f.instances.take(uuid.UUID{byte(i >> 16), byte(i >> 8), byte(i)}, subscription{})
	}
	if n := r.f.instances.len(); n != maxInstances || len(r.f.instances.byID) != n {
		t.Errorf("%d clients are remembered, %d by id, want %d", n, len(r.f.instances.byID), maxInstances)
	}
}

func TestAMatchThatCannotBeReadMatchesNobody(t *testing.T) {
	r := newRig(t)
	r.subscribe("java", "metrics", "*", "match", "client_id=(?=b).*")
	if got := r.ask(uuid.UUID{1}); len(got.RequestedMetrics) != 0 || got.ErrorCode != 0 {
		t.Errorf("answer %+v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(pushOf(metricOf("org.records", fieldSum, true, 5, 7), metricOf("g", fieldGauge, false, 1)))
	f.Add(pushOf(metricOf("h", fieldHistogram, false)))
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		points, err := parse(b)
		if err != nil && points != nil {
			t.Error("points of a push that cannot be read")
		}
		for _, p := range points {
			if p.name == "" || len(p.name) > maxName || p.count < 0 || p.count > len(b) {
				t.Errorf("point %+v of %d bytes", p, len(b))
			}
		}
	})
}
