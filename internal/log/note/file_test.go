package note

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"ottla/internal/sim"
	"ottla/internal/vfs"
)

func disk(t *testing.T, seed uint64) *sim.Disk {
	t.Helper()
	d := sim.NewDisk(seed)
	if err := errors.Join(d.MkdirAll("/p", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	return d
}

func want(t *testing.T, f *File, want []byte) {
	t.Helper()
	got, err := f.Read(100)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestANoteIsThereUntilItIsDropped(t *testing.T) {
	f := New(vfs.NewMem(0), "/", nil)
	want(t, f, nil)
	for _, s := range []string{"one", "two, longer", ""} {
		if err := f.Keep([]byte(s), 10); err != nil {
			t.Fatal(err)
		}
		want(t, f, []byte(s))
	}
	if err := f.Keep(make([]byte, 101), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(100); err == nil {
		t.Error("a note of 101 bytes was read where 100 are allowed")
	}
	for range 2 {
		if err := f.Drop(20); err != nil {
			t.Fatal(err)
		}
		want(t, f, nil)
	}
	if err := f.Keep([]byte("late"), 19); !errors.Is(err, ErrStale) {
		t.Errorf("a note of offset 19 after compaction to 20: got %v, want ErrStale", err)
	}
	want(t, f, nil)
	if err := f.Keep([]byte("new"), 20); err != nil {
		t.Fatal(err)
	}
	want(t, f, []byte("new"))
}

// TestPowerCutsLeaveAWholeNote: at every operation of keeping, replacing and
// dropping one; what was dropped does not come back.
func TestPowerCutsLeaveAWholeNote(t *testing.T) {
	notes := [][]byte{bytes.Repeat([]byte("a"), 70), bytes.Repeat([]byte("b"), 90)}
	for at := range int64(40) {
		for seed := range uint64(6) {
			d := disk(t, seed)
			left := at
			d.OnOp(func(op sim.Op) sim.Action {
				if left--; left == -1 {
					return sim.Action{Cut: true, Keep: op.Len / 2}
				}
				return sim.Action{}
			})
			f := New(d, "/p", nil)
			done := 0
			for _, step := range []func() error{
				func() error { return f.Keep(notes[0], 1) },
				func() error { return f.Keep(notes[1], 2) },
				func() error { return f.Drop(3) },
			} {
				if step() != nil {
					break
				}
				done++
			}
			d.OnOp(nil)
			d.Crash()
			d.Restart()
			got, err := New(d, "/p", nil).Read(100)
			if err != nil {
				t.Fatalf("cut %d, seed %d: %v", at, seed, err)
			}
			ok := false
			for _, may := range [][][]byte{{nil, notes[0]}, notes, {notes[1], nil}, {nil}}[done] {
				ok = ok || bytes.Equal(got, may)
			}
			if !ok {
				t.Errorf("cut %d, seed %d, after %d steps: got %q", at, seed, done, got)
			}
		}
	}
}

// TestADirectoryThatIsGoneIsNoFailure of the disk.
func TestADirectoryThatIsGoneIsNoFailure(t *testing.T) {
	f := New(disk(t, 1), "/gone", func(err error) error {
		t.Errorf("told of %v", err)
		return err
	})
	if err := f.Keep([]byte("x"), 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that there is no such directory", err)
	}
	if err := f.Drop(1); err != nil {
		t.Errorf("drop: %v", err)
	}
}

// TestFailuresAreTold to whoever decides what they mean for the disk.
func TestFailuresAreTold(t *testing.T) {
	broken := errors.New("broken")
	for _, kind := range []sim.OpKind{sim.OpSync, sim.OpSyncDir, sim.OpRename, sim.OpRemove} {
		d := disk(t, 1)
		var heard error
		f := New(d, "/p", func(err error) error { heard = err; return fmt.Errorf("told: %w", err) })
		if err := f.Keep([]byte("x"), 1); err != nil {
			t.Fatal(err)
		}
		d.OnOp(func(op sim.Op) sim.Action {
			if op.Kind == kind {
				return sim.Action{Err: broken}
			}
			return sim.Action{}
		})
		err := f.Keep([]byte("y"), 1)
		if kind == sim.OpRemove {
			err = f.Drop(2)
		}
		if !errors.Is(err, broken) || !errors.Is(heard, broken) {
			t.Errorf("%v: got %v and told %v, want both broken", kind, err, heard)
		}
	}
}

func TestANoteOfAMovedLogRefusesWhatTheOldOneWould(t *testing.T) {
	d := disk(t, 3)
	if err := errors.Join(d.MkdirAll("/q", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	before, after := New(d, "/p", nil), New(d, "/q", nil)
	if err := before.Drop(7); err != nil {
		t.Fatal(err)
	}
	after.Follow(before)
	if err := after.Keep([]byte("old"), 6); !errors.Is(err, ErrStale) {
		t.Errorf("a note of offset 6: %v, want ErrStale", err)
	}
	if err := after.Keep([]byte("new"), 7); err != nil {
		t.Errorf("a note of offset 7: %v", err)
	}
	want(t, after, []byte("new"))
}
