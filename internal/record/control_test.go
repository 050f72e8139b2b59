package record

import (
	"bytes"
	"testing"
)

func TestMarkersComeBack(t *testing.T) {
	for _, commit := range []bool{true, false} {
		b := EndTxnMarker(9, 3, commit, 77, 5000)
		h, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		if !h.Control() || !h.Transactional() || h.ProducerID != 9 || h.ProducerEpoch != 3 || h.BaseSequence != -1 || h.Count != 1 || h.MaxTimestamp != 5000 || !VerifyCRC(b) {
			t.Errorf("marker %+v", h)
		}
		got, coordinator, err := ParseEndTxnMarker(b)
		if got != commit || coordinator != 77 || err != nil {
			t.Errorf("commit %v of coordinator %d, %v", got, coordinator, err)
		}
		if kind, err := ControlType(b); err != nil || kind == ControlCommit != commit {
			t.Errorf("type %d, %v", kind, err)
		}
	}
}

func TestOtherControlBatchesAreToldApart(t *testing.T) {
	control := func(key, value []byte) []byte {
		b := NewBuilder()
		b.Control = true
		b.Add(1, key, value)
		return b.Build(0)
	}
	for _, kind := range []int16{ControlLeaderChange, ControlSnapshotHeader, ControlSnapshotFooter, ControlKRaftVersion, ControlKRaftVoters, 99} {
		b := control(ControlKey(kind), []byte{0, 0, 0, 0, 0, 0})
		if got, err := ControlType(b); got != kind || err != nil {
			t.Errorf("type %d, %v, want %d", got, err, kind)
		}
		if _, _, err := ParseEndTxnMarker(b); kindOf(t, err) != KindInvalid {
			t.Errorf("type %d read as a marker: %v", kind, err)
		}
	}
	for name, b := range map[string][]byte{
		"a plain batch": plainBatch(1),
		"a short key":   control([]byte{0, 0, 1}, nil),
		"no key":        control(nil, nil),
		"a bad version": control([]byte{0x80, 0, 0, 1}, nil),
		"no value":      control(ControlKey(ControlCommit), nil),
		"a short value": control(ControlKey(ControlCommit), []byte{0, 0, 0, 1, 2}),
		"compressed":    craft(Gzip, 1, []byte{1, 2, 3}, func(h *Header) { h.Attributes |= bitControl }),
		"no record":     craft(None, 1, nil, func(h *Header) { h.Attributes |= bitControl }),
		"none counted":  craft(None, 0, nil, func(h *Header) { h.Attributes |= bitControl }),
	} {
		if _, _, err := ParseEndTxnMarker(b); kindOf(t, err) != KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole := EndTxnMarker(9, 3, true, 77, 5000)
	for n := range len(whole) {
		if _, _, err := ParseEndTxnMarker(whole[:n]); kindOf(t, err) != KindCorrupt {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for i := HeaderSize * 8; i < len(whole)*8; i++ {
		b := bytes.Clone(whole)
		b[i/8] ^= 1 << (i % 8)
		if _, _, err := ParseEndTxnMarker(b); err != nil {
			kindOf(t, err)
		}
	}
}
