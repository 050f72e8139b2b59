package mark

import (
	"slices"
	"testing"

	"ottla/internal/log/checkpoint"
)

// at is a mark whose producers tell its offset.
func at(offset int64) Mark {
	return Mark{Pos: checkpoint.Position{Offset: offset, Segment: offset / 100 * 100}, Producers: []byte{byte(offset)}}
}

func (s *Set) offsets() (out []int64) {
	for _, w := range s.later {
		out = append(out, w.Pos.Offset)
	}
	return out
}

func TestTheNewestDurableMarkIsGood(t *testing.T) {
	var s Set
	if g := s.Good(1000); g.Pos.Offset != 0 || g.Producers != nil {
		t.Errorf("of an empty set: %+v", g)
	}
	s.Add(at(10), 0)
	if g := s.Good(9); g.Pos.Offset != 0 {
		t.Errorf("good is %d, but 9 is durable", g.Pos.Offset)
	}
	s.Add(at(20), 15) // 10 has come true
	for durable, want := range map[int64]int64{15: 10, 19: 10} {
		if g := s.Good(durable); g.Pos.Offset != want || int64(g.Producers[0]) != want {
			t.Errorf("at %d: good is %+v, want %d", durable, g, want)
		}
	}
	if g := s.Good(20); g.Pos.Offset != 20 {
		t.Errorf("good is %d, want 20", g.Pos.Offset)
	}
}

func TestAMarkAtTheEndReplacesTheOneBefore(t *testing.T) {
	var s Set
	for _, o := range []int64{10, 20, 30} {
		s.Add(at(o), 0)
	}
	if got := s.offsets(); !slices.Equal(got, []int64{30}) || s.Newest().Pos.Offset != 30 {
		t.Errorf("waiting %v, newest %d", got, s.Newest().Pos.Offset)
	}
}

// A log whose end is never synced comes forward by what its rolls left.
func TestMarksOfRollsWaitUntilTheirSegmentsAreDurable(t *testing.T) {
	var s Set
	s.Add(at(50), 0)
	s.AddRolled(at(100), 0)
	s.Add(at(150), 0)
	s.AddRolled(at(200), 0)
	s.Add(at(230), 0)
	s.Add(at(250), 0)
	if got := s.offsets(); !slices.Equal(got, []int64{100, 200, 250}) {
		t.Fatalf("waiting %v", got)
	}
	if g := s.Good(120); g.Pos.Offset != 100 {
		t.Errorf("good is %d, want 100", g.Pos.Offset)
	}
	if g := s.Good(249); g.Pos.Offset != 200 {
		t.Errorf("good is %d, want 200", g.Pos.Offset)
	}
}

func TestAMarkAtTheSamePlaceIsOne(t *testing.T) {
	var s Set
	s.AddRolled(at(100), 0)
	s.Add(at(100), 0) // nothing came since the roll
	s.Add(at(150), 0)
	if got := s.offsets(); !slices.Equal(got, []int64{100, 150}) {
		t.Errorf("waiting %v", got)
	}
}

// Many rolls before a sync: the oldest and the newest of their marks stay.
func TestMarksOfRollsAreBounded(t *testing.T) {
	var s Set
	for o := int64(100); o <= 5000; o += 100 {
		s.AddRolled(at(o), 0)
		s.Add(at(o+50), 0)
	}
	got := s.offsets()
	if len(got) > mostRolled+1 || got[0] != 100 || !slices.Contains(got, 5000) || !slices.IsSorted(got) {
		t.Errorf("waiting %v", got)
	}
}

func TestACutTakesMarksAboveIt(t *testing.T) {
	var s Set
	s.Reset(at(120))
	s.AddRolled(at(200), 120)
	s.Add(at(250), 120)
	s.Cut(210, At(100, 7, nil))
	if g := s.Good(0); g.Pos.Offset != 120 || !slices.Equal(s.offsets(), []int64{200}) {
		t.Errorf("good %d, waiting %v", g.Pos.Offset, s.offsets())
	}
	s.Cut(110, At(100, 7, nil))
	if g := s.Good(1000); g.Pos.Offset != 100 || g.Segment.CreatedMs != 7 || g.Segment.FirstMaxMs != -1 {
		t.Errorf("good %+v, want the beginning", g)
	}
	s.Cut(400, At(300, 7, nil)) // the log begins later by now
	if g := s.Good(1000); g.Pos.Offset != 300 || g.Pos.Segment != 300 {
		t.Errorf("good %+v, want the new beginning", g)
	}
}

func TestSettleTakesTheNewest(t *testing.T) {
	var s Set
	s.AddRolled(at(100), 0)
	s.Add(at(150), 0)
	s.Settle()
	if g := s.Good(0); g.Pos.Offset != 150 || len(s.later) != 0 {
		t.Errorf("good %d, waiting %v", g.Pos.Offset, s.offsets())
	}
}
