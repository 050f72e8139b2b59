package store

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/share"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

var epoch = time.UnixMilli(1_700_000_000_000).UTC()

// log is a machine with the records that it wrote.
type log struct {
	t *testing.T
	*Machine
	records []coordinator.Record
	now     time.Time
}

func newLog(t *testing.T, every int) *log {
	return &log{t: t, Machine: New(Settings{SnapshotEvery: every}), now: epoch}
}

// do steps a command, applies what it wrote and gives its reply.
func (l *log) do(body any) (any, error) {
	l.t.Helper()
	cmd := coordinator.Command{Token: 1, Wall: l.now, Body: body}
	first, err := l.Step(l.now, cmd)
	again, err2 := l.Step(l.now, cmd)
	if !reflect.DeepEqual(first.Records, again.Records) || (err == nil) != (err2 == nil) {
		l.t.Fatalf("%+v: a second Step says something else", body)
	}
	if err != nil {
		return nil, err
	}
	l.accept(again)
	if len(again.Replies) != 1 {
		l.t.Fatalf("%+v: %d replies", body, len(again.Replies))
	}
	return again.Replies[0].Body, again.Replies[0].Err
}

func (l *log) accept(out coordinator.Output) {
	for _, r := range out.Records {
		r.Offset = int64(len(l.records))
		l.records = append(l.records, r)
		l.Apply(r)
	}
	if out.Accepted != nil {
		out.Accepted()
	}
}

func (l *log) must(body any) any {
	l.t.Helper()
	got, err := l.do(body)
	if err != nil {
		l.t.Fatalf("%+v: %v", body, err)
	}
	return got
}

func (l *log) refuses(body any, want wire.Code) {
	l.t.Helper()
	if _, err := l.do(body); wire.CodeOf(err) != want {
		l.t.Errorf("%+v: %v, want %v", body, err, want)
	}
}

// replayed is a machine that read the log from the record at on.
func (l *log) replayed(at int) *Machine {
	m := New(l.s)
	for i := at; i < len(l.records); i++ {
		m.Apply(l.records[i])
	}
	return m
}

func key(p int32) Key { return Key{Group: "g", TopicID: uuid.UUID{1, 2, 3}, Partition: p} }

func row(first, last int64, s share.State, count int16) share.Stored {
	return share.Stored{First: first, Last: last, State: s, Count: count}
}

