package sqs

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

func str(s string) *string { return &s }

// The body's checksum is that of the example in the API's reference.
func TestChecksumOfABody(t *testing.T) {
	if got := checksum([]byte("This is a test message")); got != "fafb00f5732ab283681e124bf8747ed1" {
		t.Errorf("got %s", got)
	}
}

// A twin that builds the bytes which the reference describes, field by field.
func TestChecksumOfAttributesIsOfTheDescribedBytes(t *testing.T) {
	all := map[string]Attribute{
		"b":      {DataType: "Number.int", StringValue: str("42")},
		"a":      {DataType: "String", StringValue: str("grün")},
		"Z.last": {DataType: "Binary.gif", BinaryValue: []byte{0, 1, 255}},
	}
	var b bytes.Buffer
	field := func(p string) {
		if err := binary.Write(&b, binary.BigEndian, uint32(len(p))); err != nil {
			t.Fatal(err)
		}
		b.WriteString(p)
	}
	for _, a := range []struct{ name, kind, marker, value string }{
		{"Z.last", "Binary.gif", "\x02", "\x00\x01\xff"}, {"a", "String", "\x01", "grün"}, {"b", "Number.int", "\x01", "42"},
	} {
		field(a.name)
		field(a.kind)
		b.WriteString(a.marker)
		field(a.value)
	}
	sum := md5.Sum(b.Bytes())
	if got, want := checksumAttributes(all), hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := checksumAttributes(nil); got != "" {
		t.Errorf("of no attributes: got %q, want none", got)
	}
}

func TestWhichNumbersAre(t *testing.T) {
	for s, want := range map[string]bool{
		"0": true, "-1.5": true, "+7": true, "1e10": true, "1.5E-3": true, ".5": true, "5.": true, " 7 ": true,
		"": false, "-": false, ".": false, "1e": false, "1e+": false, "0x10": false, "1,5": false, "NaN": false, "1 2": false, "e5": false,
	} {
		if got := number(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestWhichCharactersArePermitted(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "plain": true, "\t\r\n": true, "Grüße 中文 \U0001f600": true, "\ufffd": true, "\ue000": true,
		"\x00": false, "\x1f": false, "\ufffe": false, "\uffff": false, "\xff": false, "ok\xc3": false, "\xed\xa0\x80": false,
	} {
		if got := permitted(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestNamesOfAttributes(t *testing.T) {
	for name, good := range map[string]bool{
		"colour": true, "a.b-c_D9": true, "awsome": true,
		"": false, ".a": false, "a.": false, "a..b": false, "AWS.x": false, "amazon.x": false, "a b": false, "ä": false, string(bytes.Repeat([]byte("a"), 257)): false,
	} {
		if got := checkAttributeName(name) == nil; got != good {
			t.Errorf("%q: good is %v, want %v", name, got, good)
		}
	}
}
