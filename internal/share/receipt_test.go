package share

import (
	"reflect"
	"testing"

	"ottla/internal/wire"
)

// lease takes n records from an offset on by receipts.
func lease(p *Partition, nowMs, first, n, lockMs int64) []Range {
	return p.Acquire(&Want{Leased: true, NowMs: nowMs, LockMs: lockMs}, first, all(first, n), nil)
}

func say(offset int64, count int16, t AckType, forMs int64) *Word {
	return &Word{Receipt: Receipt{Offset: offset, Count: count}, Type: t, ForMs: forMs}
}

func (p *Partition) must(t *testing.T, nowMs int64, w *Word) {
	t.Helper()
	if err := p.Redeem(nowMs, w); err != nil {
		t.Fatal(err)
	}
}

func TestALeaseIsStoredWithItsEndAndLoadedAgain(t *testing.T) {
	p := New(settings(), 0)
	if got := lease(p, 1000, 0, 3, 500); !reflect.DeepEqual(got, []Range{{0, 2, 1}}) {
		t.Fatalf("got %v", got)
	}
	p.must(t, 1000, say(1, 1, Renew, 9000))
	w, _ := p.Changes()
	want := []Stored{{First: 0, Last: 0, Count: 1, UntilMs: 1500}, {First: 1, Last: 1, Count: 1, UntilMs: 10_000}, {First: 2, Last: 2, Count: 1, UntilMs: 1500}}
	if !reflect.DeepEqual(w.Changed, want) {
		t.Fatalf("stored %+v, want %+v", w.Changed, want)
	}
	p = Load(settings(), w.Start, w.Changed)
	if st := p.Stats(); st.Locked != 3 || st.Leased != 3 || st.Members != 0 {
		t.Errorf("loaded: %+v", st)
	}
	if from, ok := p.Next(1000); !ok || from != 3 {
		t.Errorf("next is %d, %v: what is leased is not given again", from, ok)
	}
	p.must(t, 1000, say(0, 1, Accept, 0))
	p.Expire(1500)
	if got := p.Acquire(&Want{Member: "m", NowMs: 1500}, 1, all(1, 2), nil); !reflect.DeepEqual(got, []Range{{2, 2, 2}}) {
		t.Errorf("got %v, want the one whose lease is over", got)
	}
	if p.DueMs() != 10_000 {
		t.Errorf("due at %d, want the end of the long lease", p.DueMs())
	}
}

