package share

import (
	"reflect"
	"testing"

	"ottla/internal/wire"
)

// all is a batch of n records from an offset on.
func all(first, n int64) []Batch { return []Batch{{First: first, Last: first + n - 1}} }

func settings() Settings {
	s := Defaults()
	s.RetryMs = 0
	return s
}

func TestABatchIsOneSpanFromItsDeliveryToItsEnd(t *testing.T) {
	p := New(settings(), 10)
	got := p.Acquire(&Want{Member: "a", NowMs: 1, MaxRecords: 500}, 10, all(10, 1000), nil)
	if want := []Range{{10, 1009, 1}}; !reflect.DeepEqual(got, want) || len(p.spans) != 1 {
		t.Fatalf("got %v in %d spans, want %v in one", got, len(p.spans), want)
	}
	if err := p.Acknowledge(2, "a", []Ack{{10, 1009, []AckType{Accept}}}); err != nil {
		t.Fatal(err)
	}
	if p.Start() != 1010 || p.End() != 1010 || len(p.spans) != 0 {
		t.Errorf("start %d, end %d, %d spans; want 1010, 1010, none", p.Start(), p.End(), len(p.spans))
	}
	if w, ok := p.Changes(); !ok || w.Start != 1010 || len(w.Changed) != 0 {
		t.Errorf("to be stored: %+v, %v; want the start alone", w, ok)
	}
}

func TestTheDeliveryPathAllocatesNothingForEachRecord(t *testing.T) {
	p := New(settings(), 0)
	at := int64(0)
	batch, acks, out := all(0, 500), []Ack{{Types: []AckType{Accept}}}, make([]Range, 0, 8)
	n := testing.AllocsPerRun(200, func() {
		batch[0].First, batch[0].Last = at, at+499
		out = p.Acquire(&Want{Member: "a", NowMs: 1, MaxRecords: 500}, at, batch, out[:0])
		acks[0].First, acks[0].Last = at, at+499
		if err := p.Acknowledge(1, "a", acks); err != nil {
			t.Fatal(err)
		}
		p.Changes()
		at += 500
	})
	if n > 3 { // the member's entry, and a list that grows
		t.Errorf("%v allocations for 500 records given and acknowledged", n)
	}
}

func TestStrictLimitsCutABatchAndOthersDoNot(t *testing.T) {
	for _, tc := range []struct {
		strict bool
		want   []Range
	}{{false, []Range{{0, 99, 1}}}, {true, []Range{{0, 29, 1}}}} {
		p := New(settings(), 0)
		got := p.Acquire(&Want{Member: "a", NowMs: 1, MaxRecords: 30, Strict: tc.strict}, 0, all(0, 100), nil)
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("strict %v: got %v, want %v", tc.strict, got, tc.want)
		}
	}
}

func TestTheWindowCountsLockedRecordsOnly(t *testing.T) {
	s := settings()
	s.MaxLocked, s.RetryMs, s.RetryFactor = 100, 1000, 1
	p := New(s, 0)
	for at := int64(0); at < 1000; at += 100 {
		from, ok := p.Next(1)
		if !ok || from != at {
			t.Fatalf("next is %d, %v; want %d", from, ok, at)
		}
		got := p.Acquire(&Want{Member: "a", NowMs: 1, Strict: true}, from, all(from, 150), nil)
		if want := []Range{{at, at + 99, 1}}; !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if _, ok := p.Next(1); ok {
			t.Fatal("the window is full and more is offered")
		}
		if err := p.Acknowledge(1, "a", []Ack{{at, at + 99, []AckType{Release}}}); err != nil {
			t.Fatal(err)
		}
	}
	if st := p.Stats(); st.Waiting != 1000 || st.Delayed != 1000 || st.Locked != 0 {
		t.Errorf("got %+v, want 1000 that wait for their time", st)
	}
	if p.Expire(1001); p.Stats().Delayed != 0 {
		t.Error("their time has come and they wait")
	}
	if from, ok := p.Next(1001); !ok || from != 0 {
		t.Errorf("next is %d, %v, want 0", from, ok)
	}
}

func TestABatchThatFindsRoomInTheWindowIsGivenWhole(t *testing.T) {
	s := settings()
	s.MaxLocked = 100
	p := New(s, 0)
	if got := p.Acquire(&Want{Member: "a", NowMs: 1}, 0, []Batch{{First: 0, Last: 98}, {First: 99, Last: 998}, {First: 999, Last: 999}}, nil); !reflect.DeepEqual(got, []Range{{0, 998, 1}}) {
		t.Errorf("got %v, want two batches", got)
	}
	if _, ok := p.Next(1); ok {
		t.Error("the window is full and more is offered")
	}
}

