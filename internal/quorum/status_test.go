package quorum

import "testing"

func TestALeaderStandsSinceMostVotersWereHeard(t *testing.T) {
	for _, c := range []struct {
		heard []int64
		want  int64
	}{
		{nil, -1},
		{[]int64{100}, 100},
		{[]int64{100, 40}, 40},
		{[]int64{100, 40, 70}, 70},
		{[]int64{-1, 100, -1}, -1},
		{[]int64{10, 20, 100, 30}, 20},
		{[]int64{10, 20, 100, 30, -1}, 20},
	} {
		s := Status{}
		for _, ms := range c.heard {
			s.Voters = append(s.Voters, Replica{LastFetchMs: ms})
		}
		if got := s.StandingMs(); got != c.want {
			t.Errorf("voters heard at %v: stands since %d, want %d", c.heard, got, c.want)
		}
	}
}
