package faulty_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"ottla/internal/vfs"
	"ottla/internal/vfs/faulty"
)

// disks are what faults lie over.
func disks(t *testing.T, check func(t *testing.T, below vfs.FS, root string)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		m := vfs.NewMem(0)
		if err := m.MkdirAll("/d", 0o755); err != nil {
			t.Fatal(err)
		}
		check(t, m, "/d")
	})
	t.Run("disk", func(t *testing.T) { check(t, vfs.NewOS(), t.TempDir()) })
}

func open(t *testing.T, d vfs.FS, name string, flags int) vfs.File {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE|flags, 0o644)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("close %s: %v", name, err)
		}
	})
	return f
}

// write writes n bytes at off and tells what came of it.
func write(f vfs.File, n int, off int64) error {
	done, err := f.WriteAt(make([]byte, n), off)
	if err == nil && done != n {
		return errors.New("a short write without an error")
	}
	return err
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if want == nil && got != nil || !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
	var p *fs.PathError
	if want != nil && !errors.As(got, &p) {
		t.Errorf("%s: %v does not say which file", what, got)
	}
}

func size(t *testing.T, f vfs.File, want int64) {
	t.Helper()
	if n, err := f.Size(); err != nil || n != want {
		t.Errorf("size of %s: got %d, %v, want %d", f.Name(), n, err, want)
	}
}

func TestAHealthyDiskIsTheDiskBelow(t *testing.T) {
	disks(t, func(t *testing.T, below vfs.FS, root string) {
		var faults faulty.Faults
		d := faulty.Over(below, &faults)
		f := open(t, d, root+"/a", 0)
		n, err := f.WritevAt([][]byte{[]byte("ab"), []byte("cd")}, 0)
		if err != nil || n != 4 {
			t.Fatalf("wrote %d, %v", n, err)
		}
		want(t, "sync", errors.Join(f.Sync(), d.SyncDir(root), d.SyncFS(root)), nil)
		got := make([]byte, 4)
		if _, err := f.ReadAt(got, 0); err != nil || string(got) != "abcd" {
			t.Errorf("read %q, %v", got, err)
		}
		if met := faults.Met(); met != (faulty.Met{}) {
			t.Errorf("met %+v, want nothing", met)
		}
	})
}

func TestTheNextWriteFailsAndWritesNothing(t *testing.T) {
	disks(t, func(t *testing.T, below vfs.FS, root string) {
		var faults faulty.Faults
		f := open(t, faulty.Over(below, &faults), root+"/a", 0)
		faults.FailNextWrite()
		want(t, "write", write(f, 3, 0), syscall.EIO)
		size(t, f, 0)
		want(t, "the one after", write(f, 3, 0), nil)
		faults.FailNextWrite()
		_, err := f.WritevAt([][]byte{{1}, {2}}, 3)
		want(t, "writev", err, syscall.EIO)
		size(t, f, 3)
		if met := faults.Met(); met.Failed != 2 {
			t.Errorf("met %+v, want two failures", met)
		}
	})
}

func TestEverySyncCanBeTheOneThatFails(t *testing.T) {
	disks(t, func(t *testing.T, below vfs.FS, root string) {
		var faults faulty.Faults
		d := faulty.Over(below, &faults)
		f := open(t, d, root+"/a", 0)
		for name, sync := range map[string]func() error{
			"file": f.Sync, "directory": func() error { return d.SyncDir(root) }, "file system": func() error { return d.SyncFS(root) },
		} {
			faults.FailNextSync()
			want(t, name, sync(), syscall.EIO)
			want(t, name+" again", sync(), nil)
		}
	})
}

func TestASlowDiskHoldsUpWritesAndSyncs(t *testing.T) {
	var slept []time.Duration
	faults := faulty.Faults{Sleep: func(d time.Duration) { slept = append(slept, d) }}
	f := open(t, faulty.Over(vfs.NewMem(0), &faults), "/a", 0)
	faults.Slow(2*time.Millisecond, 0)
	want(t, "write", errors.Join(write(f, 1, 0), f.Sync()), nil)
	faults.Slow(0, time.Second)
	want(t, "sync", errors.Join(write(f, 1, 0), f.Sync()), nil)
	faults.Heal()
	want(t, "healed", errors.Join(write(f, 1, 0), f.Sync()), nil)
	if len(slept) != 2 || slept[0] != 2*time.Millisecond || slept[1] != time.Second || faults.Met().Delayed != 2 {
		t.Errorf("slept %v, met %+v; want 2ms at the write and 1s at the sync", slept, faults.Met())
	}
}

func TestWithoutASleepOfItsOwnADiskReallyWaits(t *testing.T) {
	var faults faulty.Faults
	f := open(t, faulty.Over(vfs.NewMem(0), &faults), "/a", 0)
	faults.Slow(0, time.Nanosecond)
	want(t, "sync", f.Sync(), nil)
	if faults.Met().Delayed != 1 {
		t.Errorf("met %+v, want one delay", faults.Met())
	}
}

