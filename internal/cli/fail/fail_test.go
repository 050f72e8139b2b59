package fail

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestFailurePrintsThreeLines(t *testing.T) {
	f := New(NotFound, "cannot read topic x", "there is no topic x", "ottla topic list")
	var b strings.Builder
	Print(&b, fmt.Errorf("wrapped: %w", f), false)
	if want := "error: cannot read topic x\n  why: there is no topic x\n  try: ottla topic list\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestFailureAsJSONIsOneObject(t *testing.T) {
	f := &Failure{Code: TimedOut, What: "a", Why: "b", Next: "c", KafkaError: "REQUEST_TIMED_OUT"}
	var b strings.Builder
	Print(&b, f, true)
	if want := `{"code":7,"message":"a","reason":"b","hint":"c","kafka_error":"REQUEST_TIMED_OUT"}` + "\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestPlainErrorsAreFailures(t *testing.T) {
	var b strings.Builder
	Print(&b, errors.New("boom"), false)
	if b.String() != "error: boom\n" {
		t.Errorf("got %q", b.String())
	}
	for _, c := range []struct {
		err  error
		want int
	}{{nil, OK}, {errors.New("x"), Failed}, {Usagef("x"), Usage}, {fmt.Errorf("a: %w", New(Unreachable, "x", "", "")), Unreachable}} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("CodeOf(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

func TestCauseStaysReachable(t *testing.T) {
	cause := errors.New("root")
	if f := (&Failure{What: "w", Why: "y", Cause: cause}); !errors.Is(f, cause) || f.Error() != "w: y" {
		t.Errorf("got %v, Is %v", f, errors.Is(f, cause))
	}
}
