package quorum

import (
	"testing"
	"time"
)

func TestALeaderStandsSinceMostVotersWereHeard(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		ago  []int // ms; negative: not heard
		want int
	}{
		{nil, -1},
		{[]int{0}, 0},
		{[]int{0, 60}, 60},
		{[]int{0, 60, 30}, 30},
		{[]int{-1, 0, -1}, -1},
		{[]int{90, 80, 0, 70}, 80},
		{[]int{90, 80, 0, 70, -1}, 80},
		{[]int{-1, 0, 2_000}, 2_000},
	} {
		s := Status{}
		for _, ms := range c.ago {
			r := Replica{}
			if ms >= 0 {
				r.Heard = now.Add(-time.Duration(ms) * time.Millisecond)
			}
			s.Voters = append(s.Voters, r)
		}
		got, known := s.Standing(now)
		if known != (c.want >= 0) || known && got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("voters heard %v ms ago: stands for %v (%v), want %d ms", c.ago, got, known, c.want)
		}
	}
}

// A clock that was set shows in what is told to people and in nothing else: times
// that Now gives carry the time that has passed.
func TestASetClockDoesNotShowInHowLongALeaderStands(t *testing.T) {
	heard := time.Now()
	later := heard.Add(40 * time.Millisecond)
	s := Status{Voters: []Replica{{Heard: heard, LastFetchMs: heard.Add(time.Hour).UnixMilli()}}}
	if got, known := s.Standing(later); !known || got != 40*time.Millisecond {
		t.Errorf("stands for %v (%v), want 40 ms", got, known)
	}
	if got, known := s.Standing(heard.Add(-time.Hour)); !known || got != 0 {
		t.Errorf("before it was heard: %v (%v)", got, known)
	}
}
