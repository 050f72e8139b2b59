package syncway

import (
	"testing"
	"time"
)

// disk answers what a sync costs: single per file, whole per call.
type disk struct{ single, whole time.Duration }

// rounds runs n rounds of size files, one every 10 ms, and counts those that
// synced the whole file system.
func (d disk) rounds(w *Ways, now *time.Time, n, size int) int {
	whole := 0
	for range n {
		*now = now.Add(10 * time.Millisecond)
		if w.Whole(size, *now) {
			whole++
			w.Learn(true, size, d.whole, *now)
		} else {
			w.Learn(false, size, d.single*time.Duration(size), *now)
		}
	}
	return whole
}

func TestTheCheaperWayIsTaken(t *testing.T) {
	for _, c := range []struct {
		name     string
		d        disk
		size     int
		min, max int // of 1000 rounds
	}{
		{"few files are never synced as a whole", disk{time.Millisecond, 1}, 4, 0, 0},
		{"many files on a quiet disk", disk{100 * time.Microsecond, 1600 * time.Microsecond}, 100, 980, 1000},
		{"many files beside a foreign writer", disk{100 * time.Microsecond, time.Second}, 100, 1, 20},
	} {
		now, w := time.Unix(0, 0), new(Ways)
		if got := c.d.rounds(w, &now, 1000, c.size); got < c.min || got > c.max {
			t.Errorf("%s: %d of 1000 rounds synced the whole, want %d to %d", c.name, got, c.min, c.max)
		}
	}
}

func TestTheChoiceFollowsTheDisk(t *testing.T) {
	now, w := time.Unix(0, 0), new(Ways)
	quiet, busy := disk{100 * time.Microsecond, time.Millisecond}, disk{100 * time.Microsecond, time.Second}
	quiet.rounds(w, &now, 500, 100)
	if got := busy.rounds(w, &now, 500, 100); got > 20 {
		t.Errorf("%d of 500 rounds still synced the whole after it became slow", got)
	}
	now = now.Add(lastRetry)
	if got := quiet.rounds(w, &now, 500, 100); got < 1 {
		t.Error("the whole was never tried again")
	}
}
