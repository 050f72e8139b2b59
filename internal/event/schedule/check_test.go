package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/schedule/course"
)

const now = int64(1_796_000_400_000) // 2026-11-30T01:00:00Z

func good() Spec {
	return Spec{Expression: "rate(1 hour)", Target: Target{Topic: "jobs", Input: "x"}}
}

func TestWhatIsWrongWithASpecIsNamed(t *testing.T) {
	n := func(i int) *int { return &i }
	for _, c := range []struct {
		field string
		how   func(*Spec)
	}{
		{"expression", func(s *Spec) { s.Expression = "rate(1 fortnight)" }},
		{"expression", func(s *Spec) { s.Expression = "at(2026-11-30T00:58:00)" }},
		{"expression", func(s *Spec) { s.Expression, s.EndMs = "at(2026-12-01T00:00:00)", now }},
		{"expression", func(s *Spec) { s.Expression, s.StartMs = "at(2026-12-01T00:00:00)", now*2 }},
		{"zone", func(s *Spec) { s.Zone = "Mars/Olympus" }},
		{"zone", func(s *Spec) { s.Zone = "Local" }},
		{"zone", func(s *Spec) { s.Zone = "../etc/passwd" }},
		{"start_ms", func(s *Spec) { s.StartMs = -1 }},
		{"end_ms", func(s *Spec) { s.EndMs = -1 }},
		{"end_ms", func(s *Spec) { s.StartMs, s.EndMs = now+1, now }},
		{"window_ms", func(s *Spec) { s.WindowMs = MostWindowMs + 1 }},
		{"missed", func(s *Spec) { s.Missed = "some" }},
		{"description", func(s *Spec) { s.Description = strings.Repeat("x", mostText+1) }},
		{"extra", func(s *Spec) { s.Extra = make([]byte, mostExtra+1) }},
		{"retry.max_age_ms", func(s *Spec) { s.Retry.MaxAgeMs = 1000 }},
		{"retry.retries", func(s *Spec) { s.Retry.Retries = n(186) }},
		{"retry.retries", func(s *Spec) { s.Retry.Retries = n(-1) }},
		{"dead_letters", func(s *Spec) { s.DeadLetters = "a queue" }},
		{"dead_letters", func(s *Spec) { s.DeadLetters = "arn:aws:events:us-east-1:123456789012:event-bus/x" }},
		{"target", func(s *Spec) { s.Target.Queue = "q" }},
		{"target", func(s *Spec) { s.Target = Target{} }},
		{"target.topic", func(s *Spec) { s.Target.Topic = "a b" }},
		{"target.topic", func(s *Spec) { s.Target.Topic = "__consumer_offsets" }},
		{"target.method", func(s *Spec) { s.Target.Method = "POST" }},
		{"target.input", func(s *Spec) { s.Target.Input = strings.Repeat("x", MostInput+1) }},
		{"target.key", func(s *Spec) { s.Target.Key = strings.Repeat("x", mostKey+1) }},
		{"target.headers", func(s *Spec) { s.Target.Headers = map[string]string{"a b": ""} }},
		{"target.headers", func(s *Spec) { s.Target.Headers = map[string]string{"a": "b\r\nc: d"} }},
		{"target.headers", func(s *Spec) { s.Target.Headers = map[string]string{"a": strings.Repeat("x", mostHeader)} }},
		{"target.headers", func(s *Spec) { s.Target = Target{URL: "https://example.org", Headers: map[string]string{"a(b": ""}} }},
		{"target.headers", func(s *Spec) {
			s.Target = Target{URL: "https://example.org", Headers: map[string]string{"X-A": "", "x-a": ""}}
		}},
		{"target.queue", func(s *Spec) { s.Target = Target{Queue: "a/b"} }},
		{"target", func(s *Spec) { s.Target = Target{Bus: "b", SNS: "s"} }},
		{"target.bus", func(s *Spec) { s.Target = Target{Bus: "a b"} }},
		{"target.bus", func(s *Spec) { s.Target = Target{Bus: "arn:aws:sns:us-east-1:123456789012:x"} }},
		{"target.type", func(s *Spec) { s.Target.Type = "T" }},
		{"target.type", func(s *Spec) { s.Target.Source = "s" }},
		{"target.type", func(s *Spec) { s.Target = Target{Bus: "b", Type: strings.Repeat("x", mostType+1)} }},
		{"target.source", func(s *Spec) { s.Target = Target{Bus: "b", Source: strings.Repeat("x", mostSource+1)} }},
		{"target.input", func(s *Spec) { s.Target = Target{Bus: "b", Input: "text"} }},
		{"target.input", func(s *Spec) { s.Target = Target{Bus: "b", Input: "[1]"} }},
		{"target.input", func(s *Spec) { s.Target = Target{Bus: "b", Input: `{"a":<aws.scheduler.execution-id>}`} }},
		{"target.headers", func(s *Spec) { s.Target = Target{Bus: "b", Headers: map[string]string{"ce_id": "x"}} }},
		{"target.method", func(s *Spec) { s.Target = Target{Bus: "b", Method: "POST"} }},
		{"target.sns", func(s *Spec) { s.Target = Target{SNS: "a/b", Input: "x"} }},
		{"target.input", func(s *Spec) { s.Target = Target{SNS: "s"} }},
		{"target.headers", func(s *Spec) { s.Target = Target{SNS: "s", Input: "x", Headers: map[string]string{"a!": "x"}} }},
		{"target.function", func(s *Spec) { s.Target = Target{Function: "a b"} }},
		{"target.key", func(s *Spec) { s.Target = Target{Function: "f", Key: "k"} }},
		{"target.headers", func(s *Spec) { s.Target = Target{Function: "f", Headers: map[string]string{"a": "b"}} }},
		{"target.url", func(s *Spec) { s.Target = Target{URL: "ftp://example.org"} }},
		{"target.url", func(s *Spec) { s.Target = Target{URL: "https://user:pass@example.org"} }},
		{"target.url", func(s *Spec) { s.Target = Target{URL: "https://example.org/" + strings.Repeat("x", mostURL)} }},
		{"target.url", func(s *Spec) { s.Target = Target{URL: "https://%zz"} }},
		{"target.method", func(s *Spec) { s.Target = Target{URL: "https://example.org", Method: "CONNECT"} }},
	} {
		s := good()
		c.how(&s)
		err := s.check(Ref{Name: "n"}, nil, now)
		var named *InvalidError
		if !errors.As(err, &named) || named.Field != c.field || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", c.field, err)
		}
	}
}

