package run_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/plan"
)

// BenchmarkPass is a bus with one rule to one queue: events of 670 bytes that lie there
// already.
func BenchmarkPass(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		pass(b)
	}
}

const benchEvents = 50_000

func pass(b *testing.B) {
	b.Helper()
	r := newRig(b)
	r.topic("b", 1)
	q := r.queue("q")
	text := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	for n := 0; n < benchEvents; n += 5000 {
		var all []*kgo.Record
		for i := range 5000 {
			all = append(all, &kgo.Record{Topic: "b", Timestamp: r.clock.Now(),
				Value: fmt.Appendf(nil, `{"customer":"c-%d","n":%d,"lines":"%s"}`, i%1000, i, strings.Repeat("x", 500)), Headers: []kgo.RecordHeader{
					text("ce_specversion", "1.0"), text("ce_id", fmt.Sprint("e-", n+i)), text("ce_source", "shop"), text("ce_type", "order placed"),
					text("ce_time", "2026-01-02T03:04:05Z"), text("content-type", "application/json"),
				}})
		}
		r.must(r.kafka.ProduceSync(r.ctx(), all...).FirstErr())
	}
	to := rule("all", "order placed", plan.Place{Kind: plan.Queue, Ref: q})
	to.Targets[0].Render = func(e *plan.Event) (plan.Payload, error) { return plan.Payload{Body: e.Doc}, nil }
	r.publish(source("b", to))
	b.StartTimer()
	r.settle()
	b.StopTimer()
	b.ReportMetric(benchEvents/b.Elapsed().Seconds()*float64(b.N), "events/s")
	b.StartTimer()
}
