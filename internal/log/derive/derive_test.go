package derive

import (
	"fmt"
	"os"
	"testing"

	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

// segment is a segment of batches of one record each, from offset 100 on.
type segment struct {
	t     *testing.T
	fs    vfs.FS
	bytes []byte
	at    []int64 // where each batch begins
}

const base = 100

func newSegment(t *testing.T, batches int) *segment {
	t.Helper()
	s := &segment{t: t, fs: vfs.NewMem(0)}
	for i := range batches {
		bd := record.NewBuilder()
		bd.LeaderEpoch = 0
		bd.Add(int64(1000+10*i), nil, fmt.Appendf(nil, "value %03d", i))
		s.add(bd)
	}
	return s
}

func (s *segment) add(bd *record.Builder) {
	s.at = append(s.at, int64(len(s.bytes)))
	s.bytes = append(s.bytes, bd.Build(base+int64(len(s.at)-1))...)
}

func (s *segment) put(suffix string, b []byte) vfs.File {
	s.t.Helper()
	f, err := s.fs.OpenFile("/seg"+suffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		s.t.Fatal(err)
	}
	return f
}

// make derives the indexes with an entry for each batch but the first.
func (s *segment) make() *Indexes {
	s.t.Helper()
	file := s.put(layout.Log, s.bytes)
	defer file.Close()
	x, err := Make(Source{FS: s.fs, Path: "/seg", File: file, Base: base, Size: int64(len(s.bytes))}, 1, false)
	if err != nil {
		s.t.Fatal(err)
	}
	return x
}

// holds checks that the indexes are those of the batches.
func (s *segment) holds(x *Indexes) {
	s.t.Helper()
	n := len(s.at)
	if x.Last != base+int64(n) || x.FirstMs != 1000 || x.MaxMs != int64(1000+10*(n-1)) || x.MaxLast != base+int64(n-1) {
		s.t.Errorf("ends at %d, times %d to %d at %d", x.Last, x.FirstMs, x.MaxMs, x.MaxLast)
	}
	if len(x.Offsets) == 0 {
		s.t.Fatal("no entry")
	}
	for _, o := range x.Offsets {
		if int64(o.Pos) != s.at[o.Rel] {
			s.t.Errorf("offset %d is said to be at byte %d, is at %d", base+o.Rel, o.Pos, s.at[o.Rel])
		}
	}
}

func TestIndexesComeFromTheBatches(t *testing.T) {
	s := newSegment(t, 50)
	x := s.make()
	s.holds(x)
	if len(x.Offsets) != 49 || len(x.Times) != 49 {
		t.Errorf("%d and %d entries, want one for each batch but the first", len(x.Offsets), len(x.Times))
	}
}

// Files count as far as they agree with the batches; what they leave out, and
// all of what is wrong, comes from a walk.
func TestIndexFilesCountOnlyWhereTheyAgreeWithTheBatches(t *testing.T) {
	whole := newSegment(t, 50)
	x := whole.make()
	offsets, times := x.Offsets.Append(nil), x.Times.Append(nil)
	wrong := append(index.Offsets{}, x.Offsets...)
	wrong[len(wrong)-1].Pos += 3
	for name, c := range map[string]struct{ offsets, times []byte }{
		"whole":                {offsets, times},
		"half":                 {offsets[:25*index.OffsetSize], times[:25*index.TimeSize]},
		"no times":             {offsets, nil},
		"times cut short":      {offsets, times[:10*index.TimeSize]},
		"a wrong last entry":   {wrong.Append(nil), times},
		"zeros at the end":     {append(offsets[:len(offsets):len(offsets)], make([]byte, 80)...), times},
		"cut inside an entry":  {offsets[:len(offsets)-3], times},
		"of another segment":   {index.Offsets{{Rel: 3, Pos: 1}}.Append(nil), times},
		"beyond the bytes":     {index.Offsets{{Rel: 3, Pos: 1 << 30}}.Append(nil), times},
		"not a byte of theirs": {[]byte("what is this"), []byte("and this?")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSegment(t, 50)
			s.put(layout.Index, c.offsets).Close()
			s.put(layout.Times, c.times).Close()
			s.holds(s.make())
		})
	}
}

func TestRotIsSteppedOver(t *testing.T) {
	s := newSegment(t, 50)
	s.bytes[s.at[20]+16] = 9 // the magic of a batch
	x := s.make()
	if x.Last != base+50 || x.MaxMs != 1490 {
		t.Errorf("ends at %d with time %d", x.Last, x.MaxMs)
	}
	for _, o := range x.Offsets {
		if int64(o.Pos) != s.at[o.Rel] || o.Rel == 20 {
			t.Errorf("offset %d is said to be at byte %d", base+o.Rel, o.Pos)
		}
	}
}

func TestAnEmptySegmentHasEmptyIndexes(t *testing.T) {
	x := newSegment(t, 0).make()
	if x.Last != base || x.MaxMs != -1 || x.MaxLast != -1 || len(x.Offsets)+len(x.Times) != 0 {
		t.Errorf("%+v", x)
	}
}

func TestReplayStepsOverRot(t *testing.T) {
	s := newSegment(t, 5)
	state := producer.NewState()
	for i := range int32(3) {
		bd := record.NewBuilder()
		bd.LeaderEpoch, bd.ProducerID, bd.ProducerEpoch, bd.BaseSequence = 0, 7, 0, i
		bd.Add(2000, nil, []byte("v"))
		s.add(bd)
	}
	s.bytes[s.at[2]+16] = 9 // rot before them
	file := s.put(layout.Log, s.bytes)
	defer file.Close()
	if err := Replay(state, file, base, int64(len(s.bytes)), func(producer.Aborted) { t.Error("a transaction from nowhere") }); err != nil {
		t.Fatal(err)
	}
	got := state.List()
	if len(got) != 1 || got[0].ProducerID != 7 || got[0].LastSequence != 2 {
		t.Errorf("producers %+v", got)
	}
	if err := Replay(state, broken{}, base, 1000, nil); err == nil {
		t.Error("a disk that fails is not told")
	}
}

// broken is a disk that fails.
type broken struct{}

func (broken) ReadAt([]byte, int64) (int, error) { return 0, os.ErrPermission }

func TestReplayTellsAbortedTransactions(t *testing.T) {
	s := newSegment(t, 1)
	bd := record.NewBuilder()
	bd.LeaderEpoch, bd.ProducerID, bd.ProducerEpoch, bd.BaseSequence, bd.Transactional = 0, 7, 0, 0, true
	bd.Add(2000, nil, []byte("v"))
	s.add(bd)
	end := record.NewBuilder()
	end.LeaderEpoch, end.ProducerID, end.ProducerEpoch, end.Transactional, end.Control = 0, 7, 0, true, true
	end.Add(2001, []byte{0, 0, 0, 0}, []byte{0, 0, 0, 0, 0, 0})
	s.add(end)
	file := s.put(layout.Log, s.bytes)
	defer file.Close()
	var told []producer.Aborted
	if err := Replay(producer.NewState(), file, base, int64(len(s.bytes)), func(a producer.Aborted) { told = append(told, a) }); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].ProducerID != 7 || told[0].FirstOffset != base+1 || told[0].LastOffset != base+2 {
		t.Errorf("aborted %+v", told)
	}
}
