package vfs

import (
	"errors"
	"os"
	"testing"
)

// fill gives Replace's writer.
func fill(text string) func(File) error {
	return func(f File) error {
		_, err := f.WriteAt([]byte(text), 0)
		return err
	}
}

func textOf(t *testing.T, d disk, name string) string {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return string(content(t, f))
}

func TestReplaceLeavesTheNewFileOrTheOld(t *testing.T) {
	broken := errors.New("broken")
	for kind, d := range disks(t) {
		name, temp := d.root+"/state", d.root+"/state.tmp"
		if err := Replace(d, name, temp, fill("a long first text")); err != nil || textOf(t, d, name) != "a long first text" {
			t.Errorf("%s: the first: %v", kind, err)
		}
		if err := Replace(d, name, temp, fill("short")); err != nil || textOf(t, d, name) != "short" {
			t.Errorf("%s: the second: %v, %q", kind, err, textOf(t, d, name))
		}
		if _, err := d.Stat(temp); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the temporary file after a good write: %v", kind, err)
		}
		err := Replace(d, name, temp, func(f File) error { return errors.Join(fill("half")(f), broken) })
		if !errors.Is(err, broken) || textOf(t, d, name) != "short" {
			t.Errorf("%s: a failed write: %v, %q", kind, err, textOf(t, d, name))
		}
		if err := Replace(d, name, temp, fill("after it")); err != nil || textOf(t, d, name) != "after it" {
			t.Errorf("%s: over what a failed write left: %v", kind, err)
		}
		if err := Replace(d, d.root+"/none/state", d.root+"/none/state.tmp", fill("x")); err == nil {
			t.Errorf("%s: a directory that does not exist: no error", kind)
		}
	}
}
