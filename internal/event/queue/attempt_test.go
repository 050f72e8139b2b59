package queue

import "testing"

func TestTimesOfFirstDeliveriesAreForgottenByGenerations(t *testing.T) {
	var f firsts
	key := func(i int) firstKey { return firstKey{offset: int64(i)} }
	for i := range 2*maxFirsts + 1 {
		if got := f.note(key(i), 1, int64(i+1)); got != int64(i+1) {
			t.Fatalf("first delivery of %d: got %d", i, got)
		}
	}
	for _, c := range []struct {
		i    int
		want int64
	}{
		{0, 0}, {maxFirsts - 1, 0}, {maxFirsts, maxFirsts + 1}, {2*maxFirsts - 1, 2 * maxFirsts}, {2 * maxFirsts, 2*maxFirsts + 1}, {2*maxFirsts + 1, 0},
	} {
		if got := f.note(key(c.i), 2, 7); got != c.want {
			t.Errorf("second delivery of %d: got %d, want %d", c.i, got, c.want)
		}
	}
	if n := len(f.now) + len(f.old); n > 2*maxFirsts {
		t.Errorf("%d times are remembered", n)
	}
}

func TestAnswersAreGatheredByPartition(t *testing.T) {
	var all []answers
	for _, i := range []int32{2, 0, 2, 1, 0} {
		x := answersOf(&all, (&ticket{partition: i}).part("g"), 5)
		x.places = append(x.places, int(i))
	}
	var got []int
	for _, x := range all {
		got = append(got, len(x.places))
		for _, i := range x.places {
			if int32(i) != x.part.Index {
				t.Errorf("partition %d has an answer of %d", x.part.Index, i)
			}
		}
	}
	if len(got) != 3 || got[0] != 2 || got[1] != 2 || got[2] != 1 {
		t.Errorf("got %v, want 2, 2, 1", got)
	}
}
