package log

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ottla/internal/log/layout"
	"ottla/internal/vfs"
)

// twoDirs are the directories that a log moves between.
type twoDirs struct {
	t    *testing.T
	fs   vfs.FS
	a, b *Dir
	// acked is how many batches of one record were promised, tried how many
	// may be there.
	acked, tried atomic.Int64
}

func openTwo(t *testing.T, f vfs.FS) *twoDirs {
	t.Helper()
	w := &twoDirs{t: t, fs: f}
	for name, to := range map[string]**Dir{"/a": &w.a, "/b": &w.b} {
		d, err := OpenDir(DirOptions{FS: f, Path: name, Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) }})
		if err != nil {
			t.Fatalf("open %s: %v", name, err)
		}
		*to = d
	}
	return w
}

// tiny rolls a segment every few batches.
var tiny = Config{SegmentBytes: 700, IndexIntervalBytes: 100, Delete: true, MaxDecompressed: 1 << 20}

func (w *twoDirs) open(d *Dir) *Log {
	w.t.Helper()
	l, err := d.Open(ident(0), OpenOptions{Config: tiny})
	if err != nil {
		w.t.Fatalf("open the log in %s: %v", d.path, err)
	}
	return l
}

// append adds batches of one record and promises each once it is synced.
func (w *twoDirs) append(l *Log, n int) error {
	for range n {
		end := l.End().Offset
		h, b := batch(end, int32(end/20), 1_700_000_000_000+end, 1)
		w.tried.Store(end + 1)
		if _, err := l.Append(&h, b); err != nil {
			return err
		}
		if err := l.dir.SyncRound(); err != nil {
			return err
		}
		if l.Durable().Offset < end+1 {
			return errors.New("not durable after a round")
		}
		w.acked.Store(end + 1)
	}
	return nil
}

// move takes the log into another directory with appends on the way, and gives
// the log that goes on.
func (w *twoDirs) move(l *Log, to *Dir) (*Log, error) {
	m, err := l.BeginMove(to)
	if err != nil {
		return l, err
	}
	next, err := w.carry(l, m)
	if err != nil {
		return l, errors.Join(err, m.Drop())
	}
	return next, m.Retire()
}

func (w *twoDirs) carry(l *Log, m *Move) (*Log, error) {
	for i := 0; m.Behind() > 0; i++ {
		if _, err := m.Advance(); err != nil {
			return nil, err
		}
		if i < 3 {
			if err := w.append(l, 3); err != nil {
				return nil, err
			}
		}
	}
	if err := w.append(l, 2); err != nil {
		return nil, err
	}
	return m.Finish(OpenOptions{Config: tiny})
}

// current finds the directory that has the log, and drops an older copy in the
// other, as a start does.
func (w *twoDirs) current() *Dir {
	w.t.Helper()
	id := ident(0)
	inA, inB := w.a.Holds(id.Topic, 0), w.b.Holds(id.Topic, 0)
	switch {
	case inA && inB:
		now, old := w.a, w.b
		if w.b.Moves(id) > w.a.Moves(id) {
			now, old = w.b, w.a
		}
		if now.Moves(id) == old.Moves(id) {
			w.t.Errorf("both directories have moved %d times", now.Moves(id))
		}
		if err := old.Discard(id); err != nil {
			w.t.Errorf("discard: %v", err)
		}
		return now
	case inB:
		return w.b
	}
	return w.a
}

// check opens the log and holds it against what was promised.
func (w *twoDirs) check(when string, acked, tried int64) (*Log, bool) {
	w.t.Helper()
	l := w.open(w.current())
	end := l.End().Offset
	if end < acked || end > tried {
		w.t.Errorf("%s: the log in %s ends at %d; %d were promised, %d tried", when, l.dir.path, end, acked, tried)
		return l, false
	}
	wantRun(w.t, readAll(w.t, l, 0), int(end), 1)
	return l, true
}

func (w *twoDirs) close() {
	w.t.Helper()
	for _, d := range []*Dir{w.a, w.b} {
		if err := d.Close(nil); err != nil {
			w.t.Errorf("close %s: %v", d.path, err)
		}
	}
}