func TestWaitsBetweenTriesGrowToTheirMost(t *testing.T) {
	s := Settings{RetryMs: 100, RetryFactor: 3, RetryMaxMs: 1000}
	for n, want := range map[int16]int64{1: 100, 2: 300, 3: 900, 4: 1000, 9: 1000} {
		if got := s.retryMs(n); got != want {
			t.Errorf("after delivery %d: %d ms, want %d", n, got, want)
		}
	}
	s.RetryMaxMs = 1e9
	if got := s.retryMs(1000); got != MaxRetryMs {
		t.Errorf("without a bound of its own: %d ms, want %d", got, MaxRetryMs)
	}
}

func TestAnAcknowledgementIsTakenWholeOrNotAtAll(t *testing.T) {
	p := New(settings(), 0)
	p.Acquire(&Want{Member: "a", NowMs: 1}, 0, all(0, 10), nil)
	p.Acquire(&Want{Member: "b", NowMs: 1}, 10, all(10, 10), nil)
	if err := p.Acknowledge(1, "b", []Ack{{18, 25, []AckType{Accept}}}); wire.CodeOf(err) != wire.InvalidRequest {
		t.Errorf("beyond the end: %v, want INVALID_REQUEST", err)
	}
	for _, acks := range [][]Ack{
		{{5, 12, []AckType{Accept}}},                             // b has some
		{{0, 4, []AckType{Accept}}, {15, 16, []AckType{Accept}}}, // the second is b's
		{{0, 0, []AckType{Accept}}, {10, 10, []AckType{Gap}}},
	} {
		if err := p.Acknowledge(1, "a", acks); wire.CodeOf(err) != wire.InvalidRecordState {
			t.Errorf("%v: %v, want INVALID_RECORD_STATE", acks, err)
		}
	}
	if st := p.Stats(); st.Locked != 20 || p.Start() != 0 {
		t.Errorf("something was taken: %+v", st)
	}
}

func TestMalformedAcknowledgementsAreRefused(t *testing.T) {
	for _, acks := range [][]Ack{
		{{5, 4, []AckType{Accept}}}, {{-1, 4, []AckType{Accept}}}, {{0, 4, nil}}, {{0, 4, []AckType{Accept, Accept}}},
		{{0, 0, []AckType{5}}}, {{0, 0, []AckType{-1}}}, {{0, 1, []AckType{Accept, Accept, Accept}}},
		{{0, 4, []AckType{Accept}}, {4, 5, []AckType{Accept}}}, {{5, 6, []AckType{Accept}}, {0, 1, []AckType{Accept}}},
	} {
		if err := Check(acks); wire.CodeOf(err) != wire.InvalidRequest {
			t.Errorf("%v: %v, want INVALID_REQUEST", acks, err)
		}
	}
}

func TestARecordIsGivenUpAfterItsLastDelivery(t *testing.T) {
	s := settings()
	s.Attempts, s.DeadLetter = 3, true
	p := New(s, 0)
	for n := int16(1); n <= 3; n++ {
		got := p.Acquire(&Want{Member: "a", NowMs: int64(n) * 100_000}, 0, all(0, 1), nil)
		if want := []Range{{0, 0, n}}; !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if due := p.DueMs(); due != int64(n)*100_000+s.LockMs || !p.Expire(due) {
			t.Fatalf("the lock ends at %d", due)
		}
	}
	if dead := p.Dead(10); !reflect.DeepEqual(dead, []Range{{0, 0, 3}}) || p.Start() != 0 {
		t.Fatalf("dead: %v, start %d", dead, p.Start())
	}
	w, _ := p.Changes()
	if want := []Stored{{First: 0, Last: 0, State: Archiving, Count: 3}}; !reflect.DeepEqual(w.Changed, want) {
		t.Errorf("stored %+v, want %+v", w.Changed, want)
	}
	p.Moved(0, 0)
	if p.Start() != 1 {
		t.Errorf("start %d after its dead letter was written, want 1", p.Start())
	}
}

func TestRejectedRecordsAreNotTriedAgain(t *testing.T) {
	p := New(settings(), 0)
	p.Acquire(&Want{Member: "a", NowMs: 1}, 0, all(0, 3), nil)
	if err := p.Acknowledge(1, "a", []Ack{{0, 2, []AckType{Release, Reject, Accept}}}); err != nil {
		t.Fatal(err)
	}
	if got := p.Acquire(&Want{Member: "b", NowMs: 1}, 0, all(0, 3), nil); !reflect.DeepEqual(got, []Range{{0, 0, 2}}) {
		t.Errorf("got %v, want the released one alone", got)
	}
}

