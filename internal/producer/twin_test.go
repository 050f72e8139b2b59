package producer

import (
	"math/rand"
	"reflect"
	"testing"

	"ottla/internal/record"
)

// twin answers everything by reading a list of all that ever happened.
type twin struct{ events []event }

type event struct {
	id            int64
	epoch         int16
	first, last   int64 // offsets
	seq, lastSeq  int32
	marker, abort bool
	txn           bool
}

// window is the producer's epoch and its batches in it, oldest first.
func (w *twin) window(id int64) (epoch int16, batches []event, known bool) {
	for _, e := range w.events {
		if e.id != id {
			continue
		}
		if !known || e.epoch != epoch {
			epoch, batches, known = e.epoch, nil, true
		}
		if !e.marker {
			batches = append(batches, e)
		}
	}
	return epoch, batches[max(0, len(batches)-WindowSize):], known
}

// open is the first offset of the producer's transaction as of the first n events.
func (w *twin) open(id int64, n int) (int64, bool) {
	first, open := int64(0), false
	for _, e := range w.events[:n] {
		switch {
		case e.id != id:
		case e.marker:
			open = false
		case e.txn && !open:
			first, open = e.first, true
		}
	}
	return first, open
}

func (w *twin) check(h *record.Header) (Verdict, Seen) {
	epoch, batches, known := w.window(h.ProducerID)
	if !known {
		return Accept, Seen{}
	}
	last := int32(-1)
	for _, b := range batches {
		if b.epoch == h.ProducerEpoch && b.seq == h.BaseSequence && b.lastSeq == h.LastSequence() {
			return Duplicate, Seen{b.first, b.last, b.first * 10}
		}
		last = b.lastSeq
	}
	if h.ProducerEpoch < epoch {
		return FencedEpoch, Seen{}
	}
	want := int32(0)
	if h.ProducerEpoch == epoch && last >= 0 {
		want = int32(uint32(last+1) & 0x7fffffff)
	}
	if h.BaseSequence != want {
		return OutOfOrder, Seen{}
	}
	if _, open := w.open(h.ProducerID, len(w.events)); open && !h.Transactional() {
		return InvalidTxnState, Seen{}
	}
	return Accept, Seen{}
}

// unstable replays which transactions hold the last stable offset back.
func (w *twin) unstable(committed int64) (int64, bool) {
	least, any := int64(0), false
	note := func(first int64) {
		if !any || first < least {
			least, any = first, true
		}
	}
	for i, e := range w.events {
		if first, open := w.open(e.id, i); e.marker && open && e.first >= committed {
			note(first)
		}
		if first, open := w.open(e.id, len(w.events)); open {
			note(first)
		}
	}
	return least, any
}

// aborted is the index entry that the newest event, a marker, makes.
func (w *twin) aborted() (Aborted, bool) {
	n := len(w.events) - 1
	m := w.events[n]
	first, open := w.open(m.id, n)
	if !open || !m.abort {
		return Aborted{}, false
	}
	stable := m.first + 1
	for _, e := range w.events[:n] {
		if other, open := w.open(e.id, n); open && e.id != m.id {
			stable = min(stable, other)
		}
	}
	return Aborted{m.id, first, m.first, stable}, true
}

func TestStateAgreesWithANaiveTwin(t *testing.T) {
	for seed := range int64(60) {
		rng := rand.New(rand.NewSource(seed))
		s, w := NewState(), &twin{}
		end, committed := int64(0), int64(0)
		for step := range 120 {
			id := int64(rng.Intn(4))
			epoch, batches, _ := w.window(id)
			if rng.Intn(6) == 0 {
				epoch += int16(rng.Intn(3) - 1)
			}
			epoch = max(epoch, 0)
			if rng.Intn(4) == 0 {
				end = twinMarker(t, s, w, id, epoch, rng.Intn(2) == 0, end)
			} else {
				h := header(id, epoch, nextSequence(rng, batches), int32(1+rng.Intn(3)), end)
				if rng.Intn(3) > 0 {
					h.Attributes |= 1 << 4
				}
				end = twinAppend(t, s, w, h)
			}
			committed += rng.Int63n(end - committed + 1)
			gotOffset, gotOK := s.FirstUnstable(committed)
			wantOffset, wantOK := w.unstable(committed)
			if gotOK != wantOK || gotOK && gotOffset != wantOffset {
				t.Fatalf("seed %d step %d: unstable below %d: got %d %v, want %d %v", seed, step, committed, gotOffset, gotOK, wantOffset, wantOK)
			}
			if rng.Intn(10) == 0 {
				fresh := NewState()
				if err := fresh.RestoreFull(s.AppendFull(nil)); err != nil {
					t.Fatal(err)
				}
				if got, want := fresh.List(), s.List(); !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d step %d: restored\n%+v, want\n%+v", seed, step, got, want)
				}
				s = fresh
			}
			if t.Failed() {
				t.Fatalf("seed %d step %d", seed, step)
			}
		}
	}
}

// nextSequence is most often the right one, else a repeat, a wrap or a guess.
func nextSequence(rng *rand.Rand, batches []event) int32 {
	switch {
	case len(batches) == 0 && rng.Intn(4) == 0:
		return 1<<31 - 1 - int32(rng.Intn(3))
	case len(batches) == 0:
		return 0
	case rng.Intn(4) == 0:
		return batches[rng.Intn(len(batches))].seq
	case rng.Intn(8) == 0:
		return int32(rng.Intn(20))
	default:
		return int32(uint32(batches[len(batches)-1].lastSeq+1) & 0x7fffffff)
	}
}

func twinAppend(t *testing.T, s *State, w *twin, h *record.Header) int64 {
	t.Helper()
	verdict, seen := s.Check(h)
	wantVerdict, wantSeen := w.check(h)
	if verdict != wantVerdict || seen != wantSeen {
		t.Errorf("%+v: got %v %+v, want %v %+v", h, verdict, seen, wantVerdict, wantSeen)
	}
	if verdict != Accept {
		return h.BaseOffset
	}
	apply(t, s, h)
	w.events = append(w.events, event{id: h.ProducerID, epoch: h.ProducerEpoch, first: h.BaseOffset, last: h.LastOffset(),
		seq: h.BaseSequence, lastSeq: h.LastSequence(), txn: h.Transactional()})
	return h.NextOffset()
}

func twinMarker(t *testing.T, s *State, w *twin, id int64, epoch int16, commit bool, end int64) int64 {
	t.Helper()
	current, _, known := w.window(id)
	h, batch := marker(t, id, epoch, commit, 1, end)
	verdict := s.CheckMarker(h, 1, 0)
	if want := known && epoch < current; (verdict == FencedEpoch) != want {
		t.Errorf("marker of epoch %d on %d: %v", epoch, current, verdict)
	}
	if verdict != Accept {
		return end
	}
	got, ok, err := s.Apply(h, batch)
	if err != nil {
		t.Fatal(err)
	}
	w.events = append(w.events, event{id: id, epoch: epoch, first: end, last: end, marker: true, abort: !commit})
	if want, wantOK := w.aborted(); got != want || ok != wantOK {
		t.Errorf("marker of %d at %d: got %+v %v, want %+v %v", id, end, got, ok, want, wantOK)
	}
	return end + 1
}