func TestAStateIsWhatWasPutIntoIt(t *testing.T) {
	l := newLog(t, 500)
	if got := l.must(Read{Key: key(0), LeaderEpoch: 3, OrNone: true}); !reflect.DeepEqual(got, State{Start: -1}) {
		t.Errorf("before there is anything: %+v", got)
	}
	l.refuses(Put{Key: key(0), Start: 5}, wire.InvalidRequest)
	l.refuses(Read{Key: key(0), LeaderEpoch: 3}, wire.InvalidRequest)
	l.must(Initialize{key(0), 2, -1, -1})
	if got := l.must(Read{Key: key(0), LeaderEpoch: 3}); !reflect.DeepEqual(got, State{StateEpoch: 2, Start: -1}) {
		t.Errorf("initialised: %+v", got)
	}
	l.must(Put{Key: key(0), StateEpoch: 2, LeaderEpoch: 3, Start: 5, Done: 3, Rows: []share.Stored{
		row(5, 9, share.Available, 1), {First: 10, Last: 12, State: share.Available, Count: 2, NotBeforeMs: 77}}})
	l.must(Put{Key: key(0), StateEpoch: 2, LeaderEpoch: 3, Start: 7, Done: 4, Rows: []share.Stored{row(11, 11, share.Acknowledged, 3)}})
	want := State{StateEpoch: 2, Start: 7, Rows: []share.Stored{
		row(7, 9, share.Available, 1), {First: 10, Last: 10, State: share.Available, Count: 2, NotBeforeMs: 77},
		row(11, 11, share.Acknowledged, 3), {First: 12, Last: 12, State: share.Available, Count: 2, NotBeforeMs: 77}}}
	if got := l.must(Read{Key: key(0), LeaderEpoch: 3}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := l.must(Summarize{Key: key(0)}), (Summary{Known: true, StateEpoch: 2, LeaderEpoch: 3, Start: 7, Done: 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	l.must(Delete{key(0)})
	l.must(Delete{key(0)})
	if got := l.must(Summarize{Key: key(0)}); got != (Summary{LeaderEpoch: -1, Start: -1, Done: -1}) {
		t.Errorf("deleted: %+v", got)
	}
}

func TestOlderLeadersAndOlderStatesAreKeptOut(t *testing.T) {
	l := newLog(t, 500)
	l.must(Initialize{key(0), 1, 0, -1})
	l.must(Read{Key: key(0), LeaderEpoch: 5})
	l.refuses(Read{Key: key(0), LeaderEpoch: 4}, wire.FencedLeaderEpoch)
	l.refuses(Put{Key: key(0), StateEpoch: 1, LeaderEpoch: 4, Start: -1}, wire.FencedLeaderEpoch)
	l.refuses(Put{Key: key(0), StateEpoch: 0, LeaderEpoch: 5, Start: -1}, wire.FencedStateEpoch)
	l.refuses(Initialize{key(0), 0, 9, -1}, wire.FencedStateEpoch)
	l.refuses(Initialize{key(0), 1, 9, 4}, wire.FencedLeaderEpoch)
	l.must(Read{Key: key(0), LeaderEpoch: -1}) // nobody is kept out, and nobody is
	l.must(Put{Key: key(0), StateEpoch: 1, LeaderEpoch: 5, Start: 1, Done: -1})
	l.must(Initialize{key(0), 2, 9, -1})
	l.refuses(Put{Key: key(0), StateEpoch: 1, LeaderEpoch: 5, Start: 2}, wire.FencedStateEpoch)
	if got := l.must(Read{Key: key(0), LeaderEpoch: 5}); !reflect.DeepEqual(got, State{StateEpoch: 2, Start: 9}) {
		t.Errorf("initialised anew: %+v", got)
	}
}

func TestImpossibleRequestsAreRefused(t *testing.T) {
	l := newLog(t, 500)
	l.must(Initialize{key(0), 0, 0, -1})
	for _, k := range []Key{{}, {Group: "g", TopicID: uuid.UUID{1}, Partition: -1}, {Group: "g"}, {TopicID: uuid.UUID{1}}} {
		for _, body := range []any{Initialize{Key: k}, Read{Key: k}, Put{Key: k}, Summarize{Key: k}} {
			l.refuses(body, wire.InvalidRequest)
		}
	}
	for _, r := range []share.Stored{row(-1, 4, 0, 1), row(5, 4, 0, 1), row(0, 4, 9, 1), row(0, 4, -1, 1), row(0, 4, 0, -1)} {
		l.refuses(Put{Key: key(0), Start: -1, Rows: []share.Stored{r}}, wire.InvalidRequest)
	}
	l.refuses("nonsense", wire.UnknownServerError)
}

func TestEverySoManyUpdatesAreASnapshotFromWhichTheLogCanBeRead(t *testing.T) {
	l := newLog(t, 3)
	l.must(Initialize{key(0), 0, 0, -1})
	for i := range int64(20) {
		l.must(Put{Key: key(0), Start: i, Done: int32(i), Rows: []share.Stored{row(i+1, i+3, share.Available, int16(i))}})
	}
	last, kinds := 0, ""
	for i, r := range l.records {
		kinds += fmt.Sprint(r.Key[1])
		if r.Key[1] == byte(snapshotType) {
			last = i
		}
	}
	if want := "0111011101110111011101"[:len(kinds)]; kinds != want {
		t.Errorf("records %s, want %s", kinds, want)
	}
	if got := l.replayed(last); !reflect.DeepEqual(got.states[key(0)].rows, l.states[key(0)].rows) || got.states[key(0)].start != 19 {
		t.Errorf("from the last snapshot on: %+v, live %+v", got.states[key(0)], l.states[key(0)])
	}
}

// naive is a state told offset by offset.
type naive struct {
	start int64
	rows  map[int64]share.Stored
}

func (n *naive) put(p Put) {
	for _, r := range p.Rows {
		for at := r.First; at <= r.Last; at++ {
			one := r
			one.First, one.Last = at, at
			n.rows[at] = one
		}
	}
	if p.Start >= 0 {
		n.start = p.Start
	}
	for at := range n.rows {
		if at < n.start {
			delete(n.rows, at)
		}
	}
}

func TestRandomPutsAgreeWithATwinLiveReplayedAndListed(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := newLog(t, int(seed%7))
		twins := map[Key]*naive{}
		for range 120 {
			k := key(int32(r.IntN(3)))
			n := twins[k]
			if n == nil {
				start := int64(r.IntN(5))
				l.must(Initialize{k, 0, start, -1})
				twins[k] = &naive{start: start, rows: map[int64]share.Stored{}}
				continue
			}
			put := Put{Key: k, Start: -1, Done: int32(r.IntN(9)) - 1}
			if r.IntN(3) == 0 {
				put.Start = n.start + int64(r.IntN(4))
			}
			for range r.IntN(4) {
				first := n.start + int64(r.IntN(30))
				put.Rows = append(put.Rows, share.Stored{First: first, Last: first + int64(r.IntN(8)), State: share.State(r.IntN(5)), Count: int16(r.IntN(3)),
					NotBeforeMs: int64(r.IntN(2)), UntilMs: int64(r.IntN(2)), KeyLock: uint64(r.IntN(2)), Holder: uint64(r.IntN(2))})
			}
			n.put(put)
			l.must(put)
			compareTwin(t, l.Machine, k, n)
		}
		listed := New(l.s)
		for rec := range l.Records() {
			listed.Apply(rec)
		}
		again := l.replayed(0)
		for k, n := range twins {
			compareTwin(t, again, k, n)
			compareTwin(t, listed, k, n)
			a, b := *l.states[k], *listed.states[k]
			a.updates, a.at, b.at = 0, 0, 0
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("listed %+v, live %+v", b, a)
			}
		}
	}
}

func compareTwin(t *testing.T, m *Machine, k Key, n *naive) {
	t.Helper()
	s := m.states[k]
	got := map[int64]share.Stored{}
	end := int64(-1)
	for i, r := range s.rows {
		if r.First <= end || r.Last < r.First || r.First < s.start {
			t.Fatalf("row %d is out of order: %+v", i, s.rows)
		}
		if i > 0 && s.rows[i-1].Goes(&r) {
			t.Fatalf("rows %d and %d are one: %+v", i-1, i, s.rows)
		}
		end = r.Last
		for at := r.First; at <= r.Last; at++ {
			one := r
			one.First, one.Last = at, at
			got[at] = one
		}
	}
	if s.start != n.start || !reflect.DeepEqual(got, n.rows) {
		t.Fatalf("start %d, rows %v; the twin has %d, %v", s.start, got, n.start, n.rows)
	}
}

func TestTheLogIsCutBelowAllSnapshotsAndQuietStatesDoNotHoldItUp(t *testing.T) {
	l := newLog(t, 3)
	var cut []int64
	l.s.PruneEvery, l.s.Prune = time.Minute, func(below int64) { cut = append(cut, below) }
	tick := func() {
		out, err := l.Step(l.now, coordinator.Command{Wall: l.now, Body: pruneDue{}})
		if err != nil || len(out.Timers) != 1 {
			t.Fatalf("%v, timers %v", err, out.Timers)
		}
		l.accept(out)
		for _, w := range out.Work {
			w.Run()
		}
	}
	tick() // nothing there: nothing to cut
	l.must(Initialize{key(0), 0, 0, -1})
	l.must(Initialize{key(1), 0, 0, -1}) // quiet from now on
	for i := range int64(50) {
		l.must(Put{Key: key(0), Start: i, Done: 0})
	}
	if tick(); !reflect.DeepEqual(cut, []int64{1}) && len(cut) != 1 {
		t.Fatalf("cut at %v", cut)
	}
	for i := range int64(refreshAfter) {
		l.must(Put{Key: key(0), Start: i, Done: 0})
	}
	tick() // writes the quiet one anew
	tick()
	low := cut[len(cut)-1]
	if low < refreshAfter {
		t.Fatalf("cut at %v: the quiet state holds the log up", cut)
	}
	if got := l.replayed(int(low)); !reflect.DeepEqual(got.Keys(), l.Keys()) || got.states[key(0)].start != l.states[key(0)].start {
		t.Errorf("what is left of the log gives %+v", got.states)
	}
}

func TestStatesOfDeletedTopicsGo(t *testing.T) {
	l := newLog(t, 500)
	other := Key{Group: "h", TopicID: uuid.UUID{9}, Partition: 1}
	l.must(Initialize{other, 0, 0, -1})
	for i := range int32(fullAt + 1) {
		l.must(Initialize{key(i), 0, 0, -1})
	}
	gone := Forget{Topics: []uuid.UUID{key(0).TopicID}}
	for _, more := range []bool{true, false, false} {
		if got := l.must(gone); got != more {
			t.Errorf("more to forget: %v, want %v", got, more)
		}
	}
	if got := l.Keys(); !reflect.DeepEqual(got, []Key{other}) {
		t.Errorf("left are %v", got)
	}
}

func TestKeysAreReadAsTheyAreWritten(t *testing.T) {
	for _, k := range []Key{key(7), {Group: "a:b::c", TopicID: uuid.UUID{255, 254}, Partition: 2}} {
		if got, ok := ParseKey(k.String()); !ok || got != k {
			t.Errorf("%s gave %+v", k, got)
		}
		if _, got, err := parseKey(appendKey(nil, updateType, k)); err != nil || got != k {
			t.Errorf("%s gave %+v, %v", k, got, err)
		}
	}
	for _, bad := range []string{"", "g", "g:t", "g:t:0", ":" + key(0).TopicID.String() + ":0", "g:" + key(0).TopicID.String() + ":-1"} {
		if k, ok := ParseKey(bad); ok {
			t.Errorf("%q gave %+v", bad, k)
		}
	}
}

func TestValuesHaveKafkasBytes(t *testing.T) {
	s := Snapshot{Epoch: 1, StateEpoch: 2, LeaderEpoch: 3, Start: 4, Done: 5, CreatedMs: 6, WrittenMs: 7, Rows: []share.Stored{row(8, 9, share.Archived, 10)}}
	want := "0000" + "00000001" + "00000002" + "00000003" + "0000000000000004" + "0000000000000006" + "0000000000000007" +
		"02" + "0000000000000008" + "0000000000000009" + "04" + "000a" + "00" + "01" + "0004" + "00000005"
	if got := hex.EncodeToString(AppendSnapshot(nil, &s)); got != want {
		t.Errorf("snapshot\n%s, want\n%s", got, want)
	}
	u := Update{Epoch: 1, LeaderEpoch: 3, Start: -1, Done: -1, Rows: []share.Stored{
		{First: 8, Last: 9, Count: 1, NotBeforeMs: 3}, {First: 10, Last: 10, Count: 1, UntilMs: 4, KeyLock: 5, Holder: 6}}}
	want = "0000" + "00000001" + "00000003" + "ffffffffffffffff" + "03" + "0000000000000008" + "0000000000000009" + "00" + "0001" +
		"01" + "6408" + "0000000000000003" + "000000000000000a" + "000000000000000a" + "00" + "0001" +
		"03" + "6508" + "0000000000000004" + "6608" + "0000000000000005" + "6708" + "0000000000000006" + "00"
	if got := hex.EncodeToString(AppendUpdate(nil, &u)); got != want {
		t.Errorf("update\n%s, want\n%s", got, want)
	}
	gotS, errS := ParseSnapshot(AppendSnapshot(nil, &s))
	gotU, errU := ParseUpdate(AppendUpdate(nil, &u))
	if errS != nil || errU != nil || !reflect.DeepEqual(gotS, s) || !reflect.DeepEqual(gotU, u) {
		t.Errorf("read back: %+v %v, %+v %v", gotS, errS, gotU, errU)
	}
}

func TestEveryTruncatedRecordIsRefused(t *testing.T) {
	s := Snapshot{Start: 4, Done: 5, Rows: []share.Stored{{First: 8, Last: 9, NotBeforeMs: 4}}}
	u := Update{Start: 4, Done: 5, Rows: []share.Stored{{First: 8, Last: 9, NotBeforeMs: 4}}}
	for _, tc := range []struct {
		raw   []byte
		parse func([]byte) error
	}{
		{AppendSnapshot(nil, &s), func(b []byte) error { _, err := ParseSnapshot(b); return err }},
		{AppendUpdate(nil, &u), func(b []byte) error { _, err := ParseUpdate(b); return err }},
		{appendKey(nil, 0, key(1)), func(b []byte) error { _, _, err := parseKey(b); return err }},
	} {
		for n := range tc.raw {
			if tc.parse(tc.raw[:n:n]) == nil {
				t.Errorf("%x was taken, the whole is %x", tc.raw[:n], tc.raw)
			}
		}
	}
	if _, err := ParseSnapshot([]byte{0, 1}); err == nil {
		t.Error("a snapshot of version 1 was read")
	}
	if _, err := ParseUpdate([]byte{0, 1}); err == nil {
		t.Error("an update of version 1 was read")
	}
}

func TestForeignRecordsArePassedOver(t *testing.T) {
	m := New(Defaults())
	for _, r := range []coordinator.Record{
		{}, {Key: []byte{0, 9, 0, 0}}, {Key: appendKey(nil, snapshotType, key(0)), Value: []byte{1}},
		{Key: appendKey(nil, updateType, key(0)), Value: AppendUpdate(nil, &Update{})}, {Key: appendKey(nil, updateType, key(0))},
	} {
		m.Apply(r)
	}
	if len(m.states) != 0 {
		t.Errorf("they made %+v", m.states)
	}
}

// FuzzRecords holds that no bytes panic, and that what is read is written back
// and read again the same.
func FuzzRecords(f *testing.F) {
	f.Add(appendKey(nil, 0, key(1)), AppendSnapshot(nil, &Snapshot{Start: 1, Done: 2, Rows: []share.Stored{row(1, 2, 3, 4)}}))
	f.Add(appendKey(nil, 1, key(1)), AppendUpdate(nil, &Update{Start: -1, Done: -1, Rows: []share.Stored{{First: 1, Last: 2, NotBeforeMs: 3}, {First: 3, Last: 3, UntilMs: 4, KeyLock: 5, Holder: 6}}}))
	f.Fuzz(func(t *testing.T, k, value []byte) {
		if kind, got, err := parseKey(k); err == nil {
			if again := appendKey(nil, kind, got); !bytes.HasPrefix(k, again) {
				t.Errorf("key %x became %x", k, again)
			}
		}
		if v, err := ParseSnapshot(value); err == nil {
			if again, err := ParseSnapshot(AppendSnapshot(nil, &v)); err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("%+v became %+v, %v", v, again, err)
			}
		}
		if v, err := ParseUpdate(value); err == nil {
			if again, err := ParseUpdate(AppendUpdate(nil, &v)); err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("%+v became %+v, %v", v, again, err)
			}
		}
		m := New(Defaults())
		m.Apply(coordinator.Record{Key: appendKey(nil, 0, key(0)), Value: AppendSnapshot(nil, &Snapshot{})})
		m.Apply(coordinator.Record{Key: k, Value: value}) // must only not panic
	})
}
