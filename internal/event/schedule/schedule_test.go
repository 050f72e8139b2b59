package schedule_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
	"ottla/internal/event/schedule/course"
)

func TestRunsGoToATopicAtTheirTimesByTheMovedClock(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	d := r.put("hourly", schedule.Spec{Expression: "rate(1 hour)", Target: schedule.Target{
		Topic: "jobs", Key: "k", Input: `{"at":"<aws.scheduler.scheduled-time>","id":"<aws.scheduler.execution-id>"}`, Headers: map[string]string{"tenant": "a"},
	}})
	since := time.UnixMilli(d.SinceMs)
	r.advance(3 * time.Hour)
	got := r.records("jobs", 0)
	if s := slots(got, since); !slices.Equal(s, every(3600, 4)) {
		t.Fatalf("ran at %v, want every hour from 0 to 10800", s)
	}
	rec := got[1]
	if want := fmt.Sprintf(`{"at":%q,"id":%q}`, header(rec, "ce_time"), header(rec, "ce_id")); string(rec.Value) != want || string(rec.Key) != "k" || header(rec, "tenant") != "a" {
		t.Errorf("key %q, tenant %q, value %s, want %s", rec.Key, header(rec, "tenant"), rec.Value, want)
	}
	if src := header(rec, "ce_source"); src != "arn:aws:scheduler:us-east-1:123456789012:schedule/default/hourly" {
		t.Errorf("its source is %s", src)
	}
	if err := once(got); err != nil {
		t.Error(err)
	}
}

// However old the first of them is when the clock arrives.
func TestADayOfRunsInOneMoveIsADayOfRuns(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	s := spec("rate(4 minutes)", "jobs")
	s.Retry.MaxAgeMs, s.Missed = schedule.LeastAgeMs, course.None // what is missed is gone
	since := time.UnixMilli(r.put("tick", s).SinceMs)
	r.put("tock", spec("rate(6 hours)", "jobs"))
	r.advance(24*time.Hour - 30*time.Second)
	var ticks []*kgo.Record
	tocks := 0
	for _, rec := range r.records("jobs", 0) {
		at, err := time.Parse(time.RFC3339, header(rec, "ce_time"))
		if late := rec.Timestamp.Sub(at); err != nil || late < 0 || late > 3*time.Minute {
			t.Errorf("the run of %s is dated %v: the clock shows its time when it is made (%v)", header(rec, "ce_time"), rec.Timestamp.UTC(), err)
		}
		if strings.HasSuffix(header(rec, "ce_source"), "/tick") {
			ticks = append(ticks, rec)
		} else {
			tocks++
		}
	}
	// The clock runs on while it halts: what that brings is more.
	if got := slots(ticks, since); len(got) < 360 || !slices.Equal(got, every(240, len(got))) {
		t.Errorf("%d runs, want 360, one every four minutes", len(got))
	}
	if err := once(ticks); err != nil || tocks < 4 {
		t.Errorf("%d runs every six hours, want 4: %v", tocks, err)
	}
}

// A timer wakes it: nothing is settled here.
func TestARunComesByItself(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	at := r.clock.Now().Add(300 * time.Millisecond).UTC()
	r.put("soon", spec("at("+at.Format("2006-01-02T15:04:05.000")+")", "jobs"))
	rec := r.records("jobs", 1)[0]
	if rec.Timestamp.Before(at.Truncate(time.Millisecond)) {
		t.Errorf("it came at %v, before its time %v", rec.Timestamp, at)
	}
	r.put("often", spec("rate(1 second)", "jobs"))
	if err := once(r.records("jobs", 4)); err != nil {
		t.Error(err)
	}
}

func TestEachQueuedRunIsTakenOnce(t *testing.T) {
	r := newRig(t)
	r.queue("mails")
	r.put("mail", schedule.Spec{Expression: "rate(1 hour)", Target: schedule.Target{Queue: "mails", Input: "hello", Headers: map[string]string{"lang": "de"}}})
	r.advance(2 * time.Hour)
	var got []queue.Taken
	for len(got) < 3 {
		some, err := r.Queues().Take(r.ctx(), queue.Ref{Name: "mails"}, queue.TakeOptions{Max: 10, WaitMs: 20_000, VisibilityMs: 60_000})
		r.must(err)
		got = append(got, some...)
	}
	more, err := r.Queues().Take(r.ctx(), queue.Ref{Name: "mails"}, queue.TakeOptions{Max: 10, WaitMs: 0, VisibilityMs: 60_000})
	r.must(err)
	if len(got) != 3 || len(more) != 0 || string(got[0].Body) != "hello" || string(got[0].Attributes["lang"].Value) != "de" {
		t.Errorf("%d and %d messages, the first %+v", len(got), len(more), got[0])
	}
}

// target is a server that answers with statuses in turn, the last one for good.
type target struct {
	mu       sync.Mutex
	statuses []int
	ids      []string
	bodies   []string
}

