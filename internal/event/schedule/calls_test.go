package schedule_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/schedule"
)

// What a schedule says itself counts, however it writes the name.
func TestHeadersOfACallAreTheSchedulesOwn(t *testing.T) {
	r := newRig(t)
	got := make(chan http.Header, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { got <- req.Header }))
	defer s.Close()
	for i := range 20 {
		r.put(fmt.Sprint("call", i), schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{
			URL: s.URL, Headers: map[string]string{"ce-type": "mine", "IDEMPOTENCY-KEY": "k", "content-type": "text/csv"}, Input: "x",
		}})
		r.advance(time.Second)
		h := <-got
		for name, want := range map[string]string{"Ce-Type": "mine", "Idempotency-Key": "k", "Content-Type": "text/csv"} {
			if h.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, h.Get(name), want)
			}
		}
	}
}

// A page of schedules whose inputs are large is shorter: an answer is made in memory.
func TestAPageOfSchedulesHasABoundInBytes(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	const n = 20
	for i := range n {
		s := spec("rate(1 day)", "jobs")
		s.Paused = true
		s.Target.Input = strings.Repeat([]string{"<", "\x01", "ä", "x"}[i%4], schedule.MostInput/2)
		r.put(fmt.Sprintf("s%02d", i), s)
	}
	var names []string
	pages := 0
	for after := ""; pages == 0 || after != ""; pages++ {
		page, next, err := r.Schedules().List(r.ctx(), schedule.ListOptions{Most: 1000, After: after})
		r.must(err)
		for _, s := range page {
			names = append(names, s.Name)
		}
		after = next
	}
	if len(names) != n || !slices.IsSorted(names) || pages < 2 {
		t.Errorf("%d pages with %v", pages, names)
	}
}
