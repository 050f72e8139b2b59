package log

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/record"
	"ottla/internal/sim"
)

// aged is a log of one batch a segment, one second apart, the last at the rig's
// clock.
func aged(t *testing.T, r *rig, n int, c Config) *Log {
	t.Helper()
	l := r.log(c)
	for i := range n {
		h, b := batch(int64(i), 0, r.now.UnixMilli()-int64(n-1-i)*1000, 1)
		put(t, l, h, b)
		if i < n-1 {
			if err := l.Roll(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return l
}

func TestRetentionTakesWholeSegmentsFromTheOldEnd(t *testing.T) {
	_, sample := batch(0, 0, 1_700_000_000_000, 1)
	size := int64(len(sample))
	for name, c := range map[string]struct {
		cfg       Config
		committed int64
		want      []int64
	}{
		"nothing is due":               {Config{Delete: true, RetentionAge: 4 * time.Second}, 5, []int64{0, 1, 2, 3, 4}},
		"by time":                      {Config{Delete: true, RetentionAge: 2 * time.Second}, 5, []int64{2, 3, 4}},
		"never at or above committed":  {Config{Delete: true, RetentionAge: 2 * time.Second}, 1, []int64{1, 2, 3, 4}},
		"all of it, another is begun":  {Config{Delete: true, RetentionAge: time.Nanosecond}, 5, []int64{4}},
		"by size":                      {Config{Delete: true, RetentionBytes: 3 * size}, 5, []int64{2, 3, 4}},
		"by size, one byte less":       {Config{Delete: true, RetentionBytes: 3*size - 1}, 5, []int64{2, 3, 4}},
		"by size, a segment's less":    {Config{Delete: true, RetentionBytes: 2 * size}, 5, []int64{3, 4}},
		"not where nothing is deleted": {Config{Compact: true, RetentionAge: time.Nanosecond, RetentionBytes: 1}, 5, []int64{0, 1, 2, 3, 4}},
		"whichever limit is met first": {Config{Delete: true, RetentionAge: 3 * time.Second, RetentionBytes: 2 * size}, 5, []int64{3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			l := aged(t, r, 5, c.cfg)
			n, err := l.Retain(c.committed)
			if err != nil {
				t.Fatal(err)
			}
			if got := bases(l); !slices.Equal(got, c.want) || n != 5-len(c.want) {
				t.Errorf("%d deleted, segments %v, want %v", n, got, c.want)
			}
			if got := l.Start(); got != c.want[0] {
				t.Errorf("log starts at %d, want %d", got, c.want[0])
			}
		})
	}
}

func TestAWhollyExpiredLogIsEmptyAndGoesOn(t *testing.T) {
	r := newRig(t)
	l := aged(t, r, 3, Config{Delete: true, RetentionAge: time.Second})
	r.now = r.now.Add(time.Hour)
	if n, err := l.Retain(3); n != 3 || err != nil {
		t.Fatalf("%d segments %v, want 3", n, err)
	}
	if l.Start() != 3 || l.End().Offset != 3 || l.Size() != 0 {
		t.Errorf("[%d, %d) of %d bytes, want an empty log at 3", l.Start(), l.End().Offset, l.Size())
	}
	r.reopen()
	l = r.log(small)
	if l.Start() != 3 || l.End().Offset != 3 {
		t.Errorf("after a kill [%d, %d), want an empty log at 3: %+v", l.Start(), l.End().Offset, l.RecoveryReport())
	}
	h, b := batch(3, 0, r.now.UnixMilli(), 1)
	put(t, l, h, b)
}

func TestDeletedSegmentsStayReadableForWhoHoldsThemAndGoAfterTheDelay(t *testing.T) {
	r := newRig(t)
	l := aged(t, r, 3, Config{Delete: true, RetentionAge: 500 * time.Millisecond, FileDeleteDelay: time.Minute})
	s, err := l.Read(0, l.End(), 1000, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	if n, err := l.Retain(3); n != 2 || err != nil {
		t.Fatalf("%d segments %v, want 2", n, err)
	}
	left := func() (n int) {
		entries, err := r.fs.ReadDir(l.path())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".deleted") {
				n++
			}
		}
		return n
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	if err := r.d.Housekeep(); err != nil || left() == 0 {
		t.Errorf("before the delay: %d files left %v, want some", left(), err)
	}
	r.now = r.now.Add(time.Minute)
	if err := r.d.Housekeep(); err != nil || left() != 0 {
		t.Errorf("after the delay: %d files left %v, want none", left(), err)
	}
	b := make([]byte, s.Len)
	if _, err := s.ReadAt(b, 0); err != nil || !record.VerifyCRC(b) {
		t.Errorf("the slice of a deleted segment: %v", err)
	}
	if _, err := l.Read(0, l.End(), 1000, true); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("read below the start: %v, want ErrOutOfRange", err)
	}
}

func TestTheLogStartOffsetIsDurableOnReturn(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	fill(t, l, 100, 1)
	if err := l.AdvanceStart(101); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("beyond the end: %v, want ErrOutOfRange", err)
	}
	for _, to := range []int64{70, 30} { // it never goes back
		if err := l.AdvanceStart(to); err != nil || l.Start() != 70 {
			t.Fatalf("advance to %d: start %d %v, want 70", to, l.Start(), err)
		}
	}
	r.reopen()
	l = r.log(small)
	if l.Start() != 70 || l.End().Offset != 100 {
		t.Fatalf("after a kill [%d, %d), want [70, 100)", l.Start(), l.End().Offset)
	}
	if got := readAll(t, l, 70); got[0] > 70 || len(got) < 30 {
		t.Errorf("read from the start: %v", got)
	}
	if _, err := l.Read(69, l.End(), 100, true); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("read below the start: %v, want ErrOutOfRange", err)
	}
}