func (s *target) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := make([]byte, 1024)
	n, _ := req.Body.Read(body) // the little that there is comes at once
	s.ids, s.bodies = append(s.ids, req.Header.Get("Idempotency-Key")), append(s.bodies, string(body[:n]))
	status := s.statuses[min(len(s.ids), len(s.statuses))-1]
	w.WriteHeader(status)
}

func (s *target) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

func TestACallIsMadeAgainUnderOneIDUntilItIsTaken(t *testing.T) {
	r := newRig(t)
	to := &target{statuses: []int{500, 503, 204}}
	s := httptest.NewServer(to)
	defer s.Close()
	r.put("call", schedule.Spec{Expression: "at(" + r.clock.Now().UTC().Add(time.Minute).Format("2006-01-02T15:04:05") + ")", DeleteAfter: true,
		Target: schedule.Target{URL: s.URL, Input: "attempt <aws.scheduler.attempt-number>"}})
	r.advance(time.Minute)
	for range 3 { // waits between attempts go by the clock
		r.advance(5 * time.Second)
	}
	ids := to.calls()
	if len(ids) != 3 || ids[0] == "" || ids[1] != ids[0] || ids[2] != ids[0] || to.bodies[2] != "attempt 3" {
		t.Fatalf("calls %v with %v", ids, to.bodies)
	}
	r.advance(time.Hour)
	if n := len(to.calls()); n != 3 {
		t.Errorf("%d calls after it was taken", n)
	}
	if _, err := r.Schedules().Get(r.ctx(), schedule.Ref{Name: "call"}); !errors.Is(err, schedule.ErrNotFound) {
		t.Errorf("a schedule that is complete is still there: %v", err)
	}
}

