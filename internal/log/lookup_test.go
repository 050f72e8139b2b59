package log

import (
	"math/rand/v2"
	"testing"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// timed builds a batch whose records have the given timestamps.
func timed(base int64, epoch int32, times ...int64) (record.Header, []byte) {
	bd := record.NewBuilder()
	bd.LeaderEpoch = epoch
	for _, ms := range times {
		bd.Add(ms, nil, []byte("x"))
	}
	b := bd.Build(base)
	h, err := record.ParseHeader(b)
	if err != nil {
		panic(err)
	}
	return h, b
}

func TestLookupsByTimeAgreeWithAWalkOverAllRecords(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := newRig(t)
		l := r.log(Config{SegmentBytes: 2000, IndexIntervalBytes: rnd.Int64N(400), MaxDecompressed: 1 << 20})
		var times []int64 // by offset
		for i := range 80 {
			var ms []int64
			for range 1 + rnd.IntN(4) {
				ms = append(ms, 1000+int64(i)*10+rnd.Int64N(60)-30) // nearly in order, as in life
			}
			h, b := timed(int64(len(times)), int32(i/30), ms...)
			put(t, l, h, b)
			times = append(times, ms...)
		}
		start := rnd.Int64N(20)
		if err := l.AdvanceStart(start); err != nil {
			t.Fatal(err)
		}
		if rnd.IntN(2) == 0 {
			if err := r.d.Close(nil); err != nil {
				t.Fatal(err)
			}
			r.reopen()
			l = r.log(small)
		}
		check := func(ms, to int64) {
			t.Helper()
			want := int64(-1)
			for o := start; o < to && want < 0; o++ {
				if times[o] >= ms {
					want = o
				}
			}
			got, ok, err := l.LookupTime(ms, Position{Offset: to, Byte: -1})
			if err != nil || ok != (want >= 0) || ok && (got.Offset != want || got.TimestampMs != times[want]) {
				t.Fatalf("seed %d: first at or after %d below %d: %+v %v %v, want offset %d", seed, ms, to, got, ok, err, want)
			}
		}
		for range 60 {
			check(960+rnd.Int64N(900), start+rnd.Int64N(int64(len(times))-start+1))
		}
		want := start
		for o := start; o < int64(len(times)); o++ {
			if times[o] > times[want] {
				want = o
			}
		}
		if got, ok, err := l.MaxTime(); err != nil || !ok || got.Offset != want || got.TimestampMs != times[want] {
			t.Fatalf("seed %d: largest timestamp %+v %v %v, want that of offset %d, %d", seed, got, ok, err, want, times[want])
		}
	}
}

func TestTheFirstRecordFromAnOffsetIsFoundInEverySegment(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{SegmentBytes: 600, IndexIntervalBytes: 100, MaxDecompressed: 1 << 20})
	times := map[int64]int64{} // by offset; the gaps are what compaction took
	next := int64(0)
	for i := range int64(60) {
		h, b := timed(next, 1, 1000-i, 2000-i)
		put(t, l, h, b)
		times[next], times[next+1] = 1000-i, 2000-i
		next += 2 + i%3*4
	}
	if err := l.AdvanceStart(5); err != nil {
		t.Fatal(err)
	}
	for offset := int64(0); offset <= next; offset++ {
		for _, to := range []int64{offset, offset + 1, offset + 7, next} {
			want := int64(-1)
			for o := max(offset, 5); o < to && want < 0; o++ {
				if _, ok := times[o]; ok {
					want = o
				}
			}
			got, ok, err := l.FirstRecord(offset, Position{Offset: to, Byte: -1})
			if err != nil || ok != (want >= 0) || ok && (got.Offset != want || got.TimestampMs != times[want]) {
				t.Fatalf("first record from %d below %d: %+v %v %v, want offset %d", offset, to, got, ok, err, want)
			}
		}
	}
}

