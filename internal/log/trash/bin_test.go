package trash

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"ottla/internal/vfs"
)

var epoch = time.UnixMilli(1_700_000_000_000)

// disk has the files and trees that are named; trees end in a slash.
func disk(t *testing.T, names ...string) vfs.FS {
	t.Helper()
	fsys := vfs.NewMem(0)
	for _, n := range names {
		if n[len(n)-1] == '/' {
			if err := fsys.MkdirAll(n+"inner", 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		f, err := fsys.OpenFile(n, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fsys
}

func there(fsys vfs.FS, name string) bool {
	_, err := fsys.Stat(name)
	return err == nil
}

func TestWhatIsDueGoesWhenTheCheckpointIsWritten(t *testing.T) {
	fsys := disk(t, "/soon", "/later", "/tree/", "/unsaved")
	var b Bin
	b.Add(Item{Path: "/soon", Due: epoch})
	b.Add(Item{Path: "/later", Due: epoch.Add(time.Minute)})
	b.Add(Item{Path: "/tree", Tree: true})
	b.Add(Item{Path: "/unsaved", After: 7})
	b.Empty(fsys, epoch, 6, slog.New(slog.DiscardHandler))
	for name, want := range map[string]bool{"/soon": false, "/later": true, "/tree": false, "/unsaved": true} {
		if there(fsys, name) != want {
			t.Errorf("%s is there: %t", name, !want)
		}
		if b.Holds(name) != want {
			t.Errorf("%s waits: %t", name, !want)
		}
	}
	b.Empty(fsys, epoch.Add(time.Minute), 7, slog.New(slog.DiscardHandler))
	if there(fsys, "/later") || there(fsys, "/unsaved") {
		t.Error("what is due by now is still there")
	}
}

func TestAllIsKeptUntilACheckpoint(t *testing.T) {
	fsys := disk(t, "/a")
	var b Bin
	b.Add(Item{Path: "/a"})
	b.KeepUntil(3)
	b.Empty(fsys, epoch, 2, slog.New(slog.DiscardHandler))
	if !there(fsys, "/a") {
		t.Error("it went before the checkpoint was written")
	}
}

func TestWhatLiesInADirectoryGoesWithIt(t *testing.T) {
	var b Bin
	b.Add(Item{Path: "/data/orders-1/0.log.deleted"})
	b.Add(Item{Path: "/data/orders-10/0.log.deleted"})
	b.Forget("/data/orders-1/")
	if b.Holds("/data/orders-1/0.log.deleted") || !b.Holds("/data/orders-10/0.log.deleted") {
		t.Error("forgot the wrong one")
	}
}

func TestWhatCanNotBeRemovedIsTriedAgain(t *testing.T) {
	fsys := stubborn{disk(t, "/a")}
	var b Bin
	b.Add(Item{Path: "/a"})
	b.Add(Item{Path: "/gone"}) // somebody else took it: nothing to do
	b.Empty(fsys, epoch, 0, slog.New(slog.DiscardHandler))
	if !b.Holds("/a") || b.Holds("/gone") {
		t.Errorf("waiting: a %t, gone %t", b.Holds("/a"), b.Holds("/gone"))
	}
	b.Empty(fsys.FS, epoch.Add(again/2), 0, slog.New(slog.DiscardHandler))
	if !there(fsys, "/a") {
		t.Error("tried again before its time")
	}
	b.Empty(fsys.FS, epoch.Add(again), 0, slog.New(slog.DiscardHandler))
	if there(fsys, "/a") {
		t.Error("never tried again")
	}
}

// stubborn removes nothing.
type stubborn struct{ vfs.FS }

func (s stubborn) Remove(name string) error {
	if _, err := s.FS.Stat(name); err != nil {
		return err
	}
	return &os.PathError{Op: "remove", Path: name, Err: os.ErrPermission}
}
