package realfault

import (
	"slices"
	"testing"
)

// A good history: two producers, two partitions, some records unacknowledged.
func history() (*Ledger, []Seen) {
	l := NewLedger()
	var read []Seen
	for p := range int32(2) {
		offset := int64(0)
		for seq := range int64(20) {
			for producer := range 2 {
				lane := Lane{producer, p}
				if got := l.Next(lane); got != seq {
					panic("numbers are not handed out in order")
				}
				if seq%7 == 6 && producer == 1 { // no answer: there once or not at all
					if seq > 6 {
						continue
					}
				} else {
					l.Acked(lane, seq, offset)
				}
				read = append(read, Seen{lane, seq, offset})
				offset++
			}
		}
	}
	return l, read
}

func TestJudgeFindsNothingWrongInAGoodHistory(t *testing.T) {
	l, read := history()
	v := l.Judge(read)
	if !v.OK() || v.Read != int64(len(read)) || v.Acked != l.AckedCount() || v.Acked != 76 {
		t.Errorf("verdict %s, want 76 acknowledged and nothing wrong", v)
	}
}

func TestJudgeFindsEachPlantedFault(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(read []Seen) []Seen
		count func(v Verdict) int64
	}{
		{"one lost", func(r []Seen) []Seen { return slices.Delete(r, 10, 11) }, func(v Verdict) int64 { return v.Lost }},
		{"the last lost", func(r []Seen) []Seen { return r[:len(r)-1] }, func(v Verdict) int64 { return v.Lost }},
		{"a lane lost", func(r []Seen) []Seen {
			return slices.DeleteFunc(r, func(s Seen) bool { return s.Lane == Lane{0, 1} })
		}, func(v Verdict) int64 { return v.Lost }},
		{"one doubled", func(r []Seen) []Seen {
			return append(r, Seen{r[5].Lane, r[5].Seq, 1000})
		}, func(v Verdict) int64 { return v.Doubled }},
		{"two swapped", func(r []Seen) []Seen {
			r[4].Seq, r[6].Seq = r[6].Seq, r[4].Seq
			return r
		}, func(v Verdict) int64 { return min(v.Disordered, v.Moved) }},
		{"one moved", func(r []Seen) []Seen { r[3].Offset = 999; return r }, func(v Verdict) int64 { return v.Moved }},
		{"one from nowhere", func(r []Seen) []Seen {
			return append(r, Seen{Lane{0, 0}, 20, 1000})
		}, func(v Verdict) int64 { return v.Unwanted }},
		{"a producer from nowhere", func(r []Seen) []Seen {
			return append(r, Seen{Lane{9, 0}, 0, 1000})
		}, func(v Verdict) int64 { return v.Unwanted }},
	} {
		l, read := history()
		v := l.Judge(c.plant(read))
		if v.OK() || c.count(v) == 0 || len(v.Examples) == 0 {
			t.Errorf("%s: verdict %s", c.name, v)
		}
	}
}

func TestExamplesAreBounded(t *testing.T) {
	l, _ := history()
	if v := l.Judge(nil); v.Lost != 76 || len(v.Examples) != maxExamples {
		t.Errorf("%d lost, %d examples, want 76 and %d", v.Lost, len(v.Examples), maxExamples)
	}
}