func TestAMarkerIsNoRecordOfAClient(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{SegmentBytes: 1 << 20, MaxDecompressed: 1 << 20})
	marker := record.EndTxnMarker(9, 1, true, 0, 500)
	record.SetBaseOffset(marker, 0)
	h, err := record.ParseHeader(marker)
	if err != nil {
		t.Fatal(err)
	}
	put(t, l, h, marker)
	if got, ok, err := l.FirstRecord(0, Position{Offset: 1, Byte: -1}); ok || err != nil {
		t.Fatalf("a marker alone: %+v %v %v, want none", got, ok, err)
	}
	h, b := timed(1, 0, 700)
	put(t, l, h, b)
	if got, ok, err := l.FirstRecord(0, Position{Offset: 2, Byte: -1}); !ok || err != nil || got.Offset != 1 || got.TimestampMs != 700 {
		t.Fatalf("after a marker: %+v %v %v, want offset 1", got, ok, err)
	}
}

func TestAnEmptyLogHasNoTimes(t *testing.T) {
	l := newRig(t).log(small)
	if _, ok, err := l.LookupTime(0, l.End()); ok || err != nil {
		t.Errorf("look-up: %v %v, want nothing", ok, err)
	}
	if _, ok, err := l.MaxTime(); ok || err != nil {
		t.Errorf("largest timestamp: %v %v, want none", ok, err)
	}
}

func TestAbortedTransactionsAreListedWhereTheyMeetTheRange(t *testing.T) {
	r := newRig(t)
	l := r.log(Config{SegmentBytes: 600, IndexIntervalBytes: 200})
	// Producer 1 begins at 0 and aborts at 20; producer 2 commits; producer 3
	// begins at 10 and aborts at 12: their entries lie in the order of markers.
	marker := func(id int64, commit bool) {
		m := record.EndTxnMarker(id, 0, commit, 0, 1_700_000_000_000)
		record.SetBaseOffset(m, l.End().Offset)
		h, err := record.ParseHeader(m)
		if err != nil {
			t.Fatal(err)
		}
		put(t, l, h, m)
	}
	seq := map[int64]int32{}
	for o := int64(0); o < 24; o++ {
		switch {
		case o == 12:
			marker(3, false)
		case o == 15:
			marker(2, true)
		case o == 20:
			marker(1, false)
		default:
			id := map[bool]int64{true: 3, false: 1 + o%2}[o == 10 || o == 11]
			h, b := produced(o, id, seq[id], o < 21)
			seq[id]++
			put(t, l, h, b)
		}
	}
	one := producer.Aborted{ProducerID: 1, FirstOffset: 0, LastOffset: 20}
	three := producer.Aborted{ProducerID: 3, FirstOffset: 10, LastOffset: 12}
	check := func(when string) {
		t.Helper()
		for _, c := range []struct {
			from, to int64
			want     []producer.Aborted
		}{
			{0, 24, []producer.Aborted{one, three}}, {0, 5, []producer.Aborted{one}}, {11, 12, []producer.Aborted{one, three}},
			{13, 20, []producer.Aborted{one}}, {20, 21, []producer.Aborted{one}}, {21, 24, nil},
		} {
			got, err := l.Aborted(c.from, c.to)
			if err != nil || len(got) != len(c.want) {
				t.Fatalf("%s: [%d, %d): %v %v, want %v", when, c.from, c.to, got, err, c.want)
			}
			for i := range got {
				got[i].LastStableOffset = 0
				if got[i] != c.want[i] {
					t.Errorf("%s: [%d, %d): %v, want %v", when, c.from, c.to, got, c.want)
				}
			}
		}
	}
	check("live")
	if err := r.d.Close(nil); err != nil {
		t.Fatal(err)
	}
	r.reopen()
	l = r.log(small)
	check("after a clean stop")
	r.reopen()
	l = r.log(small)
	check("after a kill")
}

func TestALogWithoutAbortsAllocatesNothingForThem(t *testing.T) {
	l := newRig(t).log(small)
	fill(t, l, 50, 1)
	if n := testing.AllocsPerRun(100, func() {
		if got, err := l.Aborted(0, 50); got != nil || err != nil {
			t.Fatal(got, err)
		}
	}); n != 0 && !raceEnabled {
		t.Errorf("%v allocations, want none", n)
	}
}
