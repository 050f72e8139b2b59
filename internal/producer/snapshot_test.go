package producer

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"

	"ottla/internal/record"
)

// busy is a state with everything in it.
func busy(t testing.TB) *State {
	t.Helper()
	s := NewState()
	offset := int64(0)
	add := func(h *record.Header, txn bool) {
		if txn {
			h.Attributes |= 1 << 4
		}
		if _, _, err := s.Apply(h, nil); err != nil {
			t.Fatal(err)
		}
		offset = h.NextOffset()
	}
	for i := range int32(7) {
		add(header(4001, 2, i*3, 3, offset), false)
	}
	add(header(4002, 0, 2147483647, 2, offset), true)
	add(header(17, 9, 0, 1, offset), true)
	h, batch := marker(t, 17, 10, false, 6, offset)
	if _, _, err := s.Apply(h, batch); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshotHasKafkasBytes(t *testing.T) {
	const want = "0001" + "22642ff1" + "00000003" +
		"0000000000000011" + "000a" + "ffffffff" + "ffffffffffffffff" + "00000000" + "00000000000000f0" + "00000006" + "ffffffffffffffff" +
		"0000000000000fa1" + "0002" + "00000014" + "0000000000000014" + "00000002" + "00000000000000b4" + "ffffffff" + "ffffffffffffffff" +
		"0000000000000fa2" + "0000" + "00000000" + "0000000000000016" + "00000001" + "00000000000000d2" + "ffffffff" + "0000000000000015"
	if got := hex.EncodeToString(busy(t).Snapshot()); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if got := hex.EncodeToString(NewState().Snapshot()); got != "0001"+"48674bc7"+"00000000" {
		t.Errorf("empty: %s", got)
	}
}

func TestBothEncodingsComeBack(t *testing.T) {
	s := busy(t)
	kafka, full := NewState(), NewState()
	if err := kafka.Restore(s.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if err := full.RestoreFull(s.AppendFull([]byte("before"))[6:]); err != nil {
		t.Fatal(err)
	}
	for _, restored := range []*State{kafka, full} {
		if got, want := restored.List(), s.List(); !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%+v, want\n%+v", got, want)
		}
		if offset, ok := restored.FirstUnstable(0); offset != 21 || !ok {
			t.Errorf("first unstable %d %v, want 21", offset, ok)
		}
	}
	if !bytes.Equal(kafka.Snapshot(), s.Snapshot()) || !bytes.Equal(full.AppendFull(nil), s.AppendFull(nil)) {
		t.Error("encoded again they differ")
	}
	old := header(4001, 2, 6, 3, 99)
	if v, _ := kafka.Check(old); v != OutOfOrder {
		t.Errorf("Kafka's snapshot remembers one batch: %v", v)
	}
	if v, _ := full.Check(old); v != Duplicate {
		t.Errorf("ours remembers five: %v", v)
	}
}

func TestDamagedSnapshotsAreErrorsAndLeaveNothing(t *testing.T) {
	for name, c := range map[string]struct {
		bytes   []byte
		restore func(*State, []byte) error
	}{
		"kafka": {busy(t).Snapshot(), (*State).Restore},
		"full":  {busy(t).AppendFull(nil), (*State).RestoreFull},
	} {
		try := func(what string, b []byte) {
			s := busy(t)
			if err := c.restore(s, b); !errors.Is(err, ErrSnapshot) {
				t.Errorf("%s, %s: %v, want ErrSnapshot", name, what, err)
			}
			if offset, ok := s.FirstUnstable(0); s.Len() != 0 || ok {
				t.Errorf("%s, %s: %d producers are left, unstable %d %v", name, what, s.Len(), offset, ok)
			}
		}
		for n := range len(c.bytes) {
			try("cut", c.bytes[:n])
		}
		try("longer", append(bytes.Clone(c.bytes), 0))
		for i := range len(c.bytes) * 8 {
			b := bytes.Clone(c.bytes)
			b[i/8] ^= 1 << (i % 8)
			try("flipped", b)
		}
	}
}

// sealKafka and sealFull make the checksum right, so that what is behind it is read.
func sealKafka(b []byte) []byte {
	if len(b) >= snapshotHeader {
		binary.BigEndian.PutUint32(b[2:], crc32.Checksum(b[6:], castagnoli))
	}
	return b
}

func sealFull(b []byte) []byte {
	if len(b) >= fullHeader {
		binary.BigEndian.PutUint32(b[1:], crc32.Checksum(b[fullHeader:], castagnoli))
	}
	return b
}

func TestImpossibleContentsAreRefused(t *testing.T) {
	edit := func(at int, b ...byte) []byte {
		s := busy(t).Snapshot()
		copy(s[at:], b)
		return sealKafka(s)
	}
	second := snapshotHeader + snapshotEntry
	for name, b := range map[string][]byte{
		"count above the bytes": edit(6, 0xff),
		"count below the bytes": edit(6, 0, 0, 0, 2),
		"same producer twice":   edit(second, 0, 0, 0, 0, 0, 0, 0, 17),
		"negative producer":     edit(second, 0xff),
		"negative delta":        edit(second+22, 0xff),
		"delta above offset":    edit(second+22, 0, 0, 0xff),
		"sequence -2":           edit(second+10, 0xff, 0xff, 0xff, 0xfe),
	} {
		if err := NewState().Restore(b); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"nothing":                  "",
		"huge count of producers":  "0000ffffffff0f",
		"huge count of decided":    "00ffffffff0f",
		"negative log start":       "0100",
		"decided out of order":     "0002" + "0208" + "0402" + "00",
		"ids out of order":         "0000" + "02" + "020000000000" + "010000000000",
		"six batches":              "0000" + "01" + "020000000006",
		"delta above the offset":   "0000" + "01" + "020000000001" + "02040000",
		"trailing bytes":           "000000" + "00",
		"a number that never ends": "ffffffffffffffffffffff",
	} {
		raw, err := hex.DecodeString("01" + "00000000" + body)
		if err != nil {
			t.Fatal(err)
		}
		err = NewState().RestoreFull(sealFull(raw))
		if !errors.Is(err, ErrSnapshot) || strings.Contains(err.Error(), "checksum") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestControlBatchThatIsNoMarkerIsAnError(t *testing.T) {
	b := record.NewBuilder()
	b.Control, b.ProducerID = true, 5
	b.Add(0, record.ControlKey(record.ControlLeaderChange), []byte{0, 0})
	batch := b.Build(3)
	h, err := record.ParseHeader(batch)
	if err != nil {
		t.Fatal(err)
	}
	s := NewState()
	if _, _, err := s.Apply(&h, batch); err == nil || s.Len() != 0 {
		t.Errorf("error %v, %d producers", err, s.Len())
	}
	h.ProducerID = -1
	if _, _, err := s.Apply(&h, batch); err != nil {
		t.Errorf("without a producer it is none of ours: %v", err)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add(busy(f).Snapshot())
	f.Add(NewState().Snapshot())
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewState()
		if err := s.Restore(sealKafka(b)); err != nil {
			if s.Len() != 0 || !errors.Is(err, ErrSnapshot) {
				t.Fatalf("%d producers are left after %v", s.Len(), err)
			}
			return
		}
		exercise(t, s)
		again := NewState()
		if err := again.Restore(s.Snapshot()); err != nil || again.Len() != s.Len() {
			t.Fatalf("what was restored does not come back: %v", err)
		}
	})
}

func FuzzRestoreFull(f *testing.F) {
	f.Add(busy(f).AppendFull(nil))
	f.Add(NewState().AppendFull(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewState()
		if err := s.RestoreFull(sealFull(b)); err != nil {
			if s.Len() != 0 || !errors.Is(err, ErrSnapshot) {
				t.Fatalf("%d producers are left after %v", s.Len(), err)
			}
			return
		}
		full := s.AppendFull(nil)
		again := NewState()
		if err := again.RestoreFull(full); err != nil || !bytes.Equal(again.AppendFull(nil), full) {
			t.Fatalf("what was restored does not come back: %v", err)
		}
		exercise(t, s)
	})
}

// exercise uses a restored state; it must hold whatever it was made of.
func exercise(t *testing.T, s *State) {
	for _, i := range s.List() {
		h := header(i.ProducerID, i.Epoch, max(i.LastSequence, 0), 2, 1<<40)
		s.Check(h)
		apply(t, s, h)
		m, batch := marker(t, i.ProducerID, i.Epoch, false, 1, 1<<41)
		if _, _, err := s.Apply(m, batch); err != nil {
			t.Fatal(err)
		}
	}
	s.FirstUnstable(1 << 42)
	if offset, ok := s.FirstUnstable(1 << 62); ok && s.open.head == nil && offset < 1<<62 {
		for _, d := range s.decided.list[s.decided.from:] {
			if d.marker < 1<<62 {
				t.Fatalf("transaction decided at %d is not forgotten", d.marker)
			}
		}
	}
}
