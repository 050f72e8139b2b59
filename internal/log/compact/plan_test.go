package compact

import (
	"math"
	"slices"
	"testing"
)

// ten are closed segments of ten offsets and 100 bytes each; the active one
// begins at 50.
func ten() *Log {
	l := &Log{Active: 50, Stable: 60, Cleaned: -1}
	for i := range int64(5) {
		l.Segments = append(l.Segments, Segment{Base: i * 10, Bytes: 100, FirstMs: 1000 + i*10, MaxMs: 1000 + i*10 + 9})
	}
	return l
}

func TestJudgePlansWholeClosedSegmentsBelowWhatIsDecided(t *testing.T) {
	half := Rules{DirtyRatio: 0.5}
	cases := []struct {
		name string
		edit func(*Log)
		r    Rules
		now  int64
		want Plan
	}{
		{"never cleaned", func(*Log) {}, half, 2000, Plan{From: 0, To: 50, DirtyBytes: 500, Due: true}},
		{"half is clean: not more than half dirty", func(l *Log) { l.Cleaned = 25; l.Segments = l.Segments[:4]; l.Active = 40 }, half, 2000, Plan{From: 25, To: 40, CleanBytes: 300, DirtyBytes: 200}},
		{"all is clean", func(l *Log) { l.Cleaned = 50 }, Rules{}, 2000, Plan{From: 50, To: 50, CleanBytes: 500}},
		{"an open transaction inside a segment keeps all of it out", func(l *Log) { l.Stable = 35 }, half, 2000, Plan{To: 30, DirtyBytes: 300, Due: true}},
		{"a segment that ends at the bound is in", func(l *Log) { l.Stable = 40 }, half, 2000, Plan{To: 40, DirtyBytes: 400, Due: true}},
		{"nothing is decided", func(l *Log) { l.Stable = 5 }, half, 2000, Plan{}},
		{"young segments stay out (KIP-58)", func(*Log) {}, Rules{DirtyRatio: 0.5, MinLagMs: 1000}, 2025, Plan{To: 20, DirtyBytes: 200, Due: true}},
		{"what was cleaned is not too young", func(l *Log) { l.Cleaned = 30 }, Rules{DirtyRatio: 0.1, MinLagMs: 10}, 1042, Plan{From: 30, To: 30, CleanBytes: 300}},
		{"old records make it due (KIP-354)", func(l *Log) { l.Cleaned = 40 }, Rules{DirtyRatio: 0.5, MaxLagMs: 100}, 1141, Plan{From: 40, To: 50, CleanBytes: 400, DirtyBytes: 100, Due: true, Overdue: true}},
		{"not yet old", func(l *Log) { l.Cleaned = 40 }, Rules{DirtyRatio: 0.5, MaxLagMs: 100}, 1140, Plan{From: 40, To: 50, CleanBytes: 400, DirtyBytes: 100}},
		{"no maximum lag", func(l *Log) { l.Cleaned = 40 }, Rules{DirtyRatio: 0.5, MaxLagMs: math.MaxInt64}, 1 << 50, Plan{From: 40, To: 50, CleanBytes: 400, DirtyBytes: 100}},
		{"the start has passed the checkpoint", func(l *Log) { l.Cleaned, l.Start = 5, 20; l.Segments = l.Segments[2:] }, half, 2000, Plan{From: 20, To: 50, DirtyBytes: 300, Due: true}},
		{"a checkpoint beyond the log counts as none", func(l *Log) { l.Cleaned = 51 }, half, 2000, Plan{To: 50, DirtyBytes: 500, Due: true}},
		{"no closed segments", func(l *Log) { l.Segments, l.Active = nil, 0 }, Rules{}, 2000, Plan{}},
	}
	for _, c := range cases {
		l := ten()
		c.edit(l)
		if got := Judge(l, &c.r, c.now); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestGroupsFitASegmentAndItsOffsets(t *testing.T) {
	segs := []Segment{{Base: 0, Bytes: 40}, {Base: 10, Bytes: 40}, {Base: 20, Bytes: 40}, {Base: 30, Bytes: 200}, {Base: 40, Bytes: 0}, {Base: 50, Bytes: 10}}
	for _, c := range []struct {
		next, end, most int64
		want            []int
	}{
		{60, 60, 100, []int{2, 1, 1, 2}},
		{60, 50, 100, []int{2, 1, 1, 1}},
		{60, 51, 1000, []int{6}},
		{60, 21, 1, []int{1, 1, 1}},
		{60, 0, 100, nil},
		{50 + 1<<31, 60, 1000, []int{5, 1}},
	} {
		if got := Groups(segs, c.next, c.end, c.most); !slices.Equal(got, c.want) {
			t.Errorf("next %d, end %d, %d bytes: %v, want %v", c.next, c.end, c.most, got, c.want)
		}
	}
}

func TestRatioOfNothingIsNothing(t *testing.T) {
	if p := (Plan{CleanBytes: 3, DirtyBytes: 1}); p.Ratio() != 0.25 || (&Plan{}).Ratio() != 0 {
		t.Errorf("ratio %v, want 0.25; of nothing %v", p.Ratio(), (&Plan{}).Ratio())
	}
}