func TestARenewedLockHoldsAnew(t *testing.T) {
	p := New(settings(), 0)
	p.Acquire(&Want{Member: "a", NowMs: 0}, 0, all(0, 2), nil)
	if err := p.Acknowledge(20_000, "a", []Ack{{0, 0, []AckType{Renew}}}); err != nil {
		t.Fatal(err)
	}
	p.Expire(30_000)
	if n := p.Holds("a"); n != 1 {
		t.Fatalf("the member holds %d records, want the renewed one", n)
	}
	if p.Expire(50_000); p.Holds("a") != 0 {
		t.Error("the renewed lock has not ended")
	}
}

func TestHolesAndControlRecordsAreNobodysRecords(t *testing.T) {
	p := New(settings(), 0)
	got := p.Acquire(&Want{Member: "a", NowMs: 1}, 0, []Batch{{First: 2, Last: 3}, {First: 4, Last: 4, Skip: true}, {First: 8, Last: 9}}, nil)
	if want := []Range{{2, 3, 1}, {8, 9, 1}}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if p.Start() != 2 {
		t.Errorf("start %d, want 2: there is nothing below", p.Start())
	}
	w, _ := p.Changes()
	if w.Done != 4 { // 4 to 7
		t.Errorf("%d are done above the start, want 4", w.Done)
	}
}

func TestRetentionTakesWhatMembersHold(t *testing.T) {
	p := New(settings(), 0)
	p.Acquire(&Want{Member: "a", NowMs: 1}, 0, all(0, 10), nil)
	if !p.Trim(6) || p.Start() != 6 || p.Holds("a") != 4 {
		t.Fatalf("start %d, held %d; want 6 and 4", p.Start(), p.Holds("a"))
	}
	if err := p.Acknowledge(1, "a", []Ack{{0, 9, []AckType{Accept}}}); err != nil {
		t.Errorf("what retention took needs no acknowledgement: %v", err)
	}
	if p.Start() != 10 {
		t.Errorf("start %d, want 10", p.Start())
	}
	if err := p.Acknowledge(1, "a", []Ack{{8, 8, []AckType{Accept}}}); wire.CodeOf(err) != wire.InvalidRecordState {
		t.Errorf("a second acknowledgement: %v", err)
	}
}

func TestWhatAMemberLeavesCountsAsDelivered(t *testing.T) {
	p := New(settings(), 0)
	p.Acquire(&Want{Member: "a", NowMs: 1}, 0, all(0, 5), nil)
	p.Acquire(&Want{Member: "b", NowMs: 1}, 5, all(5, 5), nil)
	if p.Leave(1, "c") || !p.Leave(1, "a") || p.Holds("a") != 0 || p.Holds("b") != 5 {
		t.Fatal("a alone leaves something")
	}
	if w, _ := p.Changes(); !reflect.DeepEqual(w.Changed, []Stored{{First: 0, Last: 4, Count: 1}}) {
		t.Errorf("stored %+v", w.Changed)
	}
	if got := p.Acquire(&Want{Member: "b", NowMs: 1}, 0, all(0, 5), nil); !reflect.DeepEqual(got, []Range{{0, 4, 2}}) {
		t.Errorf("got %v, want a second delivery", got)
	}
}

// keyed makes a batch of records with the keys that a text names, '-' for none.
func keyed(first int64, keys string) Batch {
	b := Batch{First: first, Last: first + int64(len(keys)) - 1}
	for i, k := range keys {
		b.Records = append(b.Records, Record{Offset: first + int64(i), Key: uint64(k), Keyed: k != '-'})
	}
	return b
}

// flush has all that changed stored.
func (p *Partition) flush() {
	p.Changes()
	p.Stored()
}

func TestOneRecordOfAKeyIsOutAtATimeAndInOrder(t *testing.T) {
	s := settings()
	s.KeyOrdered = true
	p := New(s, 0)
	b := []Batch{keyed(0, "xxy-xy")}
	if got := p.Acquire(&Want{Member: "a", NowMs: 1}, 0, b, nil); !reflect.DeepEqual(got, []Range{{0, 0, 1}, {2, 3, 1}}) {
		t.Fatalf("got %v, want the first of each key and the one without", got)
	}
	if from, ok := p.Next(1); !ok || from != 6 {
		t.Fatalf("next is %d, %v: all six are known, and none is free", from, ok)
	}
	ack := func(at int64, k AckType) {
		t.Helper()
		if err := p.Acknowledge(1, "a", []Ack{{at, at, []AckType{k}}}); err != nil {
			t.Fatal(err)
		}
	}
	ack(0, Accept)
	p.flush()
	if from, ok := p.Next(1); !ok || from != 1 {
		t.Fatalf("next is %d, %v, want the second x", from, ok)
	}
	if got := p.Acquire(&Want{Member: "b", NowMs: 1}, 1, b, nil); !reflect.DeepEqual(got, []Range{{1, 1, 1}}) {
		t.Fatalf("got %v, want the second x alone", got)
	}
	ack(2, Release)
	if got := p.Acquire(&Want{Member: "b", NowMs: 1}, 2, b, nil); !reflect.DeepEqual(got, []Range{{2, 2, 2}}) {
		t.Errorf("got %v, want the released y before the other", got)
	}
}

