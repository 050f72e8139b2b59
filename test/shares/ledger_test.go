package main

import (
	"strings"
	"testing"
	"time"
)

var began = time.Unix(1000, 0)

func at(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }

func TestALedgerFindsWhatIsPlanted(t *testing.T) {
	one, two := name{"k", 0}, name{"k", 1}
	for _, tc := range []struct {
		what    string
		ordered bool
		do      func(*ledger)
		want    string // of the complaint; empty for none
	}{
		{"a clean course", true, func(l *ledger) {
			l.delivered(one, place{}, 1, at(1))
			l.trying([]name{one}, at(2))
			l.delivered(two, place{}, 1, at(2)) // its answer may be on its way
			l.confirmed([]name{one}, at(3))
			l.trying([]name{two}, at(4))
			l.confirmed([]name{two}, at(5))
		}, ""},
		{"a delivery that was asked for before the confirmation", false, func(l *ledger) {
			l.trying([]name{one, two}, at(2))
			l.confirmed([]name{one, two}, at(5))
			l.delivered(one, place{}, 1, at(4))
		}, ""},
		{"a delivery after the confirmation", false, func(l *ledger) {
			l.trying([]name{one, two}, at(2))
			l.confirmed([]name{one, two}, at(5))
			l.delivered(one, place{}, 1, at(6))
		}, "after its acknowledgement was confirmed"},
		{"two acknowledgements", false, func(l *ledger) {
			l.trying([]name{one, two}, at(2))
			l.confirmed([]name{one}, at(5))
			l.confirmed([]name{one}, at(6))
		}, "acknowledged twice"},
		{"a key out of order", true, func(l *ledger) {
			l.delivered(two, place{}, 1, at(1))
			l.trying([]name{one, two}, at(2))
		}, "before anybody accepted the one before it"},
		{"a lost record", false, func(l *ledger) { l.trying([]name{one}, at(2)) }, "1 of 2 records were never accepted"},
	} {
		l := newLedger("g", tc.ordered)
		tc.do(l)
		err := l.verdict(map[string]int{"k": 2})
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.what, err, tc.want)
		}
	}
}
