package slab

import "testing"

func TestGetLendsTheSmallestClassThatFits(t *testing.T) {
	for _, tc := range []struct{ n, want int }{
		{0, Min}, {1, Min}, {Min, Min}, {Min + 1, 16 << 10}, {64 << 10, 64 << 10}, {Max, Max}, {Max + 1, Max + 1},
	} {
		s := Get(tc.n)
		if len(s.B) != tc.want || Size(tc.n) != tc.want {
			t.Errorf("Get(%d) has %d bytes and Size says %d, want %d", tc.n, len(s.B), Size(tc.n), tc.want)
		}
		Put(s)
	}
	Put(nil)
}
