package queue

import (
	"fmt"
	"testing"
)

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

// What Takes with attempt ids got is remembered as long as it is not too much: the
// oldest go first, one that was asked again is young.
func TestAttemptsAreForgottenByNumberBytesAndAge(t *testing.T) {
	q := &opened{Queue: Queue{ID: "q"}}
	note := func(a *attempts, i, bytes int, atMs int64) {
		a.note(q, &TakeOptions{AttemptID: fmt.Sprint(i)}, []Taken{{Message: Message{Body: make([]byte, bytes)}}}, atMs)
	}
	has := func(a *attempts, i int, atMs int64) bool {
		return a.find(q, &TakeOptions{AttemptID: fmt.Sprint(i)}, atMs) != nil
	}
	var few attempts
	for i := range maxAttempts {
		note(&few, i, 1, int64(i))
	}
	note(&few, 0, 1, maxAttempts)
	note(&few, maxAttempts, 1, maxAttempts)
	if !has(&few, 0, maxAttempts) || has(&few, 1, maxAttempts) || !has(&few, 2, maxAttempts) || len(few.order) != maxAttempts {
		t.Errorf("of too many, %d are remembered", len(few.order))
	}
	var large attempts
	const n, size = 4, maxAttemptBytes / 3
	for i := range n {
		note(&large, i, size, 1)
	}
	if has(&large, n-3, 1) || !has(&large, n-2, 1) || !has(&large, n-1, 1) {
		t.Errorf("of too large ones, %d are remembered", len(large.order))
	}
	note(&large, n, maxAttemptBytes, 1)
	if len(large.of) != 0 || len(large.order) != 0 || large.bytes != 0 {
		t.Errorf("one that is too large by itself leaves %d of %d bytes", len(large.of), large.bytes)
	}
	note(&large, 1, 1, 10)
	if has(&large, 1, 10+attemptWindowMs) {
		t.Error("one is remembered for too long")
	}
	note(&large, 2, 1, 10+attemptWindowMs)
	if len(large.of) != 1 {
		t.Errorf("%d are remembered, one of them too long", len(large.of))
	}
}
