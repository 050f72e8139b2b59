package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The table runs on every disk: what holds for the real one holds for memory.
// Each line is one operation; later ones see what earlier ones did.
func TestNamesBehaveAsOnTheRealDisk(t *testing.T) {
	steps := []struct {
		op, a, b string
		want     error
	}{
		{"open", "f", "", fs.ErrNotExist},
		{"create", "f", "", nil},
		{"open", "f", "", nil},
		{"excl", "f", "", fs.ErrExist},
		{"excl", "g", "", nil},
		{"create", "no/f", "", fs.ErrNotExist},
		{"create", "f/x", "", syscall.ENOTDIR},
		{"mkdir", "a/b/c", "", nil},
		{"mkdir", "a/b/c", "", nil},
		{"mkdir", "f/c", "", syscall.ENOTDIR},
		{"mkdir", "f", "", syscall.ENOTDIR},
		{"create", "a", "", syscall.EISDIR},
		{"create", "a/b/f", "", nil},
		{"remove", "a/b", "", syscall.ENOTEMPTY},
		{"remove", "a/none", "", fs.ErrNotExist},
		{"remove", "a/b/c", "", nil},
		{"rename", "none", "x", fs.ErrNotExist},
		{"rename", "f", "none/x", fs.ErrNotExist},
		{"rename", "f", "a/b/f", nil},
		{"open", "f", "", fs.ErrNotExist},
		{"rename", "a/b/f", "a", fs.ErrExist},
		{"rename", "a/b/f", "a/b/f", nil},
		{"rename", "a", "a", fs.ErrExist},
		{"rename", "a", "a/b/d", syscall.EINVAL},
		{"rename", "a", "g", syscall.ENOTDIR},
		{"rename", "a", "z", nil},
		{"open", "z/b/f", "", nil},
		{"list", "z/b", "f", nil},
		{"list", "", "g z", nil},
		{"list", "g", "", syscall.ENOTDIR},
		{"list", "none", "", fs.ErrNotExist},
		{"stat", "z/b/none", "", fs.ErrNotExist},
		{"removeall", "none", "", nil},
		{"removeall", "none/none", "", nil},
		{"removeall", "z", "", nil},
		{"stat", "z", "", fs.ErrNotExist},
		{"removeall", "g", "", nil},
		{"list", "", "", nil},
	}
	for name, d := range disks(t) {
		for i, s := range steps {
			if err := step(d, s.op, s.a, s.b); !errors.Is(err, s.want) {
				t.Errorf("%s, step %d: %s %s %s = %v, want %v", name, i, s.op, s.a, s.b, err, s.want)
			}
		}
	}
}

func step(d disk, op, a, b string) error {
	a = filepath.Join(d.root, a)
	open := func(flag int) error {
		f, err := d.OpenFile(a, flag, 0o644)
		if err != nil {
			return err
		}
		return f.Close()
	}
	switch op {
	case "open":
		return open(os.O_RDONLY)
	case "create":
		return open(os.O_RDWR | os.O_CREATE)
	case "excl":
		return open(os.O_RDWR | os.O_CREATE | os.O_EXCL)
	case "mkdir":
		return d.MkdirAll(a, 0o755)
	case "remove":
		return d.Remove(a)
	case "removeall":
		return d.RemoveAll(a)
	case "rename":
		return d.Rename(a, filepath.Join(d.root, b))
	case "stat":
		_, err := d.Stat(a)
		return err
	}
	entries, err := d.ReadDir(a)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); err == nil && got != b {
		return fmt.Errorf("list shows %q, want %q", got, b)
	}
	return err
}

func TestFilesOutliveTheirNamesWhileOpen(t *testing.T) {
	for name, d := range disks(t) {
		path := filepath.Join(d.root, "f")
		f := create(t, d.FS, path)
		if _, err := f.WriteAt([]byte("old"), 0); err != nil {
			t.Fatal(err)
		}
		if err := d.Remove(path); err != nil {
			t.Fatal(err)
		}
		g := create(t, d.FS, path)
		if _, err := g.WriteAt([]byte("new!"), 0); err != nil {
			t.Fatal(err)
		}
		if got := string(content(t, f)); got != "old" {
			t.Errorf("%s: the removed file holds %q, want old", name, got)
		}
		if got := string(content(t, g)); got != "new!" {
			t.Errorf("%s: the new file holds %q, want new!", name, got)
		}
	}
}

func TestStatTellsKindSizeAndName(t *testing.T) {
	for name, d := range disks(t) {
		f := create(t, d.FS, filepath.Join(d.root, "f"))
		if err := f.Truncate(12345); err != nil {
			t.Fatal(err)
		}
		entries, err := d.ReadDir(d.root)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%s: ReadDir = %v, %v", name, entries, err)
		}
		fi, err := entries[0].Info()
		if err != nil || fi.Size() != 12345 || fi.IsDir() || fi.Name() != "f" || fi.ModTime().IsZero() || fi.Mode().IsDir() {
			t.Errorf("%s: Info = %v, %v", name, fi, err)
		}
		if fi, err = d.Stat(d.root); err != nil || !fi.IsDir() || fi.Name() != filepath.Base(d.root) {
			t.Errorf("%s: Stat(root) = %v, %v", name, fi, err)
		}
	}
}

func TestReadOnlyHandlesDoNotWrite(t *testing.T) {
	for name, d := range disks(t) {
		path := filepath.Join(d.root, "f")
		if _, err := create(t, d.FS, path).WriteAt([]byte("keep"), 0); err != nil {
			t.Fatal(err)
		}
		f, err := d.OpenFile(path, os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("x"), 0); err == nil {
			t.Errorf("%s: WriteAt on a read-only handle succeeded", name)
		}
		if err := f.Truncate(0); err == nil {
			t.Errorf("%s: Truncate on a read-only handle succeeded", name)
		}
		if got := string(content(t, f)); got != "keep" {
			t.Errorf("%s: content %q, want keep", name, got)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTruncateOnOpenEmptiesTheFile(t *testing.T) {
	for name, d := range disks(t) {
		path := filepath.Join(d.root, "f")
		f := create(t, d.FS, path)
		if _, err := f.WriteAt([]byte("old"), 0); err != nil {
			t.Fatal(err)
		}
		g, err := d.OpenFile(path, os.O_RDWR|os.O_TRUNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if size, err := f.Size(); size != 0 || err != nil {
			t.Errorf("%s: size after O_TRUNC %d, %v", name, size, err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}
