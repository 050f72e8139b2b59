package schema

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func full() Value {
	return Value{
		ProducerID: 4000, Epoch: 7, TimeoutMs: 60000, Status: 2,
		Topics:       []Topic{{"orders", []int32{0, 3}}, {"__consumer_offsets", []int32{12}}},
		LastUpdateMs: 1_700_000_000_123, StartMs: 1_700_000_000_000,
		PreviousProducerID: 3999, NextProducerID: 5000, ClientVersion: 2, NextEpoch: 1,
	}
}

func defaults() Value {
	return Value{ProducerID: 1, Epoch: 0, TimeoutMs: 1000, StartMs: -1, PreviousProducerID: -1, NextProducerID: -1, NextEpoch: -1}
}

// What the other implementation of the schemas writes, we read, and the other
// way round, byte for byte.
func TestValuesAreThoseOfKafka(t *testing.T) {
	noTags := full()
	noTags.PreviousProducerID, noTags.NextProducerID, noTags.ClientVersion, noTags.NextEpoch = -1, -1, 0, -1
	for name, c := range map[string]struct {
		v       Value
		version int16
		want    Value
	}{
		"full":           {full(), 1, full()},
		"version 0":      {full(), 0, noTags},
		"empty":          {defaults(), 1, defaults()},
		"empty, v0":      {defaults(), 0, defaults()},
		"some tags only": {func() Value { v := defaults(); v.ClientVersion = 2; return v }(), 1, func() Value { v := defaults(); v.ClientVersion = 2; return v }()},
	} {
		b := AppendValue(nil, &c.v, c.version)
		got, version, err := ParseValue(b)
		if err != nil || version != c.version || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v version %d, %v; want %+v", name, got, version, err, c.want)
		}
		var k kmsg.TxnMetadataValue
		if err := k.ReadFrom(b); err != nil {
			t.Fatalf("%s: %v in %x", name, err, b)
		}
		if k.ProducerID != c.v.ProducerID || k.ProducerEpoch != c.v.Epoch || k.TimeoutMillis != c.v.TimeoutMs || int8(k.State) != c.v.Status ||
			len(k.Topics) != len(c.v.Topics) || k.LastUpdateTimestamp != c.v.LastUpdateMs || k.StartTimestamp != c.v.StartMs ||
			k.PreviousProducerID != c.want.PreviousProducerID || k.NextProducerID != c.want.NextProducerID ||
			k.ClientTransactionVersion != c.want.ClientVersion || k.NextProducerEpoch != c.want.NextEpoch {
			t.Errorf("%s: read elsewhere as %+v", name, k)
		}
		if again := k.AppendTo(nil); string(again) != string(b) {
			t.Errorf("%s: written elsewhere as\n%x, here as\n%x", name, again, b)
		}
	}
}

func TestKeys(t *testing.T) {
	b := AppendKey(nil, "my-txn")
	if got, want := hex.EncodeToString(b), "000000066d792d74786e"; got != want {
		t.Errorf("key %s, want %s", got, want)
	}
	if id, known, err := ParseKey(b); id != "my-txn" || !known || err != nil {
		t.Errorf("got %q, %t, %v", id, known, err)
	}
	if _, known, err := ParseKey([]byte{0, 1, 0, 1, 'x'}); known || err != nil {
		t.Errorf("a record of another type: known %t, %v", known, err)
	}
	for _, bad := range [][]byte{nil, {0}, {0, 0}, {0, 0, 0, 9, 'x'}, {0, 0, 255, 255}} {
		if _, known, err := ParseKey(bad); err == nil || known {
			t.Errorf("key %x was read", bad)
		}
	}
	if !Fits(strings.Repeat("x", maxText)) || Fits(strings.Repeat("x", maxText+1)) {
		t.Error("the bound of an id's length is not that of its field")
	}
}

// An unknown tag is a later release's, and passed over.
func TestUnknownTagsArePassedOver(t *testing.T) {
	v := defaults()
	b := AppendValue(nil, &v, 1)
	b = append(b[:len(b)-1], 1, 9, 3, 'a', 'b', 'c')
	if got, _, err := ParseValue(b); err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDamagedValuesAreErrors(t *testing.T) {
	v := full()
	b := AppendValue(nil, &v, 1)
	for n := range len(b) {
		if got, _, err := ParseValue(b[:n]); err == nil {
			t.Errorf("%d bytes of %d were read as %+v", n, len(b), got)
		}
	}
	for name, b := range map[string]string{
		"a version from the future": "0002" + strings.Repeat("00", 40),
		"a negative version":        "ffff" + strings.Repeat("00", 40),
		"a count without elements":  "0000" + strings.Repeat("00", 15) + "7fffffff" + strings.Repeat("00", 16),
		"a tag that is too short":   hex.EncodeToString(func() []byte { v := defaults(); b := AppendValue(nil, &v, 1); return append(b[:len(b)-1], 1, 0, 1, 0) }()),
	} {
		raw, err := hex.DecodeString(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ParseValue(raw); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func FuzzValue(f *testing.F) {
	v := full()
	f.Add(AppendValue(nil, &v, 0))
	f.Add(AppendValue(nil, &v, 1))
	v = defaults()
	f.Add(AppendValue(nil, &v, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, version, err := ParseValue(b)
		if err != nil {
			return
		}
		again, _, err := ParseValue(AppendValue(nil, &v, version))
		if err != nil {
			t.Fatalf("%+v is written so that it cannot be read: %v", v, err)
		}
		for _, x := range []*Value{&v, &again} { // null and none are one
			if len(x.Topics) == 0 {
				x.Topics = nil
			}
		}
		if !reflect.DeepEqual(v, again) {
			t.Fatalf("%+v becomes %+v", v, again)
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add(AppendKey(nil, "a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, known, err := ParseKey(b)
		if err != nil || !known {
			return
		}
		if again, _, err := ParseKey(AppendKey(nil, id)); err != nil || again != id {
			t.Fatalf("%q becomes %q, %v", id, again, err)
		}
	})
}
