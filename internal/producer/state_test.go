package producer

import (
	"testing"

	"ottla/internal/record"
)

func header(id int64, epoch int16, seq, count int32, base int64) *record.Header {
	return &record.Header{ProducerID: id, ProducerEpoch: epoch, BaseSequence: seq,
		LastOffsetDelta: count - 1, Count: count, BaseOffset: base, MaxTimestamp: base * 10}
}

func apply(t *testing.T, s *State, h *record.Header) {
	t.Helper()
	if _, _, err := s.Apply(h, nil); err != nil {
		t.Fatal(err)
	}
}

func TestWindowOfFiveAnswersDuplicatesAndForgetsTheSixth(t *testing.T) {
	s := NewState()
	for i := range int32(6) {
		h := header(7, 0, i*2, 2, int64(i*2))
		if v, _ := s.Check(h); v != Accept {
			t.Fatalf("batch %d: %v, want accept", i, v)
		}
		apply(t, s, h)
	}
	for i := range int32(6) {
		v, seen := s.Check(header(7, 0, i*2, 2, 99))
		if i == 0 {
			if v != OutOfOrder {
				t.Errorf("sixth last: %v, want out of order", v)
			}
			continue
		}
		if want := (Seen{int64(i * 2), int64(i*2 + 1), int64(i * 20)}); v != Duplicate || seen != want {
			t.Errorf("batch %d again: %v %+v, want duplicate %+v", i, v, seen, want)
		}
	}
}

func TestCheckAndApplyOfAKnownProducerAllocateNothing(t *testing.T) {
	s := NewState()
	h := header(7, 0, 0, 1, 0)
	apply(t, s, h)
	n := testing.AllocsPerRun(100, func() {
		h.BaseSequence++
		h.BaseOffset++
		if v, _ := s.Check(h); v != Accept {
			t.Fatal(v)
		}
		if _, _, err := s.Apply(h, nil); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
