package vfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
)

func create(t *testing.T, d FS, name string) File {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Errorf("close %s: %v", name, err)
		}
	})
	return f
}

func content(t *testing.T, f File) []byte {
	t.Helper()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); int64(n) != size || (err != nil && err != io.EOF) {
		t.Fatalf("read %d of %d bytes: %v", n, size, err)
	}
	return b
}

func TestWritevAtWritesEveryBufferInOrder(t *testing.T) {
	for name, d := range disks(t) {
		for _, count := range []int{0, 1, 2, 7, 1023, 1024, 1025, 3000} {
			t.Run(fmt.Sprint(name, " ", count), func(t *testing.T) {
				var bufs [][]byte
				for i := range count {
					bufs = append(bufs, bytes.Repeat([]byte{byte(i), byte(i >> 8)}, i%5)) // some are empty
				}
				f := create(t, d.FS, filepath.Join(d.root, fmt.Sprint("v", count)))
				const off = 4097
				n, err := f.WritevAt(bufs, off)
				want := slices.Concat(bufs...)
				if err != nil || n != int64(len(want)) {
					t.Fatalf("WritevAt = %d, %v, want %d", n, err, len(want))
				}
				if len(want) == 0 {
					return
				}
				if got := content(t, f); !bytes.Equal(got[off:], want) {
					t.Errorf("content differs from the buffers one after the other")
				}
			})
		}
	}
}

func TestWritevAtAtNegativeOffsetIsRefused(t *testing.T) {
	for name, d := range disks(t) {
		f := create(t, d.FS, filepath.Join(d.root, "f"))
		if n, err := f.WritevAt([][]byte{{1}}, -1); err == nil || n != 0 {
			t.Errorf("%s: WritevAt(-1) = %d, %v, want an error", name, n, err)
		}
		if n, err := f.WriteAt([]byte{1}, -1); err == nil || n != 0 {
			t.Errorf("%s: WriteAt(-1) = %d, %v, want an error", name, n, err)
		}
	}
}

func TestSyncOfClosedFileFails(t *testing.T) {
	for name, d := range disks(t) {
		f := create(t, d.FS, filepath.Join(d.root, "f"))
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		_, errv := f.WritevAt([][]byte{{1}}, 0)
		_, errw := f.WriteAt([]byte{1}, 0)
		_, errs := f.Size()
		for what, err := range map[string]error{
			"Sync": f.Sync(), "WritevAt": errv, "WriteAt": errw, "Size": errs,
			"Allocate": f.Allocate(0, 10), "Truncate": f.Truncate(0), "Close": f.Close(),
		} {
			if !errors.Is(err, fs.ErrClosed) {
				t.Errorf("%s: %s after Close = %v, want %v", name, what, err, fs.ErrClosed)
			}
		}
	}
}

func TestAllocateKeepsSizeAndContent(t *testing.T) {
	for name, d := range disks(t) {
		f := create(t, d.FS, filepath.Join(d.root, "f"))
		if _, err := f.WriteAt([]byte("hello"), 0); err != nil {
			t.Fatal(err)
		}
		for _, r := range [][2]int64{{0, 1 << 20}, {4096, 4096}, {0, 0}} {
			if err := f.Allocate(r[0], r[1]); err != nil {
				t.Errorf("%s: Allocate(%d, %d): %v", name, r[0], r[1], err)
			}
		}
		if got := string(content(t, f)); got != "hello" {
			t.Errorf("%s: content after Allocate %q, want hello", name, got)
		}
	}
}

