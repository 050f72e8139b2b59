package delivery_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"ottla/internal/event/delivery"
	"ottla/internal/event/outbound"
	"ottla/internal/event/plan"
	"ottla/internal/record"
)

// busy are functions of a few seats each; all those of "hang" are taken for good.
type busy struct {
	calls            atomic.Int64
	hurried, bounded atomic.Bool // the last wait for a seat, and the last call, had an end
}

func (*busy) Seats(string) int { return 4 }

func (b *busy) Seat(waiting context.Context, called string) (func(context.Context, []byte) outbound.Answer, error) {
	if called == "hang" {
		<-waiting.Done()
		return nil, waiting.Err()
	}
	_, hurried := waiting.Deadline()
	b.hurried.Store(hurried)
	return func(call context.Context, _ []byte) outbound.Answer {
		_, bounded := call.Deadline()
		b.bounded.Store(bounded)
		b.calls.Add(1)
		return outbound.Answer{Status: http.StatusOK}
	}, nil
}

// beside is a target in the same partition as another.
func (r *rig) beside(other *plan.Target, id string, e plan.Endpoint) *plan.Target {
	for i := 0; ; i++ {
		key := func(t *plan.Target) int32 { return int32(record.KeyHash([]byte(t.Key)) % delivery.Partitions) }
		if t := r.target(fmt.Sprint(id, i), e); key(t) == key(other) {
			return t
		}
	}
}

// An event waits until a function may be called; the deadline is the call's.
func TestWaitingForAFunctionIsNoneOfItsTime(t *testing.T) {
	r := newRig(t)
	b := &busy{}
	r.calls = b
	r.again()
	r.put(r.target("bill", plan.Endpoint{Function: "bill", DeadlineMs: 60_000}), "", names("e", 20)...)
	r.settle()
	if b.calls.Load() != 20 || b.hurried.Load() || !b.bounded.Load() {
		t.Errorf("%d calls; waiting had an end: %v, the call: %v", b.calls.Load(), b.hurried.Load(), b.bounded.Load())
	}
}

// However many events wait for a function that hangs, other targets are called.
func TestAFunctionThatHangsLeavesRoomForOthers(t *testing.T) {
	r := newRig(t)
	b := &busy{}
	r.calls = b
	r.again()
	called := make(chan struct{})
	once := sync.OnceFunc(func() { close(called) })
	s := newSite(t, func(int, string) int {
		once()
		return 0
	})
	first := r.target("hangs", plan.Endpoint{Function: "hang"})
	for i := range 40 {
		r.put(r.beside(first, fmt.Sprint("hang", i, "-"), plan.Endpoint{Function: "hang"}), "", names("h", 10)...)
	}
	r.put(r.beside(first, "site", plan.Endpoint{URL: s.URL}), "", "e-1")
	r.put(r.beside(first, "bill", plan.Endpoint{Function: "bill"}), "", "e-2")
	select {
	case <-called:
	case <-r.ctx().Done():
		t.Error("nobody else was called")
	}
}
