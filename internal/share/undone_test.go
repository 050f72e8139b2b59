package share

import (
	"reflect"
	"testing"
)

// pick is what picks a record out.
func pick(nowMs int64) *Want { return &Want{NowMs: nowMs, LockMs: 100} }

func TestWhatIsNotDoneIsListedWithWhatHoldsIt(t *testing.T) {
	p := New(settings(), 0)
	p.Acquire(&Want{Member: "a", NowMs: 1}, 0, all(0, 3), nil)
	lease(p, 1, 3, 2, 500)
	p.must(t, 2, say(3, 1, Release, 700))
	if err := p.Acknowledge(2, "a", []Ack{{1, 1, []AckType{Accept}}}); err != nil {
		t.Fatal(err)
	}
	want := []Undone{
		{Range{0, 0, 1}, Acquired, 30_001, "a", 0, -1}, {Range{2, 2, 1}, Acquired, 30_001, "a", 0, -1},
		{Range{3, 3, 1}, Available, 702, "", 0, -1}, {Range{4, 4, 1}, Acquired, 501, "", 0, -1},
	}
	if got := p.Undone(0, 9); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := p.Undone(2, 2); !reflect.DeepEqual(got, want[1:3]) {
		t.Errorf("from 2: got %+v", got)
	}
}

func TestOfAKeyAllWaitForTheFirst(t *testing.T) {
	s := settings()
	s.KeyOrdered = true
	p := New(s, 0)
	keys := []Batch{{First: 0, Last: 4, Records: []Record{{0, 7, true}, {1, 8, true}, {2, 7, true}, {3, 7, true}, {4, 0, false}}}}
	p.Acquire(&Want{Leased: true, NowMs: 1, MaxRecords: 1, Strict: true}, 0, keys, nil)
	want := []Undone{
		{Range{0, 0, 1}, Acquired, 30_001, "", 0, -1}, {Range{1, 1, 0}, Available, 0, "", 0, -1},
		{Range{2, 3, 0}, Available, 0, "", 0, 0}, {Range{4, 4, 0}, Available, 0, "", 0, -1},
	}
	if got := p.Undone(0, 9); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := p.Undone(0, 3); len(got) != 3 {
		t.Errorf("at most three: %+v", got)
	}
	// One of a key may be picked out before the others, and they go on.
	if r, ok := p.Hold(pick(2), 2); !ok || r != (Range{2, 2, 1}) {
		t.Errorf("hold: %v, %v", r, ok)
	}
	p.must(t, 3, say(2, 1, Accept, 0))
	p.must(t, 3, say(0, 1, Accept, 0))
	if at, ok := p.Next(4); !ok || at != 1 {
		t.Errorf("next %d, %v", at, ok)
	}
	if got := p.Undone(2, 9); len(got) != 1 || got[0].Range != (Range{3, 4, 0}) || got[0].Behind != -1 {
		t.Errorf("after the first is done: %+v", got)
	}
}

func TestOneRecordIsPickedOutOfMany(t *testing.T) {
	p := New(settings(), 5)
	if _, ok := p.Hold(pick(1), 4); ok {
		t.Error("what is done is held")
	}
	if r, ok := p.Hold(pick(1), 9); !ok || r != (Range{9, 9, 1}) || p.End() != 10 {
		t.Errorf("%v, %v, end %d", r, ok, p.End())
	}
	if _, ok := p.Hold(pick(1), 9); ok {
		t.Error("what is held is held again")
	}
	w, _ := p.Changes()
	if want := []Stored{{First: 9, Last: 9, Count: 1, UntilMs: 101}}; !reflect.DeepEqual(w.Changed, want) {
		t.Errorf("stored %+v, want %+v", w.Changed, want)
	}
	if at, ok := p.Next(1); !ok || at != 5 {
		t.Errorf("the others are given at %d, %v", at, ok)
	}
	p.must(t, 2, say(9, 1, Release, 50))
	if _, ok := p.Hold(pick(3), 9); ok {
		t.Error("what waits for its time is held")
	}
	if p.Expire(60); p.DueMs() != 0 {
		t.Error("something is due")
	}
	if r, ok := p.Hold(pick(60), 9); !ok || r.Count != 2 {
		t.Errorf("again: %v, %v", r, ok)
	}
	p.must(t, 61, say(9, 2, Accept, 0))
	if p.Start() != 5 || p.End() != 10 {
		t.Errorf("from %d to %d", p.Start(), p.End())
	}
}

func TestThereIsABoundToWhatIsPickedOut(t *testing.T) {
	p := New(settings(), 0)
	p.s.MaxLocked = 1 << 30
	n := 0
	for ; n < maxSpans; n++ {
		if _, ok := p.Hold(pick(1), int64(2*n)); !ok {
			break
		}
	}
	if !p.Scattered() || n < maxSpans/2-1 {
		t.Errorf("%d picked out, scattered %v", n, p.Scattered())
	}
	p.s.MaxLocked = 0
	if _, ok := New(p.s, 0).Hold(pick(1), 1); ok {
		t.Error("the window is full and one is held")
	}
}

// Who has forgotten what he holds finds it by his number, after a restart too;
// nobody else's is under it.
func TestAHolderKnowsWhatIsHisOwn(t *testing.T) {
	for _, fair := range []bool{false, true} {
		s := settings()
		s.Fair = fair
		p := New(s, 0)
		his := &Want{Leased: true, Holder: 7, NowMs: 1, LockMs: 500}
		if fair {
			p.Learn(0, []Batch{keyed(0, "xyz")})
			p.Grant(his, 0)
		} else {
			p.Acquire(his, 0, all(0, 1), nil)
		}
		lease(p, 1, 1, 1, 500)
		if _, ok := p.Hold(his, 2); !ok {
			t.Fatal("the last one is not free")
		}
		holders := func(p *Partition) (out []uint64) {
			for _, u := range p.Undone(0, 9) {
				for range u.Last - u.First + 1 {
					out = append(out, u.Holder)
				}
			}
			return out
		}
		if got, want := holders(p), []uint64{7, 0, 7}; !reflect.DeepEqual(got, want) {
			t.Errorf("holders are %v, want %v", got, want)
		}
		if st := p.Stats(); st.Leased != 3 || st.Members != 0 {
			t.Errorf("%+v", st)
		}
		w, _ := p.Changes()
		p = Load(s, w.Start, w.Changed)
		if got, want := holders(p), []uint64{7, 0, 7}; !reflect.DeepEqual(got, want) {
			t.Errorf("after a restart holders are %v, want %v", got, want)
		}
		p.must(t, 2, say(0, 1, Release, 0))
		p.must(t, 2, say(2, 1, Accept, 0))
		p.Expire(501)
		if got, want := holders(p), []uint64{0, 0}; !reflect.DeepEqual(got, want) {
			t.Errorf("when all are back holders are %v, want %v", got, want)
		}
	}
}

// Records that were picked out count among what is out as often as they are.
func TestWhatIsPickedOutIsOutOnce(t *testing.T) {
	s := settings()
	s.Fair = true
	p := New(s, 0)
	p.Learn(0, []Batch{keyed(0, "xx")})
	for at := range int64(2) {
		if _, ok := p.Hold(pick(1), at); !ok {
			t.Fatalf("offset %d is not free", at)
		}
	}
	if p.turns.out != 2 {
		t.Errorf("%d are out, want 2", p.turns.out)
	}
	p.must(t, 2, say(0, 1, Accept, 0))
	p.must(t, 2, say(1, 1, Release, 0))
	if p.turns.out != 0 {
		t.Errorf("%d are out, want 0", p.turns.out)
	}
}
