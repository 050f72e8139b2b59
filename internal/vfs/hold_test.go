//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Two readers may hold a directory at once; who owns it keeps them out, and
// nothing is created on the way.
func TestHoldIsSharedAndYieldsToTheOwner(t *testing.T) {
	o := NewOS()
	name := filepath.Join(t.TempDir(), ".lock")
	if _, err := o.Hold(name); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("holding a missing file: %v", err)
	}
	if err := os.WriteFile(name, []byte("17\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	first, err := o.Hold(name)
	if err != nil {
		t.Fatal(err)
	}
	second, err := o.Hold(name)
	if err != nil {
		t.Fatalf("a second reader: %v", err)
	}
	if _, err := o.Lock(name); !errors.Is(err, ErrLocked) {
		t.Errorf("an owner while readers hold it: %v", err)
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	owner, err := o.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if _, err := o.Hold(name); !errors.Is(err, ErrLocked) {
		t.Errorf("a reader while an owner has it: %v", err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "17\n" {
		t.Errorf("the file holds %q %v", b, err)
	}
}

func TestLinkIsTheSameFile(t *testing.T) {
	o, dir := NewOS(), t.TempDir()
	from, to := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(from, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := o.Link(from, to); err != nil {
		t.Fatal(err)
	}
	a, err1 := os.Stat(from)
	b, err2 := os.Stat(to)
	if err1 != nil || err2 != nil || !os.SameFile(a, b) {
		t.Errorf("two files: %v %v", err1, err2)
	}
}
