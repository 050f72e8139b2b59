package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ottla/internal/event/cron"
)

func TestRunsAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		ours, croniter, cronParser          []int64
		agreed, asCroniter, asParser, wrong int
	}{
		"all the same":          {[]int64{1, 5}, []int64{1, 5}, []int64{1, 5}, 2, 0, 0, 0},
		"one of ours is missed": {[]int64{1}, []int64{1, 5}, []int64{1, 5}, 1, 0, 0, 1},
		"one of ours is more":   {[]int64{1, 3, 5}, []int64{1, 5}, []int64{1, 5}, 2, 0, 0, 1},
		"the others differ":     {[]int64{1, 5}, []int64{1}, []int64{1, 5}, 1, 0, 1, 0},
		"as croniter":           {[]int64{1}, []int64{1}, []int64{1, 5}, 1, 1, 0, 0},
		"nothing":               {nil, nil, nil, 0, 0, 0, 0},
	} {
		var got tally
		got.judge(drawn{ours: "* * * * *"}, "UTC", c.ours, reply{Runs: c.croniter}, reply{Runs: c.cronParser})
		if got.agreed != c.agreed || got.asCroniter != c.asCroniter || got.asCronParser != c.asParser || len(got.wrong) != c.wrong || got.runs != len(c.ours) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	var moved tally
	gap := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC).Unix() // 03:00 in Berlin
	moved.judge(drawn{}, "Europe/Berlin", nil, reply{Runs: []int64{gap, gap + 3600}}, reply{Runs: []int64{gap, gap + 3600}})
	if moved.skipped != 1 || len(moved.wrong) != 1 {
		t.Errorf("what clocks skip: %+v", moved)
	}
	var twice tally
	again := time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC).Unix() // the second 02:30 in Berlin
	twice.judge(drawn{}, "Europe/Berlin", []int64{again - 3600}, reply{Runs: []int64{again - 3600, again}}, reply{Runs: []int64{again - 3600, again}})
	if twice.skipped != 1 || twice.agreed != 1 || len(twice.wrong) != 0 {
		t.Errorf("what clocks show twice: %+v", twice)
	}
	var got tally
	got.judge(drawn{}, "UTC", []int64{1}, reply{Error: "no"}, reply{})
	if got.refused != 1 || len(got.wrong) != 0 {
		t.Errorf("what one refuses: %+v", got)
	}
}

func TestAllThatIsDrawnIsAnExpressionAndAllOfItIsSeen(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	for range 2000 {
		d := draw(rng)
		if _, err := cron.Parse(d.ours, nil); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"L ", "#", "*/", "-", ",", "MON", "JAN", "5L"} {
			seen[part] = seen[part] || strings.Contains(d.ours, part)
		}
		if d.dense {
			seen["dense"] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("seen %v", seen)
	}
	for part, ok := range seen {
		if !ok {
			t.Errorf("%q was never drawn", part)
		}
	}
}

func TestDenseExpressionsAreComparedWhereClocksAreMoved(t *testing.T) {
	got := spans(drawn{dense: true}, "Europe/Berlin")
	if len(got) != 1+2*years+1 && len(got) != 1+2*years {
		t.Errorf("%d spans", len(got))
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range got[1:] {
		_, before := time.Unix(s[0], 0).In(berlin).Zone()
		_, after := time.Unix(s[1], 0).In(berlin).Zone()
		if before == after {
			t.Errorf("no clock is moved in %v", s)
		}
	}
	if got := spans(drawn{}, "Europe/Berlin"); len(got) != 1 || got[0][1]-got[0][0] < 3650*day {
		t.Errorf("the others are compared in %v", got)
	}
}
