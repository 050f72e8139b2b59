package nodes

import (
	"slices"
	"testing"
	"time"

	"ottla/internal/wire/own"
)

func TestAHistoryIsToldWithItsBeginAndItsGaps(t *testing.T) {
	at := func(s string) int64 {
		when, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return when.UnixMilli()
	}
	moved := own.Change{AtMs: at("2026-11-26 12:03:11"), Why: "node 1 silent for 2.1 s", From: 1, To: 2, WasISR: []int32{1, 2}, ISR: []int32{2}, ELR: []int32{1}}
	back := own.Change{AtMs: at("2026-11-26 12:05:00"), Why: "its leader, node 2, told who is in sync", From: 2, To: 2, WasISR: []int32{2}, ISR: []int32{2, 1}}
	const first = "leader moved 1 -> 2 at 12:03:11: node 1 silent for 2.1 s; in sync [2], before [1 2]; eligible [1]"
	const second = "changed at 12:05:00: its leader, node 2, told who is in sync; in sync [2 1], before [2]"
	for _, c := range []struct {
		since string
		has   []own.Change
		want  []string
	}{
		{"2026-11-26 12:03:10", []own.Change{moved, back}, []string{"node 3 became the controller at 12:03:10 (times are UTC); what was before that is not known", first, second}},
		{"2026-11-26 12:04:00", []own.Change{moved, back}, []string{first, "node 3 became the controller at 12:04:00 again (times are UTC); what others decided in between is not known", second}},
		{"2026-11-26 12:06:00", []own.Change{moved}, []string{first, "node 3 became the controller at 12:06:00 again (times are UTC); what others decided in between is not known"}},
		{"2026-11-25 12:06:00", nil, []string{"nothing has changed since node 3 became the controller at 2026-11-25 12:06:00 (UTC); what was before that is not known"}},
	} {
		got := Told(&own.History{Told: own.Told{Node: 3, SinceMs: at(c.since)}, Changes: c.has}, time.UnixMilli(at("2026-11-26 13:00:00")))
		if !slices.Equal(got, c.want) {
			t.Errorf("since %s: got %q, want %q", c.since, got, c.want)
		}
	}
	if c := Changes(&own.History{Changes: []own.Change{moved}}); len(c) != 1 || c[0].At != "2026-11-26T12:03:11Z" || c[0].To != 2 || len(c[0].Eligible) != 1 {
		t.Errorf("%+v", c)
	}
}
