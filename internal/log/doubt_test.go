package log

import (
	"errors"
	"testing"
	"time"

	"ottla/internal/log/layout"
	"ottla/internal/sim"
)

// flipped is a disk with a log of two batches, both synced, the last of which has
// rotted: past the recovery point, so that it looks like a torn write.
func flipped(t *testing.T, seed uint64) *sim.Disk {
	t.Helper()
	disk := sim.NewDisk(seed)
	l := onDisk(t, disk, true)
	fill(t, l, 2, 1)
	if err := l.dir.SyncRound(); err != nil {
		t.Fatal(err)
	}
	disk.Crash()
	disk.Restart()
	name := "/data/orders-0/" + layout.FileName(0, layout.Log)
	b, err := disk.OnDisk(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disk.FlipAny(name, int64(len(b))-5, int64(len(b))); err != nil {
		t.Fatal(err)
	}
	return disk
}

// tryOpen opens the log on a disk, from which the power may go meanwhile.
func tryOpen(disk *sim.Disk, settles bool) (*Log, error) {
	d, err := OpenDir(DirOptions{FS: disk, Path: "/data", Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) }})
	if err != nil {
		return nil, err
	}
	return d.Open(ident(0), OpenOptions{Config: Config{}, Settles: settles})
}

func onDisk(t *testing.T, disk *sim.Disk, settles bool) *Log {
	t.Helper()
	l, err := tryOpen(disk, settles)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// cutAt has the power go at an operation that changes the disk, counted from now.
func cutAt(disk *sim.Disk, at int) {
	disk.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() {
			if at--; at == -1 {
				return sim.Action{Cut: true, Keep: op.Len / 2}
			}
		}
		return sim.Action{}
	})
}

// TestADoubtOutlivesRestarts: whenever the power goes while the end is cut off and
// after, the log is in doubt or has all that it acknowledged, until it is trusted.
func TestADoubtOutlivesRestarts(t *testing.T) {
	cuts := 0
	for seed := range uint64(8) {
		for at := range 40 {
			disk := flipped(t, seed)
			cutAt(disk, at)
			_, err := tryOpen(disk, true)
			disk.OnOp(nil)
			if err != nil {
				cuts++
			}
			for life := range 3 {
				disk.Crash()
				disk.Restart()
				l := onDisk(t, disk, true)
				if end := l.End().Offset; !l.Doubted() || end != 1 {
					t.Fatalf("seed %d, power cut at %d, life %d: it ends at %d, in doubt %v", seed, at, life, end, l.Doubted())
				}
				if err := l.dir.Checkpoint(nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if cuts < 50 {
		t.Errorf("the power went in %d openings", cuts)
	}
}

// TestATrustedEndIsInDoubtNoMore: not after the next power cut either, once Trust has
// returned.
func TestATrustedEndIsInDoubtNoMore(t *testing.T) {
	for at := range 4 {
		disk := flipped(t, uint64(at))
		l := onDisk(t, disk, true)
		cutAt(disk, at)
		err := l.Trust()
		disk.OnOp(nil)
		if err == nil && l.Doubted() {
			t.Error("it is in doubt after Trust")
		}
		disk.Crash()
		disk.Restart()
		l = onDisk(t, disk, true)
		if err == nil && l.Doubted() {
			t.Errorf("power cut at %d: it is in doubt again", at)
		}
		if err := errors.Join(l.Trust(), l.Trust()); err != nil || l.Doubted() {
			t.Errorf("trusted once more: %v, in doubt %v", err, l.Doubted())
		}
	}
}

// TestADoubtMovesWithItsLog to another directory.
func TestADoubtMovesWithItsLog(t *testing.T) {
	disk := flipped(t, 3)
	l := onDisk(t, disk, true)
	there := func() *Dir {
		t.Helper()
		d, err := OpenDir(DirOptions{FS: disk, Path: "/there", Now: func() time.Time { return time.UnixMilli(1_700_000_000_000) }})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	m, err := l.BeginMove(there())
	if err != nil {
		t.Fatal(err)
	}
	for m.Behind() > 0 {
		if _, err := m.Advance(); err != nil {
			t.Fatal(err)
		}
	}
	moved, err := m.Finish(OpenOptions{Settles: true})
	if err == nil {
		err = m.Retire()
	}
	if err != nil || !moved.Doubted() {
		t.Fatalf("it moves with %v, in doubt %v", err, moved.Doubted())
	}
	for _, want := range []bool{true, false} {
		l, err := there().Open(ident(0), OpenOptions{Settles: true})
		if err != nil || l.Doubted() != want {
			t.Fatalf("it opens with %v there, in doubt: want %v", err, want)
		}
		if err := l.Trust(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestADoubtThatNobodyEndsIsNotKept: of a log whose owner has nobody to ask.
func TestADoubtThatNobodyEndsIsNotKept(t *testing.T) {
	disk := flipped(t, 1)
	if l := onDisk(t, disk, false); !l.Doubted() {
		t.Error("it is not in doubt")
	}
	if l := onDisk(t, disk, false); l.Doubted() {
		t.Error("it is in doubt when it is opened again")
	}
}

// TestADoubtThatCannotBeKeptCutsNothing: the log does not open, and is tried again.
func TestADoubtThatCannotBeKeptCutsNothing(t *testing.T) {
	disk := flipped(t, 2)
	before := disk.Used()
	disk.SetCapacity(0)
	if _, err := tryOpen(disk, true); err == nil {
		t.Fatal("it opens without room to note the doubt")
	}
	disk.SetCapacity(1 << 30)
	if used := disk.Used(); used < before {
		t.Errorf("%d of %d bytes are left", used, before)
	}
	if l := onDisk(t, disk, true); !l.Doubted() || l.End().Offset != 1 {
		t.Errorf("with room it ends at %d, in doubt %v", l.End().Offset, l.Doubted())
	}
}