func TestLockIsExclusiveUntilClosed(t *testing.T) {
	for name, d := range disks(t) {
		lock := filepath.Join(d.root, ".lock")
		l, err := d.Lock(lock)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Lock(lock); !errors.Is(err, ErrLocked) {
			t.Errorf("%s: second lock = %v, want %v", name, err, ErrLocked)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, err = d.Lock(lock)
		if err != nil {
			t.Fatalf("%s: lock after Close: %v", name, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLocksContendedByManyHaveOneHolder(t *testing.T) {
	for name, d := range disks(t) {
		lock := filepath.Join(d.root, ".lock")
		var wg sync.WaitGroup
		var mu sync.Mutex
		holders, taken := 0, 0
		for range 8 {
			wg.Go(func() {
				for range 50 {
					l, err := d.Lock(lock)
					if err != nil {
						continue
					}
					mu.Lock()
					holders++
					taken++
					if holders > 1 {
						t.Errorf("%s: %d holders at once", name, holders)
					}
					mu.Unlock()
					mu.Lock()
					holders--
					mu.Unlock()
					if err := l.Close(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if taken == 0 {
			t.Errorf("%s: nobody ever held the lock", name)
		}
	}
}

func TestSyncsOfFilesDirectoriesAndDiskSucceed(t *testing.T) {
	for name, d := range disks(t) {
		f := create(t, d.FS, filepath.Join(d.root, "f"))
		if _, err := f.WriteAt([]byte("x"), 0); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), d.SyncDir(d.root), d.SyncFS(d.root), d.SyncFS(d.root)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		gone := filepath.Join(d.root, "none")
		if err := d.SyncDir(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: SyncDir of nothing = %v", name, err)
		}
		if err := d.SyncFS(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: SyncFS of nothing = %v", name, err)
		}
	}
}

func TestSyncFSFollowsADirectoryThatWasReplaced(t *testing.T) {
	o := NewOS()
	dir := filepath.Join(t.TempDir(), "d")
	for range 3 {
		if err := errors.Join(o.MkdirAll(dir, 0o755), o.SyncFS(dir), o.SyncFS(dir), o.Remove(dir)); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(o.syncers); got != 1 {
		t.Errorf("%d descriptors kept, want 1", got)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if err := o.Close(); err != nil {
		t.Error("second Close:", err)
	}
}

func TestUsageTellsRoom(t *testing.T) {
	for name, d := range disks(t) {
		u, err := d.Usage(d.root)
		if err != nil || u.Total <= 0 || u.Free < 0 || u.Free > u.Total {
			t.Errorf("%s: Usage = %+v, %v", name, u, err)
		}
		if _, err := d.Usage(filepath.Join(d.root, "none")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: Usage of nothing = %v", name, err)
		}
	}
}

func TestNoSpaceTellsFullFromBroken(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&fs.PathError{Op: "write", Path: "f", Err: syscall.ENOSPC}, true},
		{fmt.Errorf("append: %w", syscall.EDQUOT), true},
		{syscall.EFBIG, true},
		{syscall.EIO, false},
		{io.ErrShortWrite, false},
		{nil, false},
	} {
		if got := NoSpace(c.err); got != c.want {
			t.Errorf("NoSpace(%v) = %v, want %v", c.err, got, c.want)
		}
	}
}

func TestReadsAndWritesAllocateNothing(t *testing.T) {
	for name, d := range disks(t) {
		f := create(t, d.FS, filepath.Join(d.root, "f"))
		b := make([]byte, 4096)
		var bufs [][]byte
		for range 40 {
			bufs = append(bufs, b)
		}
		if _, err := f.WritevAt(bufs, 0); err != nil {
			t.Fatal(err)
		}
		for what, fn := range map[string]func() error{
			"WriteAt":  func() error { _, err := f.WriteAt(b, 0); return err },
			"WritevAt": func() error { _, err := f.WritevAt(bufs, 0); return err },
			"ReadAt":   func() error { _, err := f.ReadAt(b, 0); return err },
			"Sync":     f.Sync,
		} {
			if err := fn(); err != nil {
				t.Fatal(err)
			}
			got := testing.AllocsPerRun(50, func() {
				if err := fn(); err != nil {
					t.Fatal(err)
				}
			})
			if got >= 1 && !raceEnabled { // the pool drops at random under the race detector
				t.Errorf("%s: %s allocates %v times a call", name, what, got)
			}
		}
	}
}
