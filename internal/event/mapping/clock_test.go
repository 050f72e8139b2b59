package mapping_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"ottla/internal/event/mapping"
	"ottla/internal/event/queue"
)

// A clock that is moved ends windows, and returns when the function has what was gathered
// in them.
func TestAWindowEndsWhenTheClockIsMoved(t *testing.T) {
	r := newRig(t)
	q := r.queue("jobs", queue.DefaultSpec())
	r.topic("orders", 1)
	r.put("jobs-bill", mapping.Spec{Source: "queue:jobs", Function: "bill", WindowMs: mapping.MostWindowMs, Concurrency: 1})
	r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", WindowMs: mapping.MostWindowMs})
	r.send(q, bodies("m", 1)...)
	r.write("orders", 0, "a")
	r.until("both wait", func() bool { return r.Mappings().Waiting() == 2 })
	r.must(r.clock.Advance(r.ctx(), mapping.MostWindowMs*time.Millisecond/2))
	if n := len(r.bill.all()); n != 0 {
		t.Errorf("%d calls in the middle of the window", n)
	}
	r.must(r.clock.Advance(r.ctx(), mapping.MostWindowMs*time.Millisecond))
	if n := len(r.bill.all()); n != 2 || !r.empty(q) {
		t.Errorf("%d calls, want 2; the message is taken: %v", n, r.empty(q))
	}
}

// A clock that is moved halts at each attempt of records that have so many, and returns
// when they are given up.
func TestRecordsAreTriedAgainWhenTheClockIsMoved(t *testing.T) {
	r := newRig(t)
	dead := r.queue("dead", queue.DefaultSpec())
	r.topic("orders", 1)
	r.bill.answer = func(int, []byte) (int, string) { return http.StatusInternalServerError, "no use" }
	some := 9
	m := r.put("orders-bill", mapping.Spec{Source: "topic:orders", Function: "bill", Retries: &some, DeadLetters: "queue:dead"})
	r.write("orders", 0, "a")
	r.until("it is called", func() bool { return len(r.bill.all()) > 0 })
	r.must(r.clock.Advance(r.ctx(), time.Hour))
	if n, at := len(r.bill.all()), r.committed(m.Group, "orders")[0]; n != some+1 || at != 1 {
		t.Errorf("%d calls, want %d; committed is %d", n, some+1, at)
	}
	if got := r.bodies(dead); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the dead letters are %v", got)
	}
}
