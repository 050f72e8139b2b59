package coordinator

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
)

// samples are all kinds of records.
var samples = []Record{
	{Key: []byte("k"), Value: []byte("v")},
	{Key: []byte(""), Value: []byte{}},
	{Key: []byte("gone")},
	{Key: []byte("t"), Value: bytes.Repeat([]byte("x"), 300), Txn: &Txn{ProducerID: 1 << 40, ProducerEpoch: 7}},
	{Key: []byte("u"), Txn: &Txn{ProducerID: 3}},
}

func TestSnapshotsComeBackAsTheyWere(t *testing.T) {
	want := snapshotHead{identity: "abc/12", offset: 1 << 50, epoch: 9}
	file, ok := encodeSnapshot(want, slices.Values(samples), maxSnapshot)
	if !ok {
		t.Fatal("not encoded")
	}
	got, records, err := decodeSnapshot(file)
	if err != nil || got != want {
		t.Fatalf("got %+v, %v; want %+v", got, err, want)
	}
	i := 0
	for r := range records {
		sameRecord(t, r, samples[i])
		i++
	}
	if i != len(samples) {
		t.Errorf("%d records, want %d", i, len(samples))
	}
	if _, ok := encodeSnapshot(want, slices.Values(samples), len(file)-1); ok {
		t.Error("a snapshot larger than it may be was made")
	}
}

func sameRecord(t *testing.T, got, want Record) {
	t.Helper()
	if !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) {
		t.Errorf("got %q=%q, want %q=%q", got.Key, got.Value, want.Key, want.Value)
	}
	if (got.Txn == nil) != (want.Txn == nil) || got.Txn != nil && *got.Txn != *want.Txn {
		t.Errorf("%q: transaction %+v, want %+v", got.Key, got.Txn, want.Txn)
	}
}

// TestEveryDamageOfASnapshotIsSeen: each bit turned, each length cut.
func TestEveryDamageOfASnapshotIsSeen(t *testing.T) {
	file, _ := encodeSnapshot(snapshotHead{identity: "i"}, slices.Values(samples), maxSnapshot)
	for i := range len(file) * 8 {
		b := slices.Clone(file)
		b[i/8] ^= 1 << (i % 8)
		if _, _, err := decodeSnapshot(b); err == nil {
			t.Errorf("bit %d turned: no error", i)
		}
	}
	for n := range file {
		if _, _, err := decodeSnapshot(file[:n]); err == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
}

// FuzzSnapshot gives decodeSnapshot bytes whose checksum is right: it neither
// panics nor takes memory, and what it reads, written again, is read the same.
func FuzzSnapshot(f *testing.F) {
	file, _ := encodeSnapshot(snapshotHead{identity: "abc", offset: 5, epoch: 1}, slices.Values(samples), maxSnapshot)
	f.Add(file[:len(file)-crcSize])
	f.Add([]byte(snapshotMagic + "\x00\x01"))
	f.Add([]byte(snapshotMagic + "\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := binary.BigEndian.AppendUint32(slices.Clone(body), crc32.Checksum(body, castagnoli))
		h, records, err := decodeSnapshot(b)
		if err != nil {
			return
		}
		list := slices.Collect(records)
		again, ok := encodeSnapshot(h, slices.Values(list), maxSnapshot)
		if !ok {
			t.Fatal("what was read cannot be written")
		}
		h2, records2, err := decodeSnapshot(again)
		if err != nil || h2 != h {
			t.Fatalf("read again: %+v, %v; want %+v", h2, err, h)
		}
		i := 0
		for r := range records2 {
			sameRecord(t, r, list[i])
			i++
		}
		if i != len(list) {
			t.Fatalf("%d records, want %d", i, len(list))
		}
	})
}
