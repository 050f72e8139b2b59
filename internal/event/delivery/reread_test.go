package delivery_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/delivery"
	"ottla/internal/event/plan"
	"ottla/internal/metric"
)

// fetched counts the bytes that clients fetch.
type fetched struct{ bytes atomic.Int64 }

// OnBrokerRead implements kgo.HookBrokerRead.
func (f *fetched) OnBrokerRead(_ kgo.BrokerMetadata, key int16, n int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.Fetch) {
		f.bytes.Add(int64(n))
	}
}

// What there was no room for is read again, once: a batch that has several times what a
// target has room for is not read again for each part of it.
func TestWhatHadNoRoomIsReadAgainOnce(t *testing.T) {
	r := newRig(t)
	r.svc.Close()
	f := &fetched{}
	r.hook, r.metrics = f, metric.New()
	s := newSite(t, nil)
	to := r.target("hook", plan.Endpoint{URL: s.URL})
	rng := rand.New(rand.NewPCG(1, 2))
	var all []*kgo.Record
	var want []string
	size := int64(0)
	for i := range 5000 {
		body := []byte(strconv.Itoa(i) + ":")
		for range 30 { // which nobody packs small
			body = strconv.AppendUint(body, rng.Uint64(), 36)
		}
		rec, err := delivery.Record(to, &plan.Event{Doc: body, Topic: "orders", Offset: int64(i)}, plan.Payload{Body: body})
		r.must(err)
		rec.Timestamp = r.clock.Now()
		if i == 3000 {
			rec.Value = []byte("no delivery") // which is passed over
		} else {
			want = append(want, string(body))
		}
		all, size = append(all, rec), size+int64(len(rec.Value))
	}
	r.must(r.kafka.ProduceSync(r.ctx(), all...).FirstErr())
	r.open()
	r.settle()
	var came []string
	for _, g := range s.all() {
		came = append(came, g.body)
	}
	slices.Sort(came)
	if slices.Sort(want); !slices.Equal(came, want) {
		t.Errorf("%d came, want %d", len(came), len(want))
	}
	if n := f.bytes.Load(); n > 3*size {
		t.Errorf("%d bytes were read of %d", n, size)
	}
	if n := r.metrics.Counter("ottla_delivery_dropped_total").Value(); n != 1 {
		t.Errorf("%d were dropped, want the one that is none", n)
	}
}
