package course_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

var seat = course.Seat{Source: "b", Partition: 0}

// rule has targets t0, t1, ... that hold from offsets.
func rule(called string, version int64, from ...int64) *plan.Rule {
	r := &plan.Rule{Ref: name.Of(name.Rule, "b/"+called), ID: called, Version: version}
	for i, f := range from {
		id := fmt.Sprint("t", i)
		r.Targets = append(r.Targets, &plan.Target{Key: called + "/" + id, ID: id, From: []int64{f}})
	}
	return r
}

func source(rules ...*plan.Rule) *plan.Source { return &plan.Source{ID: "b", Rules: rules} }

// log is what a runner has written.
type log map[string][]byte

func (l log) write(t *testing.T, notes ...course.Note) {
	t.Helper()
	for _, n := range notes {
		b, err := n.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		at, rest := course.SeatOf(n.Key)
		if at != seat.Key() {
			t.Errorf("the key %q is of the seat %q", n.Key, at)
		}
		if l[rest] = b; b == nil {
			delete(l, rest)
		}
	}
}

func (l log) read(t *testing.T) *course.State {
	t.Helper()
	s, err := course.Read(l)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

// told is what follows from a source: the table, what runs, is held and ends.
func told(x course.Taken) string {
	var rows []string
	for _, row := range x.Table {
		var cells []string
		for _, from := range row {
			if from == course.Never {
				cells = append(cells, "-")
			} else {
				cells = append(cells, fmt.Sprint(from))
			}
		}
		rows = append(rows, strings.Join(cells, " "))
	}
	names := func(all []course.Name) string {
		var out []string
		for _, n := range all {
			out = append(out, strings.TrimPrefix(n.Replay+":"+n.Target, ":"))
		}
		return strings.Join(out, " ")
	}
	return fmt.Sprintf("table [%s] run [%s] hold [%s] end [%s]", strings.Join(rows, "; "), names(x.Run), names(x.Hold), names(x.End))
}

// A story: each step takes a source up where the pass is at an offset, and writes that.
func TestTargetsMoveBetweenThePassAndBranches(t *testing.T) {
	paused := rule("a", 3, 5)
	paused.Paused = true
	grown := rule("a", 5, 5, 80)
	l := log{}
	for i, c := range []struct {
		what string
		at   int64 // where the pass is then; -1: as it was written
		src  *plan.Source
		ill  map[string]string
		want string
		main int64
	}{
		{"a first rule begins the pass where it holds", -1, source(rule("a", 1, 5)), nil, "table [5] run [] hold [] end []", 5},
		{"nothing changes when it is loaded again", 50, source(rule("a", 1, 5)), nil, "table [5] run [] hold [] end []", 50},
		{"a rule that is heard of late is owed what lies between", 60, source(rule("a", 1, 5), rule("late", 1, 55)), nil, "table [5; -] run [late/t0] hold [] end []", 60},
		{"a rule that holds from the pass on joins it", 60, source(rule("a", 1, 5), rule("late", 1, 55), rule("c", 1, 60)), nil, "table [5; -; 60] run [late/t0] hold [] end []", 60},
		{"a rule of which nothing is left leaves nothing", 61, source(rule("a", 1, 5), rule("c", 1, 60)), nil, "table [5; 60] run [] hold [] end [late/t0]", 61},
		{"a target that failed leaves the pass", 70, source(rule("a", 2, 5), rule("c", 1, 60)), map[string]string{"c/t0": "ill"}, "table [5; -] run [c/t0] hold [] end []", 70},
		{"a paused rule keeps its place", 75, source(paused, rule("c", 1, 60)), nil, "table [-; -] run [c/t0] hold [a/t0] end []", 75},
		{"and goes on from there", 90, source(rule("a", 4, 5), rule("c", 1, 60)), nil, "table [-; -] run [a/t0 c/t0] hold [] end []", 90},
		{"a target that is added late is owed what lies between", 95, source(grown, rule("c", 1, 60)), nil, "table [- -; -] run [a/t0 a/t1 c/t0] hold [] end []", 95},
	} {
		s := l.read(t)
		if c.at >= 0 {
			s.Main.At = c.at
			l.write(t, course.Note{Key: seat.Key(), Value: *s.Main})
		}
		x := s.Take(seat, c.src, "", c.ill, 1000, 999)
		if got := told(x); got != c.want {
			t.Errorf("%d. %s:\n got %s\nwant %s", i, c.what, got, c.want)
		}
		if s.Main.At != c.main {
			t.Errorf("%d. %s: the pass is at %d, want %d", i, c.what, s.Main.At, c.main)
		}
		l.write(t, x.Notes...)
		if again := l.read(t).Take(seat, c.src, "", nil, 1000, 999); len(again.Notes) != 0 {
			t.Errorf("%d. %s: what was written does not say it: %v", i, c.what, again.Notes)
		}
	}
	s := l.read(t)
	for n, at := range map[string]int64{"a/t0": 75, "a/t1": 80, "c/t0": 70} {
		if b := s.Branches[course.Name{Target: n}]; b.At != at {
			t.Errorf("the branch of %s is at %d, want %d", n, b.At, at)
		}
	}
	l.write(t, s.Rejoin(seat, course.Name{Target: "a/t0"}))
	if got := told(l.read(t).Take(seat, source(grown, rule("c", 1, 60)), "", nil, 0, 0)); got != "table [5 -; -] run [a/t1 c/t0] hold [] end []" {
		t.Errorf("after a target came back: %s", got)
	}
}

// A pass in which nothing was begins where the next rule holds, and one without a
// rule at the end.
func TestAPassBeginsWhereSomethingIsWanted(t *testing.T) {
	l := log{}
	s := l.read(t)
	l.write(t, s.Take(seat, source(), "", nil, 0, 42).Notes...)
	if at := l.read(t).Main.At; at != 42 {
		t.Errorf("without a rule it begins at %d", at)
	}
	s = l.read(t)
	s.Take(seat, source(rule("a", 1, 100)), "", nil, 0, 0)
	if s.Main.At != 100 {
		t.Errorf("it begins at %d, and the rule at 100", s.Main.At)
	}
}

// Of a topic that was made anew nothing is skipped.
func TestATopicThatIsMadeAnewIsReadFromItsBeginning(t *testing.T) {
	l := log{}
	s := l.read(t)
	l.write(t, s.Take(seat, source(rule("a", 1, 500)), "one", nil, 0, 0).Notes...)
	s = l.read(t)
	x := s.Take(seat, source(rule("a", 1, 500)), "two", nil, 0, 0)
	if s.Main.At != 0 || told(x) != "table [0] run [] hold [] end []" {
		t.Errorf("at %d: %s", s.Main.At, told(x))
	}
	l.write(t, x.Notes...)
	s = l.read(t)
	if x := s.Take(seat, source(rule("a", 1, 500)), "two", nil, 0, 0); told(x) != "table [0] run [] hold [] end []" {
		t.Errorf("loaded again: %s", told(x))
	}
}

// What replays have left is kept as long as they are there.
func TestReplaysAreForgottenWithTheirBranches(t *testing.T) {
	l, src := log{}, source(rule("a", 1, 0))
	s := l.read(t)
	l.write(t, s.Take(seat, src, "", nil, 0, 0).Notes...)
	l.write(t, course.Note{Key: seat.ReplayKey("r-id"), Value: course.Replay{Name: "r", At: 7}},
		course.Note{Key: seat.BranchKey(course.Name{Replay: "r-id", Target: "a/t0"}), Value: course.Branch{At: 3, Until: 9}})
	src.Replays = []*plan.Replay{{Ref: name.Of(name.Replay, "r"), ID: "r-id"}}
	if x := l.read(t).Take(seat, src, "", nil, 0, 0); told(x) != "table [0] run [r-id:a/t0] hold [] end []" || len(x.Notes) != 0 {
		t.Errorf("while it is there: %s, %v", told(x), x.Notes)
	}
	src.Replays[0].Cancelled = true
	x := l.read(t).Take(seat, src, "", nil, 0, 0)
	l.write(t, x.Notes...)
	if told(x) != "table [0] run [] hold [] end [r-id:a/t0]" || len(l) != 2 {
		t.Errorf("when it is cancelled: %s, and there are %d records", told(x), len(l))
	}
}

func TestAnEventIsGivenUpWhenItIsTooOld(t *testing.T) {
	b := course.Branch{SinceMs: 1000, Attempts: 3}
	for _, c := range []struct {
		final          bool
		eventMs, nowMs int64
		want           course.Verdict
	}{
		{true, 0, 1000, course.Verdict{GiveUp: true}},
		{false, 0, 10_999, course.Verdict{WaitMs: 1000}},
		{false, 0, 11_000, course.Verdict{GiveUp: true, Exhausted: course.AgeExhausted, UntilMs: 1000}},
		{false, 5000, 11_000, course.Verdict{WaitMs: 1000}},
		{false, 5000, 15_000, course.Verdict{GiveUp: true, Exhausted: course.AgeExhausted, UntilMs: 5000}},
	} {
		if got := course.Judge(b, plan.Retry{Most: -1, MaxAgeMs: 10_000}, c.final, c.eventMs, c.nowMs); got != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	var waits []int64
	for n := range 10 {
		waits = append(waits, course.Wait(n))
	}
	if want := []int64{250, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}; !slices.Equal(waits, want) {
		t.Errorf("pauses are %v", waits)
	}
}

// Attempts are over when there were as many as the target wants, and the time is over that
// they take.
func TestAnEventIsGivenUpWhenItWasTriedOftenEnough(t *testing.T) {
	for _, c := range []struct {
		retry    plan.Retry
		attempts int
		nowMs    int64
		want     course.Verdict
	}{
		{plan.Retry{Most: 0}, 1, 1000, course.Verdict{GiveUp: true, Exhausted: course.RetriesExhausted}}, // and nothing behind it
		{plan.Retry{Most: 2}, 3, 3999, course.Verdict{WaitMs: 1000}},
		{plan.Retry{Most: 2}, 3, 4000, course.Verdict{GiveUp: true, Exhausted: course.RetriesExhausted}},
		{plan.Retry{Most: 6}, 7, 63_999, course.Verdict{WaitMs: 16_000}},
		{plan.Retry{Most: 6}, 7, 64_000, course.Verdict{GiveUp: true, Exhausted: course.RetriesExhausted, UntilMs: 1000}},
		{plan.Retry{Most: 6}, 7, 100_000, course.Verdict{GiveUp: true, Exhausted: course.RetriesExhausted, UntilMs: 37_000}},
		{plan.Retry{Most: 6}, 7, 3600_000, course.Verdict{GiveUp: true, Exhausted: course.RetriesExhausted, UntilMs: 64_000}},
		{plan.Retry{Most: 2}, 2, 9000, course.Verdict{WaitMs: 500}},
		{plan.Retry{Most: 2, WaitsMs: []int64{100}}, 3, 1200, course.Verdict{GiveUp: true, Exhausted: course.RetriesExhausted}},
		{plan.Retry{Most: 185}, 186, 23 * 3600_000, course.Verdict{WaitMs: 30_000}},
		{plan.Retry{Most: -1}, 1000, 23 * 3600_000, course.Verdict{WaitMs: 30_000}},
	} {
		if got := course.Judge(course.Branch{SinceMs: 1000, Attempts: c.attempts}, c.retry, false, 0, c.nowMs); got != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
		if c.want.GiveUp && course.Patience(c.retry) > c.nowMs-1000 {
			t.Errorf("%+v: it is said to be tried for %d ms", c, course.Patience(c.retry))
		}
	}
	if got := course.Patience(plan.Retry{Most: 185}); got > 24*3600_000 || got < 23*3600_000 {
		t.Errorf("185 attempts take %d ms, want about a day", got)
	}
}

func FuzzAnyRecordsAreRead(f *testing.F) {
	b, _ := json.Marshal(course.Rule{ID: "a", Targets: map[string]int64{"t": 1}})
	f.Add("rule/x", b)
	f.Add("", []byte(`{"at":5}`))
	f.Add("branch/r/t", []byte(`{"at":-1}`))
	f.Fuzz(func(t *testing.T, rest string, value []byte) {
		s, err := course.Read(map[string][]byte{rest: value})
		if err == nil {
			s.Take(seat, source(rule("a", 1, 5)), "topic", map[string]string{"a/t0": "ill"}, 1, 2)
		}
		course.SeatOf(rest)
	})
}
