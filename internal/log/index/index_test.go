package index

import (
	"encoding/hex"
	"slices"
	"testing"

	"ottla/internal/producer"
)

func TestOffsetEntriesHaveKafkasBytes(t *testing.T) {
	got := hex.EncodeToString(Offsets{{9, 4200}, {300, 70000}}.Append(nil))
	if want := "0000000900001068" + "0000012c00011170"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimeEntriesHaveKafkasBytes(t *testing.T) {
	got := hex.EncodeToString(Times{{0x0102030405060708, 9}}.Append(nil))
	if want := "010203040506070800000009"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAbortedEntriesHaveKafkasBytes(t *testing.T) {
	got := hex.EncodeToString(AppendAborted(nil, producer.Aborted{ProducerID: 1, FirstOffset: 2, LastOffset: 3, LastStableOffset: 4}))
	if want := "0000" + "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000004"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFloorsAgreeWithAWalk(t *testing.T) {
	offsets := Offsets{{3, 100}, {7, 250}, {20, 900}}
	times := Times{{10, 3}, {40, 7}, {41, 20}}
	for v := int64(-1); v < 50; v++ {
		pos, entry := int64(0), -1
		for i, e := range offsets {
			if int64(e.Rel) <= v {
				pos, entry = int64(e.Pos), i
			}
		}
		if p, e := offsets.Floor(v); p != pos || e != entry {
			t.Errorf("offset %d: byte %d of entry %d, want %d of %d", v, p, e, pos, entry)
		}
		want, ok := Time{}, false
		for _, e := range times {
			if e.TimestampMs <= v {
				want, ok = e, true
			}
		}
		if got, k := times.Floor(v); got != want || k != ok {
			t.Errorf("time %d: %v %v, want %v %v", v, got, k, want, ok)
		}
	}
	for pos, want := range map[int64]int64{0: 0, 99: 0, 100: 100, 899: 250, 5000: 900} {
		if got, _ := offsets.FloorByte(pos); got != want {
			t.Errorf("byte %d: entry at %d, want %d", pos, got, want)
		}
	}
}

func TestCutsDropWhatLiesAtOrAbove(t *testing.T) {
	offsets := Offsets{{3, 100}, {7, 250}, {20, 900}}
	if got := offsets.Cut(250); !slices.Equal(got, offsets[:1]) {
		t.Errorf("offsets below byte 250: %v, want one", got)
	}
	times := Times{{10, 3}, {40, 7}}
	if got := times.Cut(4); !slices.Equal(got, times[:1]) {
		t.Errorf("times below offset 4: %v, want one", got)
	}
	if grown := append(offsets.Cut(250), Offset{9, 9}); offsets[1] == grown[1] {
		t.Error("an append after a cut overwrites what readers hold")
	}
}

func TestTimesNoteOnlyNewMaxima(t *testing.T) {
	var times Times
	for i, ms := range []int64{5, 5, 3, 9} {
		times = times.Add(Time{ms, int32(i)})
	}
	if want := (Times{{5, 0}, {9, 3}}); !slices.Equal(times, want) {
		t.Errorf("got %v, want %v", times, want)
	}
}

func TestDamagedIndexesAreRefused(t *testing.T) {
	good := Offsets{{3, 100}, {7, 250}}.Append(nil)
	entry := producer.Aborted{ProducerID: 1, FirstOffset: 2, LastOffset: 8, LastStableOffset: 9}
	for name, err := range map[string]error{
		"odd length":           second(ParseOffsets(good[:9], 1000)),
		"falling offsets":      second(ParseOffsets(Offsets{{7, 100}, {3, 250}}.Append(nil), 1000)),
		"falling positions":    second(ParseOffsets(Offsets{{3, 250}, {7, 100}}.Append(nil), 1000)),
		"past the log":         second(ParseOffsets(good, 250)),
		"entry after zeros":    second(ParseOffsets(append(make([]byte, 8), good...), 1000)),
		"odd times":            second(ParseTimes(make([]byte, 13))),
		"falling times":        second(ParseTimes(Times{{9, 1}, {8, 2}}.Append(nil))),
		"negative offset":      second(ParseTimes(Times{{9, -1}}.Append(nil))),
		"odd transactions":     second(ParseAborted(make([]byte, 33), 0, 100)),
		"zeros":                second(ParseAborted(make([]byte, 34), 0, 100)),
		"another version":      second(ParseAborted(append([]byte{1}, make([]byte, 33)...), 0, 100)),
		"above the segment":    second(ParseAborted(AppendAborted(nil, entry), 0, 8)),
		"below the segment":    second(ParseAborted(AppendAborted(nil, entry), 9, 100)),
		"twice the same entry": second(ParseAborted(AppendAborted(AppendAborted(nil, entry), entry), 0, 100)),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got, err := ParseOffsets(append(slices.Clone(good), make([]byte, 80)...), 1000); err != nil || len(got) != 2 {
		t.Errorf("an index with Kafka's preallocated zeros: %v %v, want its 2 entries", got, err)
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzParse(f *testing.F) {
	f.Add(Offsets{{3, 100}, {7, 250}}.Append(nil))
	f.Add(Times{{10, 3}, {40, 7}}.Append(nil))
	f.Add(AppendAborted(nil, producer.Aborted{ProducerID: 1, FirstOffset: 2, LastOffset: 8}))
	f.Add(make([]byte, 48))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := ParseOffsets(b, 1<<30); err == nil {
			if again, err := ParseOffsets(o.Append(nil), 1<<30); err != nil || !slices.Equal(o, again) {
				t.Errorf("offsets %v come back as %v %v", o, again, err)
			}
		}
		if o, err := ParseTimes(b); err == nil {
			if again, err := ParseTimes(o.Append(nil)); err != nil || !slices.Equal(o, again) {
				t.Errorf("times %v come back as %v %v", o, again, err)
			}
		}
		if o, err := ParseAborted(b, 0, 1<<40); err == nil {
			var c []byte
			for _, a := range o {
				c = AppendAborted(c, a)
			}
			if string(c) != string(b) {
				t.Errorf("transactions %v come back as %x, want %x", o, c, b)
			}
		}
	})
}
