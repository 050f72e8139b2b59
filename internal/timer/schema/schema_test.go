package schema

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	"ottla/internal/record"
	"ottla/internal/uuid"
)

func timers() []Timer {
	return []Timer{
		{},
		{DueMs: 1_795_628_588_674, Topic: "orders", Partition: -1, RecordKey: []byte("k"), Value: []byte("v"),
			Headers: []record.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "", Value: nil}, {Key: "b", Value: []byte{}}}},
		{DueMs: -5, Topic: "t", Partition: 7, RecordKey: []byte{}, Value: nil},
		{Topic: "t", RecordKey: nil, Value: []byte{}},
	}
}

func TestTimersRoundTrip(t *testing.T) {
	for _, want := range timers() {
		got, err := ParseTimer(AppendTimer(nil, &want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v comes back as %+v, %v", want, got, err)
		}
	}
}

func TestTargetsRoundTrip(t *testing.T) {
	for _, want := range []Target{
		{},
		{TopicID: uuid.UUID{1, 2}, ProducerID: 4000, Sequence: 17, TimeMs: 1 << 40, Flight: []Ref{{[16]byte{9}, 5}, {[16]byte{8, 15: 1}, 1 << 50}}},
	} {
		got, err := ParseTarget(AppendTarget(nil, &want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v comes back as %+v, %v", want, got, err)
		}
	}
}

func TestLinesAndIndexesRoundTrip(t *testing.T) {
	if at, err := ParseLine(AppendLine(nil, 1<<40)); at != 1<<40 || err != nil {
		t.Errorf("a line comes back at %d, %v", at, err)
	}
	want := []Entry{{Ref{[16]byte{1}, 7}, -3, -9, 12}, {Ref{[16]byte{2}, 8}, 1 << 41, 4, 1 << 20}}
	var got []Entry
	err := ParseIndex(AppendIndex(nil, "orders", want), func(topic string, e Entry) {
		if topic != "orders" {
			t.Errorf("of topic %q", topic)
		}
		got = append(got, e)
	})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("comes back as %+v, %v", got, err)
	}
}

func TestKeysSayWhatARecordIsOf(t *testing.T) {
	for _, c := range []struct {
		key  []byte
		kind Kind
		rest string
	}{
		{TimerKey("q/1"), KindTimer, "q/1"}, {LineKey("L-0"), KindLine, "L-0"},
		{TargetKey("orders", 3), KindTarget, "\x00\x00\x00\x03orders"}, {IndexKey(2), KindIndex, "\x00\x00\x00\x02"},
	} {
		kind, rest, err := ParseKey(c.key)
		if kind != c.kind || string(rest) != c.rest || err != nil {
			t.Errorf("%q: %d, %q, %v", c.key, kind, rest, err)
		}
	}
	if _, _, err := ParseKey([]byte{0}); err == nil {
		t.Error("a key of one byte was read")
	}
	topic, partition, err := ParseTargetKey(TargetKey("orders", 3)[2:])
	if topic != "orders" || partition != 3 || err != nil {
		t.Errorf("%q, %d, %v", topic, partition, err)
	}
	for _, bad := range []string{"", "\x00\x00\x00", "\x00\x00\x00\x01", "\xff\x00\x00\x01t"} {
		if _, _, err := ParseTargetKey([]byte(bad)); err == nil {
			t.Errorf("the target key %q was read", bad)
		}
	}
}

// What is drawn in docs/format/timers.md.
func TestTheBytesAreThoseOfTheFormat(t *testing.T) {
	v := Timer{DueMs: 258, Topic: "o", Partition: -1, Value: []byte("x")}
	if got, want := hex.EncodeToString(AppendTimer(nil, &v)), "00000000000000000102026fffffffff0002780100"; got != want {
		t.Errorf("a timer is\n%s, want\n%s", got, want)
	}
}

func TestDamagedValuesAreErrors(t *testing.T) {
	parse := map[string]func([]byte) error{
		"timer":  func(b []byte) error { _, err := ParseTimer(b); return err },
		"target": func(b []byte) error { _, err := ParseTarget(b); return err },
		"line":   func(b []byte) error { _, err := ParseLine(b); return err },
		"index":  func(b []byte) error { return ParseIndex(b, func(string, Entry) {}) },
	}
	full := timers()[1]
	whole := map[string][]byte{
		"timer":  AppendTimer(nil, &full),
		"target": AppendTarget(nil, &Target{Flight: []Ref{{}}}),
		"line":   AppendLine(nil, 9),
		"index":  AppendIndex(nil, "t", []Entry{{}, {}}),
	}
	for name, b := range whole {
		for n := range b {
			if parse[name](b[:n]) == nil {
				t.Errorf("%s: %d of %d bytes were read", name, n, len(b))
			}
		}
		if parse[name](append(bytes.Clone(b), 0)) == nil {
			t.Errorf("%s: a byte too many was read", name)
		}
		tagged := append(bytes.Clone(b[:len(b)-1]), 1, 9, 2, 'h', 'i')
		if err := parse[name](tagged); err != nil {
			t.Errorf("%s: a tag of a later release: %v", name, err)
		}
		later := bytes.Clone(b)
		later[1] = 1
		if parse[name](later) == nil {
			t.Errorf("%s: version 1 was read", name)
		}
	}
	for name, b := range map[string]string{
		"timer":  "0000" + "0000000000000000" + "0174" + "ffffffff" + "00" + "00" + "ffffffff07",
		"target": "0000" + "00000000000000000000000000000000" + "0000000000000000" + "00000000" + "0000000000000000" + "ffffffff07",
		"index":  "0000" + "0174" + "ffffffff07",
	} {
		raw, err := hex.DecodeString(b)
		if err != nil {
			t.Fatal(err)
		}
		if parse[name](raw) == nil {
			t.Errorf("%s: a count without elements was read", name)
		}
	}
}

func FuzzValues(f *testing.F) {
	for _, v := range timers() {
		f.Add(AppendTimer(nil, &v))
	}
	f.Add(AppendTarget(nil, &Target{Flight: []Ref{{[16]byte{9}, 5}}}))
	f.Add(AppendLine(nil, 77))
	f.Add(AppendIndex(nil, "t", []Entry{{}, {}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := ParseTimer(b); err == nil {
			again, err := ParseTimer(AppendTimer(nil, &v))
			if err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("%+v becomes %+v, %v", v, again, err)
			}
		}
		if v, err := ParseTarget(b); err == nil {
			again, err := ParseTarget(AppendTarget(nil, &v))
			if err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("%+v becomes %+v, %v", v, again, err)
			}
		}
		if v, err := ParseLine(b); err == nil {
			if again, err := ParseLine(AppendLine(nil, v)); again != v || err != nil {
				t.Errorf("%d becomes %d, %v", v, again, err)
			}
		}
		n := 0
		if err := ParseIndex(b, func(string, Entry) { n++ }); err != nil && n > 0 {
			t.Errorf("%d entries of an index that is not whole", n)
		}
	})
}
