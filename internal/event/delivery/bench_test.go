package delivery

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/delivery/course"
	"ottla/internal/event/envelope"
	"ottla/internal/event/name"
	"ottla/internal/event/outbound"
	"ottla/internal/event/plan"
)

// usual is an event of 670 bytes for an address that gets it as it is.
func usual() (*plan.Target, *plan.Event) {
	e := &plan.Event{
		Event: &envelope.Event{
			ID: "5f0c7a3e-4c1e-4f3a-9d1b-0123456789ab", Type: "OrderPlaced", Source: "shop.orders", Subject: "order/7", Time: "2026-01-02T03:04:05Z", DataContentType: envelope.JSON,
			Data: []byte(`{"orderId":"o-00000007","customer":{"id":"c-000007","email":"ann.smith7@mail07.example.com"},"status":"placed","gift":false,"total":12.40,"items":[` +
				strings.Repeat(`{"sku":"sku-00007","qty":1,"price":1.50},`, 5) + `{"sku":"sku-00008","qty":2,"price":2.25}],"note":"leave at gate 007"}`),
		},
		Topic: "__ottla_bus.orders", Partition: 2, Offset: 41, Source: &plan.Source{Ref: name.Of(name.Bus, "orders")}, Rule: &plan.Rule{Ref: name.Of(name.Rule, "orders/all")},
	}
	e.Doc = e.AppendDocument(nil)
	return &plan.Target{Key: "rule/000000000000/us-east-1/orders/all#0123456789abcdef/hook", ID: "hook"}, e
}

// What every call costs in memory does not creep.
func TestADeliveryCostsFewPiecesOfMemory(t *testing.T) {
	to, e := usual()
	p := plan.Payload{Body: e.EnvelopeOf(e.Doc)}
	r, err := Record(to, e, p)
	if err != nil {
		t.Fatal(err)
	}
	d, err := readParcel(r)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		of := *e
		_, _ = Record(to, &of, p) // it was made once
	}); n > 10 {
		t.Errorf("a record of %s takes %v pieces of memory, want 10 at most", Topic, n)
	}
	m := &made{target: to.Key, url: "http://127.0.0.1/main", header: map[string]string{"Content-Type": "application/json", "Idempotency-Key": d.ID}, begun: time.UnixMilli(1)}
	if n := testing.AllocsPerRun(100, func() { m.attempt(d, 1, course.Result{OK: true}).record(3, m.begun) }); n > 5 {
		t.Errorf("what is kept of a call takes %v pieces of memory, want 5 at most", n)
	}
}

// BenchmarkRecord is what the pass of a bus makes for an address.
func BenchmarkRecord(b *testing.B) {
	to, e := usual()
	p := plan.Payload{Body: e.EnvelopeOf(e.Doc)}
	b.ReportAllocs()
	for b.Loop() {
		of := *e // a pass has each event once
		if _, err := Record(to, &of, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadParcel is what a runner makes of that.
func BenchmarkReadParcel(b *testing.B) {
	to, e := usual()
	r, err := Record(to, e, plan.Payload{Body: e.EnvelopeOf(e.Doc)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readParcel(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAttempt is what is kept of a call.
func BenchmarkAttempt(b *testing.B) {
	to, e := usual()
	r, err := Record(to, e, plan.Payload{Body: e.EnvelopeOf(e.Doc)})
	if err != nil {
		b.Fatal(err)
	}
	p, err := readParcel(r)
	if err != nil {
		b.Fatal(err)
	}
	m := &made{
		target: to.Key, url: "http://127.0.0.1:8080/main", header: map[string]string{"Content-Type": "application/json", "Idempotency-Key": p.ID},
		answer: outbound.Answer{Status: http.StatusOK}, begun: time.UnixMilli(1764200000000),
	}
	b.ReportAllocs()
	for b.Loop() {
		m.attempt(p, 1, course.Result{OK: true}).record(3, m.begun)
	}
}