func TestASpecIsFilledIn(t *testing.T) {
	s := Spec{Expression: "0 9 * * *", Zone: "Europe/Berlin", Target: Target{URL: "https://example.org/x", Method: "put"}, Description: strings.Repeat("é", mostText)}
	if err := s.check(Ref{Name: "n"}, nil, now); err != nil {
		t.Fatal(err)
	}
	if s.Missed != course.All || *s.Retry.Retries != MostRetries || s.Retry.MaxAgeMs != MostAgeMs || s.Target.Method != "PUT" || s.SinceMs != now {
		t.Errorf("got %+v", s)
	}
	runs, err := s.Runs(time.UnixMilli(now), 2)
	if err != nil || len(runs) != 2 || runs[0].Format(time.RFC3339) != "2026-11-30T09:00:00+01:00" {
		t.Errorf("its runs are %v, %v", runs, err)
	}
	s.Paused = true
	if runs, err := s.Runs(time.UnixMilli(now), 2); err != nil || len(runs) != 0 {
		t.Errorf("paused, its runs are %v, %v", runs, err)
	}
}

// What is told anew with the same timing keeps its place; resuming begins anew.
func TestSinceWhenATimingHolds(t *testing.T) {
	old := good()
	old.SinceMs = now - 1000
	for name, c := range map[string]struct {
		how  func(s, old *Spec)
		want int64
	}{
		"the same":         {func(*Spec, *Spec) {}, now - 1000},
		"another target":   {func(s, _ *Spec) { s.Target.Topic = "other" }, now - 1000},
		"another rate":     {func(s, _ *Spec) { s.Expression = "rate(2 hours)" }, now},
		"another zone":     {func(s, _ *Spec) { s.Zone = "Europe/Berlin" }, now},
		"another end":      {func(s, _ *Spec) { s.EndMs = now + 1 }, now},
		"paused":           {func(s, _ *Spec) { s.Paused = true }, now - 1000},
		"resumed":          {func(_, old *Spec) { old.Paused = true }, now},
		"paused as it was": {func(s, old *Spec) { s.Paused, old.Paused = true, true }, now - 1000},
	} {
		s, before := good(), old
		c.how(&s, &before)
		if err := s.check(Ref{Name: "n"}, &before, now); err != nil || s.SinceMs != c.want {
			t.Errorf("%s: since %d, want %d (%v)", name, s.SinceMs, c.want, err)
		}
	}
}

func TestAnIDIsARunsOwn(t *testing.T) {
	a := run{Schedule: Schedule{ID: "x"}, SlotMs: 5, Attempt: 1}
	b, c := a, a
	b.Attempt, c.SlotMs = 2, 6
	if a.id() != b.id() || a.id() == c.id() || len(a.id()) != 36 {
		t.Errorf("%s, %s, %s", a.id(), b.id(), c.id())
	}
}

func TestRefsHaveDefaults(t *testing.T) {
	if got := (Ref{Name: "n"}).ARN(); got != "arn:aws:scheduler:us-east-1:123456789012:schedule/default/n" {
		t.Errorf("got %s", got)
	}
	full := Ref{"111111111111", "eu-west-1", "g", "n"}
	if RefOf(full.Full()) != full {
		t.Errorf("got %+v", RefOf(full.Full()))
	}
	if got := (GroupRef{Name: "g"}).ARN(); got != "arn:aws:scheduler:us-east-1:123456789012:schedule-group/g" {
		t.Errorf("got %s", got)
	}
}