func TestALogMovesWhileItIsWrittenAndRead(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	l := w.open(w.a)
	if err := w.append(l, 30); err != nil {
		t.Fatal(err)
	}
	held, err := l.Read(5, l.End(), 100, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []*Dir{w.b, w.a, w.b} {
		before, epochs := l.Producers().Len(), l.Epochs().All()
		next, err := w.move(l, to)
		if err != nil {
			t.Fatalf("move to %s: %v", to.path, err)
		}
		if next.Dir() != to || next.Producers().Len() != before {
			t.Errorf("moved to %s: it lies in %s", to.path, next.Dir().Path())
		}
		if got := next.Epochs().All(); len(got) < len(epochs) || !slices.Equal(got[:len(epochs)], epochs) {
			t.Errorf("epochs %v became %v", epochs, got)
		}
		h, b := batch(l.End().Offset, 0, 0, 1)
		if _, err := l.Append(&h, b); !errors.Is(err, ErrClosed) {
			t.Errorf("the old log takes a batch: %v", err)
		}
		if err := w.append(next, 10); err != nil {
			t.Fatal(err)
		}
		wantRun(t, readAll(t, next, 0), int(next.End().Offset), 1)
		l = next
	}
	b := make([]byte, held.Len)
	if _, err := held.ReadAt(b, 0); err != nil {
		t.Errorf("a slice that was held over three moves: %v", err)
	}
	held.Release()
	if w.a.Holds("orders", 0) || !w.b.Holds("orders", 0) || w.b.Moves(ident(0)) != 3 {
		t.Errorf("it lies in /a: %v, in /b: %v, moved %d times", w.a.Holds("orders", 0), w.b.Holds("orders", 0), w.b.Moves(ident(0)))
	}
	w.close()
	again := openTwo(t, w.fs)
	if l, _ := again.check("after a clean stop", w.acked.Load(), w.acked.Load()); l.RecoveryReport() != nil || l.Dir() != again.b {
		t.Errorf("after a clean stop it lies in %s and was recovered: %+v", l.Dir().Path(), l.RecoveryReport())
	}
}

func TestAnEmptyLogMoves(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	l, err := w.move(w.open(w.a), w.b)
	if err != nil {
		t.Fatal(err)
	}
	wantRun(t, readAll(t, l, 0), 2, 1) // carry appends two
	fresh, err := w.a.Open(ident(1), OpenOptions{Config: tiny})
	if err != nil {
		t.Fatal(err)
	}
	m, err := fresh.BeginMove(w.b)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := m.Finish(OpenOptions{Config: tiny})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Retire(); err != nil {
		t.Fatal(err)
	}
	fill(t, moved, 3, 1)
	wantRun(t, readAll(t, moved, 0), 3, 1)
	w.close()
}

func TestAMoveThatIsDroppedLeavesNothing(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	l := w.open(w.a)
	if err := w.append(l, 20); err != nil {
		t.Fatal(err)
	}
	m, err := l.BeginMove(w.b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.BeginMove(w.b); !errors.Is(err, ErrMoving) {
		t.Errorf("a second move: %v, want ErrMoving", err)
	}
	if _, err := l.BeginMove(w.a); !errors.Is(err, ErrMoving) {
		t.Errorf("a move to where it is: %v, want ErrMoving", err)
	}
	if _, err := m.Advance(); err != nil {
		t.Fatal(err)
	}
	if m.Copied() == 0 || m.Source() != l || m.To() != w.b {
		t.Errorf("copied %d bytes", m.Copied())
	}
	if err := m.Drop(); err != nil {
		t.Fatal(err)
	}
	if err := m.Drop(); err != nil {
		t.Errorf("dropped twice: %v", err)
	}
	if _, err := m.Advance(); !errors.Is(err, ErrClosed) {
		t.Errorf("advance of a dropped move: %v", err)
	}
	entries, err := w.fs.ReadDir("/b")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			t.Errorf("%s is left", e.Name())
		}
	}
	if l, err = w.move(l, w.b); err != nil {
		t.Fatalf("a move after it: %v", err)
	}
	wantRun(t, readAll(t, l, 0), int(l.End().Offset), 1)
}

func TestALogThatIsDeletedEndsItsMove(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	l := w.open(w.a)
	if err := w.append(l, 20); err != nil {
		t.Fatal(err)
	}
	m, err := l.BeginMove(w.b)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.a.Delete(l); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Advance(); !errors.Is(err, ErrClosed) {
		t.Errorf("advance: %v, want ErrClosed", err)
	}
	if _, err := m.Finish(OpenOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("finish: %v, want ErrClosed", err)
	}
	if err := m.Drop(); err != nil {
		t.Error(err)
	}
}

func TestAMoveFollowsRetentionAndTruncation(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	l := w.open(w.a)
	if err := w.append(l, 40); err != nil {
		t.Fatal(err)
	}
	m, err := l.BeginMove(w.b)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := m.Advance(); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.AdvanceStart(17); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Retain(40); err != nil {
		t.Fatal(err)
	}
	if err := l.TruncateTo(35); err != nil {
		t.Fatal(err)
	}
	if err := w.append(l, 3); err != nil {
		t.Fatal(err)
	}
	moved, err := m.Finish(OpenOptions{Config: tiny})
	if err != nil {
		t.Fatal(err)
	}
	if moved.Start() != 17 || moved.End().Offset != 38 {
		t.Errorf("moved: %d to %d, want 17 to 38", moved.Start(), moved.End().Offset)
	}
	if got := readAll(t, moved, 17); len(got) != 21 || got[0] != 17 || got[20] != 37 {
		t.Errorf("moved: %v", got)
	}
}

