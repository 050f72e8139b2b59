package beside

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDelaysAreToldByTheNearestRank(t *testing.T) {
	var hundred Delays
	for i := 100; i > 0; i-- {
		hundred = append(hundred, time.Duration(i)*time.Millisecond)
	}
	for _, c := range []struct {
		d     Delays
		share float64
		want  float64
	}{
		{nil, 0.99, 0},
		{Delays{7 * time.Millisecond}, 0.01, 7},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.991, 100},
		{hundred, 1, 100},
	} {
		if got := c.d.Ms(c.share); got != c.want {
			t.Errorf("%d delays at %v: got %v ms, want %v", len(c.d), c.share, got, c.want)
		}
	}
}

func TestARatioIsTheMedianOfThePairs(t *testing.T) {
	of := func(other, ours float64) Pair {
		return Pair{Outcome{Seen: Seen{"x": other}}, Outcome{Seen: Seen{"x": ours}}}
	}
	pairs := []Pair{of(10, 5), of(20, 4), of(10, 9)}
	for _, c := range []struct {
		f     Figure
		holds bool
		word  string
		bound string
	}{
		{Figure{"x", AtMost, 0.5, false}, true, "ok", "<= 0.5"},
		{Figure{"x", AtMost, 0.4, false}, false, "SHORT", "<= 0.4"},
		{Figure{"x", AtLeast, 0.5, false}, true, "ok", ">= 0.5"},
		{Figure{"x", AtLeast, 1, false}, false, "SHORT", ">= 1"},
		{Figure{"x", AtLeast, 5, true}, true, "ok", ">= 5"},
		{Figure{"x", AtMost, 4, true}, false, "SHORT", "<= 4"},
		{Figure{"x", Reported, 0, false}, true, "reported", ""},
	} {
		v := judge(c.f, pairs)
		if v.other != 10 || v.ours != 5 || v.ratio != 0.5 || v.holds != c.holds || v.word(c.f) != c.word || c.f.bound() != c.bound {
			t.Errorf("%+v: got %+v, %q, %q", c.f, v, v.word(c.f), c.f.bound())
		}
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median of an even count: got %v, want 2.5", got)
	}
}

func TestAPairIsBusyWhenOthersTookMoreThanHalfACore(t *testing.T) {
	for _, c := range []struct {
		other, ours float64
		want        bool
	}{{0.1, 0.5, false}, {0.51, 0, true}, {0, 0.51, true}} {
		if got := (Pair{Outcome{Others: c.other}, Outcome{Others: c.ours}}).busy(); got != c.want {
			t.Errorf("%v and %v cores: got %v", c.other, c.ours, got)
		}
	}
}

func TestPairsAlternateUntilThereAreEnough(t *testing.T) {
	var order []string
	run := func(who string, others ...float64) Run {
		return func(n int) (Outcome, error) {
			order = append(order, who)
			return Outcome{Others: others[min(n, len(others)-1)], Seen: Seen{"x": float64(n)}}, nil
		}
	}
	g, err := Alternate(2, false, run("a", 0.6, 0), run("b", 0))
	if got := strings.Join(order, ""); err != nil || got != "ababab" || len(g.Pairs) != 2 || g.Thrown != 1 {
		t.Errorf("got %s, %d pairs, %d thrown away, %v; want ababab, 2, 1", got, len(g.Pairs), g.Thrown, err)
	}
	if g, _ := Alternate(2, false, run("a", 1), run("b", 0)); len(g.Pairs) != 0 || g.Thrown != 3 {
		t.Errorf("a machine that is never quiet: %d pairs, %d thrown away, want 0 and 3", len(g.Pairs), g.Thrown)
	}
	if g, _ := Alternate(1, true, run("a", 1), run("b", 0)); len(g.Pairs) != 1 {
		t.Error("a busy pair that was to be kept was not")
	}
	broken := errors.New("broken")
	if _, err := Alternate(1, false, run("a", 0), func(int) (Outcome, error) { return Outcome{}, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestTheTableTellsWhatFallsShort(t *testing.T) {
	var b strings.Builder
	g := Gathered{Thrown: 1, Pairs: []Pair{{Outcome{Seen: Seen{"x": 10, "y": 1}}, Outcome{Seen: Seen{"x": 5, "y": 2}}}}}
	short, err := Report(&b, "m", []Figure{{"x", AtMost, 0.5, false}, {"y", AtMost, 1, false}}, g)
	want := "m              x                      10.000        5.000    0.500   <= 0.5  ok (1 pairs thrown away)\n" +
		"m              y                       1.000        2.000    2.000   <= 1    SHORT (1 pairs thrown away)\n"
	if err != nil || short != 1 || b.String() != want {
		t.Errorf("got %d, %v\n%s\nwant 1\n%s", short, err, b.String(), want)
	}
	if short, err := Report(&b, "m", []Figure{{"x", AtMost, 0.5, false}, {"y", Reported, 0, false}}, Gathered{Thrown: 4}); err != nil || short != 1 {
		t.Errorf("nothing measured: got %d, %v, want 1", short, err)
	}
}