func TestAReceiptIsGoodForOneDelivery(t *testing.T) {
	s := settings()
	s.Attempts = 9
	p := New(s, 0)
	refused := func(what string, w *Word, want wire.Code) {
		t.Helper()
		if err := p.Redeem(5000, w); wire.CodeOf(err) != want {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	lease(p, 0, 0, 4, 100)
	p.Expire(100)
	if got := lease(p, 100, 0, 4, 10_000); !reflect.DeepEqual(got, []Range{{0, 3, 2}}) {
		t.Fatalf("the second delivery gave %v", got)
	}
	refused("an old delivery", say(0, 1, Accept, 0), wire.InvalidRecordState)
	refused("a delivery to come", say(0, 3, Accept, 0), wire.InvalidRecordState)
	refused("what nobody got", say(9, 1, Accept, 0), wire.InvalidRecordState)
	refused("a gap", say(0, 2, Gap, 0), wire.InvalidRequest)
	refused("too long a wait", say(0, 2, Release, MaxRetryMs+1), wire.InvalidRequest)
	refused("too long a lease", say(0, 2, Renew, MaxLeaseMs+1), wire.InvalidRequest)
	refused("a lease of the past", say(0, 2, Renew, -1), wire.InvalidRequest)
	if err := p.Acknowledge(5000, "", []Ack{{0, 3, []AckType{Accept}}}); wire.CodeOf(err) != wire.InvalidRecordState {
		t.Errorf("a member without a name: %v", err)
	}
	if p.Leave(5000, "") || p.Holds("") != 0 {
		t.Error("leases are nobody's to leave")
	}
	for at, kind := range []AckType{Accept, Release, Reject} {
		p.must(t, 5000, say(int64(at), 2, kind, 0))
		refused("a second time", say(int64(at), 2, Accept, 0), wire.InvalidRecordState)
	}
	p.Acquire(&Want{Member: "m", NowMs: 5000}, 1, all(1, 1), nil)
	refused("what a member has", say(1, 3, Accept, 0), wire.InvalidRecordState)
}

// late has leases of n records end, and says a word after that, which counts only as
// one that may be late.
func late(t *testing.T, n int64, w *Word) *Partition {
	t.Helper()
	p := New(settings(), 0)
	lease(p, 0, 0, n, 100)
	p.Expire(100)
	if err := p.Redeem(200, w); wire.CodeOf(err) != wire.InvalidRecordState {
		t.Fatalf("not asked for: %v", err)
	}
	w.Late = true
	p.must(t, 200, w)
	return p
}

func TestALateWordCountsWhileNobodyElseGotTheRecord(t *testing.T) {
	p := late(t, 3, say(0, 1, Accept, 0))
	if p.Start() != 1 {
		t.Errorf("start %d, want 1: the record is done", p.Start())
	}
	again := say(1, 1, Release, 50)
	again.Late = true
	p.must(t, 200, again)
	if got := lease(p, 200, 1, 1, 100); got != nil {
		t.Errorf("%v was given, which waits for its time", got)
	}
	again.ForMs = 0
	p.must(t, 200, again)
	lease(p, 200, 1, 2, 100)
	other := say(2, 1, Accept, 0)
	other.Late = true
	if err := p.Redeem(200, other); wire.CodeOf(err) != wire.InvalidRecordState {
		t.Errorf("another got it: %v", err)
	}
}

// Who comes late, and finds that nobody came between, has the record again: it is
// the same delivery.
func TestALateRenewalHoldsTheRecordAgain(t *testing.T) {
	p := late(t, 2, say(0, 1, Renew, 100))
	if got := lease(p, 200, 0, 2, 50); !reflect.DeepEqual(got, []Range{{1, 1, 2}}) {
		t.Errorf("others got %v, want what is not held", got)
	}
	w, _ := p.Changes()
	want := []Stored{{First: 0, Last: 0, Count: 1, UntilMs: 300}, {First: 1, Last: 1, Count: 2, UntilMs: 250}}
	if !reflect.DeepEqual(w.Changed, want) {
		t.Errorf("stored %+v, want %+v", w.Changed, want)
	}
	p.Expire(300)
	if got := lease(p, 300, 0, 1, 50); !reflect.DeepEqual(got, []Range{{0, 0, 2}}) {
		t.Errorf("when that was over, %v was given", got)
	}
}

func TestALateRenewalIsRefusedWhereOthersWouldSuffer(t *testing.T) {
	s := settings()
	s.MaxLocked = 1
	full := New(s, 0)
	s.KeyOrdered = true
	ordered := New(s, 0)
	for _, p := range []*Partition{full, ordered} {
		if p == ordered {
			p.Learn(0, []Batch{keyed(0, "x")})
			p.Begin()
			p.Grant(&Want{Leased: true, LockMs: 100}, 0)
		} else {
			lease(p, 0, 0, 1, 100)
		}
		p.Expire(100)
		if p == full {
			lease(p, 100, 1, 1, 900)
		}
		late := say(0, 1, Renew, 100)
		late.Late = true
		if err := p.Redeem(200, late); wire.CodeOf(err) != wire.InvalidRecordState {
			t.Errorf("a late renewal, with key order %v: %v", p == ordered, err)
		}
	}
}

func TestADelayIsAsLongAsIsSaid(t *testing.T) {
	s := settings()
	s.RetryMs, s.RetryFactor, s.Attempts = 700, 1, 2
	p := New(s, 0)
	lease(p, 0, 0, 4, 1000)
	p.must(t, 10, say(0, 1, Release, 0))
	p.must(t, 10, say(1, 1, Release, 50))
	p.must(t, 10, say(2, 1, Release, -1))
	w, _ := p.Changes()
	want := []Stored{{First: 0, Last: 0, Count: 1}, {First: 1, Last: 1, Count: 1, NotBeforeMs: 60},
		{First: 2, Last: 2, Count: 1, NotBeforeMs: 710}, {First: 3, Last: 3, Count: 1, UntilMs: 1000}}
	if !reflect.DeepEqual(w.Changed, want) {
		t.Errorf("stored %+v, want %+v", w.Changed, want)
	}
	p = Load(s, 0, w.Changed) // the node died
	for now, want := range map[int64][]Range{59: {{0, 0, 2}}, 60: {{0, 1, 2}}, 709: {{0, 1, 2}}, 710: {{0, 2, 2}}} {
		p := Load(s, 0, w.Changed)
		p.Expire(now)
		if got := p.Acquire(&Want{Member: "m", NowMs: now}, 0, all(0, 4), nil); !reflect.DeepEqual(got, want) {
			t.Errorf("at %d: got %v, want %v", now, got, want)
		}
	}
	p.Expire(60)
	lease(p, 60, 0, 4, 1000)
	p.must(t, 70, say(0, 2, Release, 50))
	if w, _ := p.Changes(); w.Start != 1 {
		t.Errorf("start %d, want 1: it was its last delivery", w.Start)
	}
}

func TestAKeyStaysLockedWhileItsRecordIsLeasedThroughARestart(t *testing.T) {
	s := settings()
	s.KeyOrdered = true
	p := New(s, 0)
	b := []Batch{keyed(0, "xyx-x")}
	got := p.Acquire(&Want{Leased: true, NowMs: 1, LockMs: 1000}, 0, b, nil)
	if want := []Range{{0, 1, 1}, {3, 3, 1}}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	p.must(t, 2, say(1, 1, Release, 40))
	w, _ := p.Changes()
	want := []Stored{{First: 0, Last: 0, Count: 1, UntilMs: 1001, KeyLock: 'x'}, {First: 1, Last: 1, Count: 1, NotBeforeMs: 42, KeyLock: 'y'},
		{First: 3, Last: 3, Count: 1, UntilMs: 1001}}
	if !reflect.DeepEqual(w.Changed, want) {
		t.Fatalf("stored %+v, want %+v", w.Changed, want)
	}
	p = Load(s, w.Start, w.Changed)
	if got := p.ParkedAt(9); !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("before the log is read again parked are %v, want 1", got)
	}
	if got := p.Acquire(&Want{Member: "m", NowMs: 3}, 0, b, nil); len(got) != 0 {
		t.Errorf("got %v although x is leased and y waits", got)
	}
	p.must(t, 3, say(0, 1, Accept, 0))
	p.flush()
	if from, _ := p.Next(3); from != 2 {
		t.Errorf("next is %d, want the x that waited", from)
	}
	if got := p.ParkedAt(9); !reflect.DeepEqual(got, []int64{1}) {
		t.Errorf("parked are %v, want 1 still", got)
	}
}

func TestAStateWrittenAgainBeforeTheLogIsReadKeepsItsKeyLocks(t *testing.T) {
	s := settings()
	s.KeyOrdered = true
	row := Stored{First: 7, Last: 7, Count: 1, UntilMs: 500, KeyLock: 9}
	p := Load(s, 3, []Stored{row})
	p.must(t, 1, &Word{Receipt: Receipt{Offset: 7, Count: 1}, Type: Renew, ForMs: 900})
	row.UntilMs = 901
	if w, _ := p.Changes(); !reflect.DeepEqual(w.Changed, []Stored{row}) {
		t.Errorf("stored %+v, want %+v", w.Changed, row)
	}
	p.Expire(901)
	if got := p.ParkedAt(9); !reflect.DeepEqual(got, []int64{7}) {
		t.Errorf("parked are %v, want 7", got)
	}
	// Done before it is read: nobody waits for it any more.
	w := &Word{Receipt: Receipt{Offset: 7, Count: 1}, Type: Accept, Late: true}
	p.must(t, 902, w)
	got := p.Acquire(&Want{Member: "m", NowMs: 902}, 3, []Batch{keyed(3, "abcdxx")}, nil)
	if want := []Range{{3, 6, 1}, {8, 8, 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What somebody held to move it about, and gives back, was not delivered: it is given
// out as often as ever, and only he can give it back so.
func TestWhatIsReturnedWasNotDelivered(t *testing.T) {
	for name, s := range map[string]Settings{"plain": {}, "by key": {KeyOrdered: true}, "fair": {Fair: true}} {
		t.Run(name, func(t *testing.T) {
			s.MaxLocked, s.Attempts, s.LockMs, s.DeadLetter = 100, 2, 1000, true
			p := New(s, 0)
			back := func(count int16, holder uint64) *Word {
				return &Word{Receipt: Receipt{Offset: 0, Count: count}, Type: Return, Holder: holder}
			}
			refused := func(what string, w *Word, want wire.Code) {
				t.Helper()
				if err := p.Redeem(1, w); wire.CodeOf(err) != want {
					t.Errorf("%s: %v, want %v", what, err, want)
				}
			}
			his := &Want{Leased: true, Holder: 7, NowMs: 1, LockMs: 500}
			if name != "plain" {
				p.Learn(0, []Batch{{First: 0, Last: 0, Records: []Record{{Offset: 0, Key: 5, Keyed: true}}}})
			}
			for range 5 {
				if got, ok := p.Hold(his, 0); !ok || got.Count != 1 {
					t.Fatalf("held %v, %v", got, ok)
				}
				refused("by another", back(1, 8), wire.InvalidRecordState)
				refused("by nobody", back(1, 0), wire.InvalidRequest)
				p.Changes()
				p.Stored()
				p.must(t, 1, back(1, 7))
				refused("again", back(1, 7), wire.InvalidRecordState)
				p.Changes()
				p.Stored()
			}
			if st := p.Stats(); st.Locked != 0 {
				t.Errorf("%+v", st)
			}
			if got, ok := p.Hold(&Want{Leased: true, NowMs: 1, LockMs: 500}, 0); !ok || got.Count != 1 {
				t.Fatalf("taken %v, %v", got, ok)
			}
			refused("what another has got since", back(1, 7), wire.InvalidRecordState)
		})
	}
}