func TestAFullDiskTakesNothingUntilItHasRoom(t *testing.T) {
	disks(t, func(t *testing.T, below vfs.FS, root string) {
		var faults faulty.Faults
		d := faulty.Over(below, &faults)
		f := open(t, d, root+"/a", 0)
		faults.Full(true)
		want(t, "write", write(f, 1, 0), syscall.ENOSPC)
		want(t, "allocate", f.Allocate(0, 1), syscall.ENOSPC)
		want(t, "mkdir", d.MkdirAll(root+"/x/y", 0o755), syscall.ENOSPC)
		_, err := d.OpenFile(root+"/b", os.O_RDWR|os.O_CREATE, 0o644)
		want(t, "create", err, syscall.ENOSPC)
		if !vfs.NoSpace(err) {
			t.Errorf("%v is not known as a full disk", err)
		}
		want(t, "a directory that is there", d.MkdirAll(root, 0o755), nil)
		open(t, d, root+"/a", 0)
		if u, err := d.Usage(root); err != nil || u.Free != 0 {
			t.Errorf("usage %+v, %v, want nothing free", u, err)
		}
		if met := faults.Met(); met.Full != 4 {
			t.Errorf("met %+v, want four refusals", met)
		}
		faults.Full(false)
		want(t, "write with room", write(f, 1, 0), nil)
	})
}

func TestRoomIsSpentByGrowthAndComesBackByRemoval(t *testing.T) {
	disks(t, func(t *testing.T, below vfs.FS, root string) {
		var faults faulty.Faults
		d := faulty.Over(below, &faults)
		f := open(t, d, root+"/a", 0)
		want(t, "before the limit", write(f, 100, 0), nil)
		faults.Limit(50)
		want(t, "over what is there", write(f, 100, 0), nil)
		want(t, "51 more", write(f, 51, 100), syscall.ENOSPC)
		size(t, f, 100)
		want(t, "half over, 50 more", write(f, 100, 50), nil)
		want(t, "one more", write(f, 1, 150), syscall.ENOSPC)
		want(t, "an offset out of this world", write(f, 1, math.MaxInt64), syscall.ENOSPC)
		want(t, "truncate", f.Truncate(140), nil)
		want(t, "allocate 11", f.Allocate(140, 11), syscall.ENOSPC)
		want(t, "allocate 10", f.Allocate(140, 10), nil)
		want(t, "10 again", write(f, 10, 140), nil)

		free := func(what string, n int64) {
			t.Helper()
			if u, err := d.Usage(root); err != nil || u.Free != n {
				t.Errorf("%s: usage %+v, %v, want %d free", what, u, err, n)
			}
		}
		free("spent", 0)
		want(t, "remove", d.Remove(root+"/a"), nil)
		free("removed", 150)
		want(t, "mkdir", d.MkdirAll(root+"/t/u", 0o755), nil)
		b := open(t, d, root+"/t/u/b", 0)
		c := open(t, d, root+"/t/c", 0)
		want(t, "fill", errors.Join(write(b, 100, 0), write(c, 30, 0)), nil)
		free("filled", 20)
		want(t, "rename", d.Rename(root+"/t/c", root+"/t/u/b"), nil)
		free("replaced", 120)
		open(t, d, root+"/t/u/b", os.O_TRUNC)
		free("cut", 150)
		want(t, "fill again", write(c, 40, 0), nil)
		want(t, "remove all", d.RemoveAll(root+"/t"), nil)
		free("all removed", 150)
		faults.Unlimit()
		g := open(t, d, root+"/g", 0)
		want(t, "without a limit", write(g, 1000, 0), nil)
	})
}

func TestHealForgetsWhatWasNotMetYet(t *testing.T) {
	var faults faulty.Faults
	f := open(t, faulty.Over(vfs.NewMem(0), &faults), "/a", 0)
	faults.FailNextWrite()
	faults.FailNextSync()
	faults.Full(true)
	faults.Limit(0)
	faults.Heal()
	want(t, "write and sync", errors.Join(write(f, 10, 0), f.Sync()), nil)
}

func TestWritesOfAHealthyDiskAllocateNothing(t *testing.T) {
	var faults faulty.Faults
	f := open(t, faulty.Over(vfs.NewMem(0), &faults), "/a", 0)
	buf := make([]byte, 64)
	n := testing.AllocsPerRun(100, func() {
		if _, err := f.WriteAt(buf, 0); err != nil {
			t.Error(err)
		}
		if err := f.Sync(); err != nil {
			t.Error(err)
		}
	})
	if n > 1 { // the closure that counts room
		t.Errorf("%v allocations a write and sync, want at most 1", n)
	}
}