func TestARunThatIsGivenUpIsADeadLetter(t *testing.T) {
	r := newRig(t)
	to := &target{statuses: []int{500}}
	s := httptest.NewServer(to)
	defer s.Close()
	r.queue("dead")
	two := 2
	d := r.put("call", schedule.Spec{Expression: "rate(1 day)", Target: schedule.Target{URL: s.URL, Input: "body"}, Retry: schedule.Retry{Retries: &two}, DeadLetters: "dead"})
	for range 4 {
		r.advance(10 * time.Second)
	}
	if ids := to.calls(); len(ids) != 3 {
		t.Fatalf("%d calls, want 3", len(ids))
	}
	got, err := r.Queues().Take(r.ctx(), queue.Ref{Name: "dead"}, queue.TakeOptions{Max: 10, WaitMs: 20_000, VisibilityMs: 60_000})
	r.must(err)
	if len(got) != 1 || string(got[0].Body) != "body" {
		t.Fatalf("%d dead letters: %+v", len(got), got)
	}
	for name, want := range map[string]string{
		"ERROR_MESSAGE": "HTTP 500", "RETRY_ATTEMPTS": "2", "EXHAUSTED_RETRY_CONDITION": course.ExhaustedAttempts, "SCHEDULE_ARN": d.ARN(), "TARGET_ARN": s.URL,
		"EXECUTION_ID": to.calls()[0], "SCHEDULED_TIME": time.UnixMilli(d.SinceMs).UTC().Format("2006-01-02T15:04:05Z"),
	} {
		if v := string(got[0].Attributes[name].Value); !strings.HasPrefix(v, want) {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
}

func TestARunWaitsForATopicThatIsGone(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	r.put("daily", spec("rate(1 day)", "jobs"))
	other := r.put("other", spec("rate(1 day)", "jobs"))
	r.advance(time.Second)
	_ = other
	before := len(r.records("jobs", 0))
	if before != 2 {
		t.Fatalf("%d runs, want 2", before)
	}
	deleted, err := r.admin().DeleteTopics(r.ctx(), "jobs")
	r.must(err)
	r.must(deleted.Error())
	r.topic("elsewhere")
	r.put("beside", spec("rate(1 day)", "elsewhere"))
	r.advance(time.Second) // or its first run is a day old
	r.advance(24 * time.Hour)
	if got := r.records("elsewhere", 0); len(got) != 2 {
		t.Errorf("%d runs to a topic that is there, want 2", len(got))
	}
	r.topic("jobs")
	for range 15 { // what is due at each step is tried once
		r.advance(time.Minute)
	}
	got := r.records("jobs", 0)
	if len(got) != 2 {
		t.Errorf("%d runs came when the topic was there again, want 2", len(got))
	}
	if err := once(got); err != nil {
		t.Error(err)
	}
}

func TestWhatPassedWhileTheNodeWasDown(t *testing.T) {
	for missed, want := range map[course.Missed]int{course.All: 6, course.Last: 2, course.None: 1} {
		t.Run(string(missed), func(t *testing.T) {
			r := newRig(t)
			r.topic("jobs")
			s := spec("rate(1 hour)", "jobs")
			s.Missed = missed
			r.put("hourly", s)
			r.advance(time.Second)
			r.stop()
			r.must(r.clock.Advance(r.ctx(), 5*time.Hour+30*time.Minute))
			r.start()
			r.advance(time.Second)
			got := r.records("jobs", 0)
			if len(got) != want {
				t.Errorf("%d runs, want %d", len(got), want)
			}
			r.advance(30 * time.Minute) // the next one comes at its time
			if got := r.records("jobs", 0); len(got) != want+1 {
				t.Errorf("%d runs after the next hour, want %d", len(got), want+1)
			}
		})
	}
}

func TestASchedulePausesResumesAndChanges(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	ref := schedule.Ref{Name: "hourly"}
	r.put("hourly", spec("rate(1 hour)", "jobs"))
	r.advance(90 * time.Minute)
	_, err := r.Schedules().Pause(r.ctx(), ref)
	r.must(err)
	r.advance(5 * time.Hour)
	if n := len(r.records("jobs", 0)); n != 2 {
		t.Errorf("%d runs while it was paused, want 2", n)
	}
	_, err = r.Schedules().Resume(r.ctx(), ref)
	r.must(err)
	r.advance(time.Minute)
	if n := len(r.records("jobs", 0)); n != 3 { // a rate begins anew
		t.Errorf("%d runs after it was resumed, want 3", n)
	}
	_, err = r.Schedules().Update(r.ctx(), ref, spec("rate(10 minutes)", "jobs"))
	r.must(err)
	r.advance(25 * time.Minute)
	if n := len(r.records("jobs", 0)); n != 6 {
		t.Errorf("%d runs after it was changed, want 6", n)
	}
	if _, err := r.Schedules().Update(r.ctx(), ref, spec("rate(10 minutes)", "gone")); !errors.Is(err, schedule.ErrInvalid) {
		t.Errorf("changed to a topic that is not there: %v", err)
	}
	r.must(r.Schedules().DeleteOnce(r.ctx(), ref, "once"))
	r.advance(50 * time.Minute)
	if n := len(r.records("jobs", 0)); n != 6 {
		t.Errorf("%d runs after it was deleted, want 6", n)
	}
	r.put("hourly", spec("rate(1 hour)", "jobs"))
	r.must(r.Schedules().DeleteOnce(r.ctx(), ref, "once")) // its answer was lost: nothing is left to do
	r.advance(time.Minute)
	if n := len(r.records("jobs", 0)); n != 7 { // another of the name begins anew
		t.Errorf("%d runs of another schedule of the name, want 7", n)
	}
	r.advance(time.Hour)
	r.must(r.Schedules().DeleteOnce(r.ctx(), ref, "once")) // who says so now means this one
	if _, err := r.Schedules().Get(r.ctx(), ref); !errors.Is(err, schedule.ErrNotFound) {
		t.Errorf("a token counts for ever: %v", err)
	}
}

// A request whose answer was lost comes again when all is over already.
func TestARequestThatComesTwiceRunsOnce(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	ref := schedule.Ref{Name: "once"}
	s := spec("at("+r.clock.Now().UTC().Format("2006-01-02T15:04:05")+")", "jobs")
	s.DeleteAfter, s.MadeBy = true, "token"
	_, err := r.Schedules().Create(r.ctx(), ref, s)
	r.must(err)
	r.advance(time.Second)
	if _, err := r.Schedules().Create(r.ctx(), ref, s); !errors.Is(err, schedule.ErrComplete) {
		t.Errorf("made again: %v", err)
	}
	r.advance(time.Second)
	if n := len(r.records("jobs", 0)); n != 1 {
		t.Errorf("%d runs, want 1", n)
	}
	s.MadeBy, s.Paused = "another", true
	_, err = r.Schedules().Create(r.ctx(), ref, s)
	r.must(err)
	r.must(r.Schedules().Delete(r.ctx(), ref))
	_, err = r.Schedules().Create(r.ctx(), ref, s) // it was not complete
	r.must(err)
}

func TestAChangeThatLeavesTheTimingKeepsItsPlace(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	before := r.put("hourly", spec("rate(1 hour)", "jobs"))
	r.advance(30 * time.Minute)
	s := spec("rate(1 hour)", "jobs")
	s.Description = "another"
	after := r.put("hourly", s)
	r.advance(31 * time.Minute)
	if got := slots(r.records("jobs", 0), time.UnixMilli(before.SinceMs)); after.SinceMs != before.SinceMs || !slices.Equal(got, every(3600, 2)) {
		t.Errorf("ran at %v", got)
	}
}

func TestManySchedulesOfOneMomentEachRunOnce(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	const n = 300
	at := r.clock.Now().UTC().Add(time.Hour).Format("2006-01-02T15:04:05")
	for i := range n {
		s := spec("at("+at+")", "jobs")
		s.DeleteAfter = i%2 == 0
		r.put(fmt.Sprint("s", i), s)
	}
	r.advance(time.Hour)
	got := r.records("jobs", 0)
	if err := once(got); err != nil || len(got) != n {
		t.Errorf("%d runs: %v", len(got), err)
	}
	left, _, err := r.Schedules().List(r.ctx(), schedule.ListOptions{Most: 1000})
	r.must(err)
	if len(left) != n/2 {
		t.Errorf("%d schedules are left, want %d", len(left), n/2)
	}
}