func TestTruncationCutsEverythingAtOrAbove(t *testing.T) {
	for _, to := range []int64{0, 1, 3, 149, 150, 298, 299, 300} {
		r := newRig(t)
		l := r.log(small)
		for i := range 100 { // batches of three records, an epoch every 40
			h, b := batch(int64(i*3), int32(i/40), 1_700_000_000_000+int64(i), 3)
			put(t, l, h, b)
		}
		if err := r.d.SyncRound(); err != nil {
			t.Fatal(err)
		}
		if err := l.TruncateTo(to); err != nil {
			t.Fatalf("to %d: %v", to, err)
		}
		want := to / 3 * 3 // whole batches
		check := func(when string) {
			t.Helper()
			if l.End().Offset != want || l.Durable().Offset != want {
				t.Fatalf("to %d, %s: end %v, durable %v, want %d", to, when, l.End(), l.Durable(), want)
			}
			wantRun(t, readAll(t, l, 0), int(want/3), 3)
			if e, ok := l.Epochs().Latest(); ok && e.Start >= max(want, 1) {
				t.Errorf("to %d, %s: epoch %+v begins above the end", to, when, e)
			}
		}
		check("at once")
		r.reopen()
		l = r.log(small)
		check("after a kill")
		fill(t, l, 5, 3)
		wantRun(t, readAll(t, l, 0), int(want/3)+5, 3)
	}
}

func TestTruncationBringsTheProducersBack(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	var sent []record.Header
	for i := range 60 {
		h, b := produced(l.End().Offset, 7, int32(i), false)
		put(t, l, h, b)
		sent = append(sent, h)
	}
	if err := l.TruncateTo(40); err != nil {
		t.Fatal(err)
	}
	next, _ := produced(40, 7, 40, false)
	if v, _ := l.Producers().Check(&next); v != 0 {
		t.Errorf("the batch that was cut, sent again: %v, want accept", v)
	}
	if v, seen := l.Producers().Check(&sent[36]); v != 1 || seen.BaseOffset != 36 {
		t.Errorf("a batch that stayed, sent again: %v at %d, want duplicate of 36", v, seen.BaseOffset)
	}
}

// produced builds a batch of one record of a producer.
func produced(base, id int64, seq int32, txn bool) (record.Header, []byte) {
	bd := record.NewBuilder()
	bd.ProducerID, bd.ProducerEpoch, bd.BaseSequence, bd.Transactional = id, 0, seq, txn
	bd.Add(1_700_000_000_000+base, nil, []byte("x"))
	b := bd.Build(base)
	h, err := record.ParseHeader(b)
	if err != nil {
		panic(err)
	}
	return h, b
}

// TestACutThatFindsNoRoomChangesNothing: the log is durable to its end again with the
// next round, though nothing is appended.
func TestACutThatFindsNoRoomChangesNothing(t *testing.T) {
	disk := sim.NewDisk(1)
	r := newRig(t)
	r.fs, r.o.FS = disk, disk
	r.open()
	l := r.log(small)
	end := fill(t, l, 20, 1)
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	disk.SetCapacity(disk.Used())
	if err := l.TruncateTo(7); !errors.Is(err, ErrDiskFull) || l.End() != end {
		t.Fatalf("cut on a full disk: %v, the log ends at %v, and did at %v", err, l.End(), end)
	}
	disk.SetCapacity(1 << 30)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if l.Durable() != end {
		t.Errorf("durable up to %v, the log ends at %v", l.Durable(), end)
	}
	if err := l.TruncateTo(7); err != nil || l.End().Offset != 7 {
		t.Errorf("then it is cut: %v, it ends at %v", err, l.End())
	}
}
