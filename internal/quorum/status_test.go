package quorum

import (
	"testing"
	"time"

	"ottla/internal/uuid"
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

// TestALeaderHasJustHeardItself: under the directory it has now, and only while it
// leads.
func TestALeaderHasJustHeardItself(t *testing.T) {
	o := Options{NodeID: 2, DirectoryID: uuid.UUID{2}, Now: func() time.Time { return time.UnixMilli(900) }}
	for leader, want := range map[int32]int64{2: 900, 1: -1} {
		s := Status{Leader: leader, Voters: []Replica{
			{ID: 1, LastFetchMs: 50}, {ID: 2, DirectoryID: uuid.UUID{2}, LastFetchMs: -1}, {ID: 2, DirectoryID: uuid.UUID{7}, LastFetchMs: 30},
		}}
		s.witnessSelf(&o)
		if got := s.Voters[1].LastFetchMs; got != want || s.Voters[1].Heard.IsZero() == (leader == 2) {
			t.Errorf("node %d leads: node 2 heard itself at %d, want %d", leader, got, want)
		}
		if s.Voters[0].LastFetchMs != 50 || s.Voters[2].LastFetchMs != 30 {
			t.Errorf("node %d leads: others were heard at %+v", leader, s.Voters)
		}
	}
}
