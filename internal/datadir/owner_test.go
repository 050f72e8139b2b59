package datadir

import (
	"errors"
	"path/filepath"
	"testing"

	"ottla/internal/vfs"
)

func TestTheOwnerIsKnownWhileTheDirectoryIsHeld(t *testing.T) {
	dir, f := t.TempDir(), vfs.NewOS()
	held, err := Open(f, dir, Options{NodeID: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	got, err := Owner(f, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.ClusterID != held.ClusterID || got.NodeID != 7 || got.DirectoryID != held.DirectoryID {
		t.Errorf("got %+v, want that of %+v", got, held)
	}
	if err := got.Close(); err != nil {
		t.Errorf("close what was not taken: %v", err)
	}
}

func TestADirectoryWithoutASoundMarkHasNoOwner(t *testing.T) {
	dir, f := t.TempDir(), vfs.NewOS()
	for want, path := range map[Kind]string{Foreign: dir, Damaged: filepath.Join(dir, "damaged")} {
		if want == Damaged {
			if err := f.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := writeFile(f, filepath.Join(path, markName), []byte("node.id=1\n")); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Owner(f, path)
		var refused *Refused
		if !errors.As(err, &refused) || refused.Kind != want || refused.Advice == "" {
			t.Errorf("%s: %v, want kind %d", path, err, want)
		}
	}
}