// What an earlier process copied whole is not copied again.
func TestAMoveIsTakenUpWhereItWas(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	l := w.open(w.a)
	if err := w.append(l, 60); err != nil {
		t.Fatal(err)
	}
	m, err := l.BeginMove(w.b)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if _, err := m.Advance(); err != nil {
			t.Fatal(err)
		}
	}
	had := m.Copied()
	m.Leave()
	m.Leave() // does no more
	w.close()
	again := openTwo(t, w.fs)
	if got := again.b.Futures(); len(got) != 1 || got[0] != ident(0) {
		t.Fatalf("futures: %v", got)
	}
	l = again.open(again.a)
	m, err = l.BeginMove(again.b)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Copied(); got == 0 || got >= had {
		t.Errorf("taken up with %d bytes of %d: want all but the last segment's", got, had)
	}
	moved, err := m.Finish(OpenOptions{Config: tiny})
	if err != nil {
		t.Fatal(err)
	}
	wantRun(t, readAll(t, moved, 0), 60, 1)
}

func TestFutureNamesAreKafkas(t *testing.T) {
	name := layout.FutureName("or-ders.x", 12, ident(0).ID)
	if want := "or-ders.x-12.01020300000000000000000000000000-future"; name != want {
		t.Errorf("got %s, want %s", name, want)
	}
	if topic, p, ok := layout.ParseFutureName(name); topic != "or-ders.x" || p != 12 || !ok {
		t.Errorf("parsed %q %d %v", topic, p, ok)
	}
	for _, bad := range []string{"orders-0", "orders-0.x-future", "orders.01020300000000000000000000000000-future", "orders-0.01020300000000000000000000000000-delete", "-future", ""} {
		if _, _, ok := layout.ParseFutureName(bad); ok {
			t.Errorf("%q is taken for a future directory", bad)
		}
	}
	if layout.FutureFits(strings.Repeat("x", 249), 0) || !layout.FutureFits(strings.Repeat("x", 200), 100) {
		t.Error("a topic of 249 characters has no room for it, one of 200 has")
	}
}

func TestAnOfflineDirectoryAnswersWithItsReason(t *testing.T) {
	cause := errors.New("no such device")
	d := OfflineDir(DirOptions{FS: vfs.NewMem(0), Path: "/gone"}, cause)
	_, err := d.Open(ident(0), OpenOptions{})
	for what, err := range map[string]error{
		"Err": d.Err(), "Open": err, "SyncRound": d.SyncRound(), "Checkpoint": d.Checkpoint(nil), "Housekeep": d.Housekeep(), "Close": d.Close(nil),
	} {
		if !errors.Is(err, ErrOffline) || !errors.Is(err, cause) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if d.Holds("orders", 0) || len(d.Found()) != 0 || len(d.Futures()) != 0 {
		t.Error("it holds something")
	}
}

func FuzzMoves(f *testing.F) {
	for _, s := range []string{"version: 0\nmoves: 3\n", "version: 0\nmoves: 3", "version: 1\nmoves: 3\n", "version: 0\nmoves: -1\n", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, ok := parseMoves(b)
		if !ok && n != 0 || n < 0 {
			t.Fatalf("%q gives %d, %v", b, n, ok)
		}
		if again, ok2 := parseMoves(appendMoves(nil, n)); !ok2 || again != n {
			t.Fatalf("%d is written and read as %d, %v", n, again, ok2)
		}
	})
}

// A damaged count is none: the directory is then as one that never moved.
func TestADamagedCountOfMovesIsNone(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	if err := w.append(w.open(w.a), 1); err != nil {
		t.Fatal(err)
	}
	if n := w.a.Moves(ident(0)); n != 0 {
		t.Errorf("a log that never moved has moved %d times", n)
	}
	if err := w.a.writeMoves(layout.DirName("orders", 0), 4); err != nil {
		t.Fatal(err)
	}
	if n := w.a.Moves(ident(0)); n != 4 {
		t.Errorf("moved %d times, want 4", n)
	}
	f, err := w.fs.OpenFile("/a/orders-0/"+movesName, os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if n := w.a.Moves(ident(0)); n != 0 {
		t.Errorf("a damaged count is %d", n)
	}
}
