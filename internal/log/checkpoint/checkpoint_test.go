package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"reflect"
	"slices"
	"testing"

	"ottla/internal/log/epoch"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

func entry() *Log {
	return &Log{
		ID: uuid.UUID{1, 2, 3}, Start: 5, End: 90, Recovery: Position{80, 40, 4000}, State: Position{60, 40, 2000},
		Producers: []byte("state"), Segment: Segment{CreatedMs: 7, FirstMaxMs: 8, MaxTimestampMs: 9, MaxLastOffset: 59},
		Epochs: []epoch.Entry{{Epoch: 0, Start: 0}, {Epoch: 2, Start: 50}}, Aborted: []Aborted{{Segment: 0, Count: 2, CRC: 0xfefefefe}},
		Gaps: []Gap{{38, 40}}, Sparse: true, Loose: true,
	}
}

func TestCheckpointComesBackAsItWas(t *testing.T) {
	f := &File{Sequence: 17, Logs: []Entry{{"orders", 3, AppendLog(nil, entry())}, {"a", 0, []byte{}}}}
	b := Append(nil, f)
	got, err := Parse(b)
	if err != nil || !reflect.DeepEqual(got, f) {
		t.Fatalf("%+v %v, want %+v", got, err, f)
	}
	l, err := ParseLog(got.Logs[0].Body)
	if err != nil || !reflect.DeepEqual(l, entry()) {
		t.Errorf("%+v %v, want %+v", l, err, entry())
	}
}

func TestCheckpointBytes(t *testing.T) {
	b := Append(nil, &File{Sequence: 1, Logs: []Entry{{"ab", 7, []byte{0xee}}}})
	want := "4f54544c41434b0a" + "0001" + "0000000000000001" + "00000001" +
		"0002" + "6162" + "00000007" + "00000001" + "ee" + hex.EncodeToString(b[len(b)-4:])
	if got := hex.EncodeToString(b); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestEveryDamageOfACheckpointIsSeen(t *testing.T) {
	b := Append(nil, &File{Sequence: 9, Logs: []Entry{{"orders", 3, AppendLog(nil, entry())}}})
	for i := range b {
		bad := slices.Clone(b)
		bad[i] ^= 0x10
		if _, err := Parse(bad); err == nil {
			t.Errorf("a flipped bit in byte %d is not seen", i)
		}
		if _, err := Parse(b[:i]); err == nil {
			t.Errorf("a cut at byte %d is not seen", i)
		}
	}
	if _, err := Parse(append(slices.Clone(b), 0)); err == nil {
		t.Error("a byte too many is not seen")
	}
}

// sealed puts a right checksum behind a forged body.
func sealed(b []byte) []byte {
	return binary.BigEndian.AppendUint32(slices.Clone(b), crc32.Checksum(b, castagnoli))
}

func TestForgedCountsAreBounded(t *testing.T) {
	b := Append(nil, &File{})
	b = b[:len(b)-4]
	binary.BigEndian.PutUint32(b[len(b)-4:], 1<<31)
	if _, err := Parse(sealed(b)); err == nil {
		t.Error("2^31 logs in no bytes are accepted")
	}
	binary.BigEndian.PutUint16(b[len(magic):], Version+1)
	if _, err := Parse(sealed(b)); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer version: %v, want ErrNewer", err)
	}
}

func TestEntriesThatContradictThemselvesAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Log){
		"end below start":         func(l *Log) { l.End = 4 },
		"recovery above end":      func(l *Log) { l.Recovery.Offset = 91 },
		"state above recovery":    func(l *Log) { l.State.Offset = 81 },
		"negative start":          func(l *Log) { l.Start = -1 },
		"state before its file":   func(l *Log) { l.State.Byte = -1 },
		"recovery before its one": func(l *Log) { l.Recovery.Byte = -1 },
	} {
		l := entry()
		change(l)
		if _, err := ParseLog(AppendLog(nil, l)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	whole := AppendLog(nil, entry())
	for i := range whole {
		if _, err := ParseLog(whole[:i]); err == nil {
			t.Errorf("cut at byte %d: accepted", i)
		}
	}
}

func TestTextFilesHaveKafkasForm(t *testing.T) {
	offsets := []Offset{{"orders", 0, 12}, {"a.b-c", 3, 0}}
	if got, want := string(AppendOffsets(nil, offsets)), "0\n2\norders 0 12\na.b-c 3 0\n"; got != want {
		t.Errorf("offsets %q, want %q", got, want)
	}
	epochs := []epoch.Entry{{Epoch: 0, Start: 0}, {Epoch: 2, Start: 40000}}
	if got, want := string(AppendEpochs(nil, epochs)), "0\n2\n0 0\n2 40000\n"; got != want {
		t.Errorf("epochs %q, want %q", got, want)
	}
	id := uuid.UUID{1, 2, 3}
	if got, want := string(AppendMetadata(nil, id)), "version: 0\ntopic_id: AQIDAAAAAAAAAAAAAAAAAA"; got != want {
		t.Errorf("metadata %q, want %q", got, want)
	}
	if got, err := ParseOffsets(AppendOffsets(nil, offsets)); err != nil || !slices.Equal(got, offsets) {
		t.Errorf("offsets come back as %v %v", got, err)
	}
	if got, err := ParseEpochs(AppendEpochs(nil, epochs)); err != nil || !slices.Equal(got, epochs) {
		t.Errorf("epochs come back as %v %v", got, err)
	}
	gap := Gap{38, 40}
	if got, err := ParseGap(AppendGap(nil, gap)); err != nil || got != gap || string(AppendGap(nil, gap)) != "0\n38 40\n" {
		t.Errorf("gap comes back as %v %v", got, err)
	}
	if got, err := ParseMetadata([]byte("version: 0\r\ntopic_id: AQIDAAAAAAAAAAAAAAAAAA\r\n")); err != nil || got != id {
		t.Errorf("metadata comes back as %v %v", got, err)
	}
}

func TestDamagedTextIsRefused(t *testing.T) {
	for _, s := range []string{"", "0", "1\n0\n", "0\n2\norders 0 1\n", "0\n1\norders 0\n", "0\n1\norders x 1\n", "0\n1\norders 0 -1\n", "0\n1\norders 0 1\nmore 0 1\n", "0\n1\nor\x00ers 0 1\n"} {
		if got, err := ParseOffsets([]byte(s)); err == nil {
			t.Errorf("offsets %q accepted as %v", s, got)
		}
	}
	for _, s := range []string{"", "0\n2\n1 5\n1 7\n", "0\n2\n1 5\n2 5\n", "0\n1\nx 5\n", "0\n1\n5\n", "0\n1\n-1 5\n"} {
		if got, err := ParseEpochs([]byte(s)); err == nil {
			t.Errorf("epochs %q accepted as %v", s, got)
		}
	}
	for _, s := range []string{"", "0\n", "0\n38\n", "0\n40 38\n", "1\n38 40\n", "0\n-1 40\n", "0\n38 40 1\n"} {
		if got, err := ParseGap([]byte(s)); err == nil {
			t.Errorf("gap %q accepted as %v", s, got)
		}
	}
	for _, s := range []string{"", "version: 0", "topic_id: AQIDAAAAAAAAAAAAAAAAAA", "version: 1\ntopic_id: AQIDAAAAAAAAAAAAAAAAAA", "version: 0\ntopic_id: short"} {
		if got, err := ParseMetadata([]byte(s)); err == nil {
			t.Errorf("metadata %q accepted as %v", s, got)
		}
	}
}

func TestWriteReplacesTheWholeFile(t *testing.T) {
	m := vfs.NewMem(0)
	if err := m.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a long first version", "short"} {
		if err := Write(m, "/d", "f", []byte(text), true); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(m, "/d/f"); err != nil || string(got) != text {
			t.Errorf("read %q %v, want %q", got, err, text)
		}
	}
	if left, err := m.ReadDir("/d"); err != nil || len(left) != 1 {
		t.Errorf("directory holds %v %v, want one file", left, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(Append(nil, &File{Sequence: 9, Logs: []Entry{{"orders", 3, AppendLog(nil, entry())}}}))
	f.Add(AppendLog(nil, entry()))
	f.Add([]byte("0\n1\norders 0 12\n"))
	f.Add([]byte("0\n2\n0 0\n2 40000\n"))
	f.Add([]byte("version: 0\ntopic_id: AQIDAAAAAAAAAAAAAAAAAA"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, data := range [][]byte{b, sealed(b)} {
			if got, err := Parse(data); err == nil && !bytes.Equal(Append(nil, got), data) && got.Sequence != 0 {
				if again, err := Parse(Append(nil, got)); err != nil || !reflect.DeepEqual(again, got) {
					t.Errorf("%+v comes back as %+v %v", got, again, err)
				}
			}
		}
		if got, err := ParseLog(b); err == nil {
			if again, err := ParseLog(AppendLog(nil, got)); err != nil || !reflect.DeepEqual(normal(again), normal(got)) {
				t.Errorf("%+v comes back as %+v %v", got, again, err)
			}
		}
		if got, err := ParseOffsets(b); err == nil {
			if again, err := ParseOffsets(AppendOffsets(nil, got)); err != nil || !slices.Equal(again, got) {
				t.Errorf("%v comes back as %v %v", got, again, err)
			}
		}
		if got, err := ParseEpochs(b); err == nil {
			if again, err := ParseEpochs(AppendEpochs(nil, got)); err != nil || !slices.Equal(again, got) {
				t.Errorf("%v comes back as %v %v", got, again, err)
			}
		}
		if got, err := ParseMetadata(b); err == nil {
			if again, err := ParseMetadata(AppendMetadata(nil, got)); err != nil || again != got {
				t.Errorf("%v comes back as %v %v", got, again, err)
			}
		}
	})
}

// normal makes no difference between nil and empty.
func normal(l *Log) Log {
	c := *l
	c.Producers = append([]byte{}, l.Producers...)
	return c
}