// Whoever got the next record would see its key out of order, should the one
// before come back because a crash undid what was said of it.
func TestAKeyGoesOnWhenWhatWasSaidOfItsRecordIsStored(t *testing.T) {
	s := settings()
	s.KeyOrdered, s.Attempts = true, 1
	b := []Batch{keyed(0, "xxyyzzw")}
	p := New(s, 0)
	took := func(want ...Range) {
		t.Helper()
		from, _ := p.Next(1)
		if got := p.Acquire(&Want{Member: "b", NowMs: 1}, from, b, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	p.Acquire(&Want{Member: "a", NowMs: 1}, 0, b[:1], nil)
	say := func(at int64, k AckType) {
		t.Helper()
		if err := p.Acknowledge(1, "a", []Ack{{at, at, []AckType{k}}}); err != nil {
			t.Fatal(err)
		}
	}
	say(0, Accept)
	say(2, Reject)
	took()
	p.Changes()     // on its way
	say(4, Release) // its last delivery: it is given up
	say(6, Accept)
	took()
	if !p.Stored() {
		t.Error("no key is told to go on")
	}
	from, _ := p.Next(1)
	if got := p.Acquire(&Want{Member: "b", NowMs: 1}, from, b, nil); !reflect.DeepEqual(got, []Range{{1, 1, 1}, {3, 3, 1}}) {
		t.Errorf("got %v, want the x and the y of which it is stored", got)
	}
	b = append(b, keyed(7, "w")) // its key has no other record any more
	took()
	p.flush()
	took(Range{5, 5, 1}, Range{7, 7, 1})
	if p.flush(); p.Stored() {
		t.Error("keys are told to go on twice")
	}
}

func TestAPoisonedKeyIsParkedAlone(t *testing.T) {
	s := settings()
	s.KeyOrdered, s.RetryMs, s.RetryFactor = true, 1000, 1
	p := New(s, 0)
	b := []Batch{keyed(0, "xyxyxy")}
	p.Acquire(&Want{Member: "a", NowMs: 1}, 0, b, nil)
	if err := p.Acknowledge(1, "a", []Ack{{0, 0, []AckType{Release}}, {1, 1, []AckType{Accept}}}); err != nil {
		t.Fatal(err)
	}
	if got := p.ParkedAt(10); !reflect.DeepEqual(got, []int64{0}) || p.Stats().Parked != 1 {
		t.Errorf("parked at %v, want 0", got)
	}
	for _, at := range []int64{3, 5} {
		p.flush()
		from, _ := p.Next(2)
		got := p.Acquire(&Want{Member: "a", NowMs: 2}, from, b, nil)
		if !reflect.DeepEqual(got, []Range{{at, at, 1}}) {
			t.Fatalf("got %v, want %d: the other key goes on", got, at)
		}
		if err := p.Acknowledge(2, "a", []Ack{{at, at, []AckType{Accept}}}); err != nil {
			t.Fatal(err)
		}
	}
	p.Expire(1001)
	if from, _ := p.Next(1001); from != 0 {
		t.Errorf("next is %d, want 0: its time has come", from)
	}
}

func TestWhatWasStoredComesBackInAnyOrder(t *testing.T) {
	rows := []Stored{
		{First: 14, Last: 15, State: Available, Count: 2, NotBeforeMs: 500}, {First: 5, Last: 11, State: Acknowledged, Count: 1},
		{First: 20, Last: 20, State: Archived}, {First: 9, Last: 3, State: Archived}, {First: -4, Last: -1, State: Archived},
		{First: 30, Last: 1<<63 - 1, State: Archived}, {First: 17, Last: 17, State: 77, Count: 1},
	}
	p := Load(settings(), 10, rows)
	if p.Start() != 12 || p.End() != 21 && p.End() != 18 {
		t.Fatalf("start %d, end %d", p.Start(), p.End())
	}
	if from, ok := p.Next(1); !ok || from != 12 {
		t.Errorf("next is %d, want 12", from)
	}
	got := p.Acquire(&Want{Member: "a", NowMs: 1}, 12, all(12, 9), nil)
	if want := []Range{{12, 13, 1}, {16, 16, 1}, {17, 17, 2}, {18, 19, 1}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStatesHaveKafkasNames(t *testing.T) {
	for s, want := range map[State]string{Available: "Available", Archiving: "Archiving", Archived: "Archived", 9: "State(9)", -1: "State(-1)"} {
		if got := s.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
