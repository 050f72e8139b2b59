package quorum

import (
	"os"
	"path"
	"strings"
	"testing"

	"ottla/internal/log"
	"ottla/internal/vfs"
)

// damage is what may happen to a file.
var damages = map[string]func(t *testing.T, f vfs.FS, name string){
	"deleted": func(t *testing.T, f vfs.FS, name string) {
		if err := f.Remove(name); err != nil {
			t.Fatal(err)
		}
	},
	"emptied":   func(t *testing.T, f vfs.FS, name string) { cut(t, f, name, 0) },
	"truncated": func(t *testing.T, f vfs.FS, name string) { cut(t, f, name, 2) },
	"flipped": func(t *testing.T, f vfs.FS, name string) {
		overwrite(t, f, name, func(b []byte) {
			if len(b) > 0 {
				b[len(b)/2] ^= 2
			}
		})
	},
	"zeroed": func(t *testing.T, f vfs.FS, name string) {
		overwrite(t, f, name, func(b []byte) { clear(b) })
	},
}

func cut(t *testing.T, f vfs.FS, name string, part int64) {
	t.Helper()
	file, err := f.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err == nil && part > 0 {
		err = file.Truncate(size / part)
	} else if err == nil {
		err = file.Truncate(0)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, f vfs.FS, name string, change func([]byte)) {
	t.Helper()
	b, err := readWhole(f, name, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	change(b)
	file, err := f.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
}

// old is a node that lived: 60 topics, snapshots, a clean stop. Nothing of it
// may be lost in silence.
func old(t *testing.T) *vfs.Mem {
	t.Helper()
	f := newMem(t)
	r := mustRig(t, f, 4000)
	for n := range 60 {
		r.do(create{n})
	}
	r.stop()
	return f
}

// reopen opens what is there; a refusal must say what to do.
func reopen(t *testing.T, f vfs.FS) (topics int, err error) {
	t.Helper()
	r, err := openRig(t, f, 4000)
	if err != nil {
		if !strings.Contains(err.Error(), "/data/__cluster_metadata-0") || !(strings.Contains(err.Error(), "backup") || strings.Contains(err.Error(), "put back")) {
			t.Errorf("the refusal does not say what and what to do: %v", err)
		}
		return 0, err
	}
	return r.member.image.TopicCount(), nil
}

// Every file by every damage: the start has all 60 topics or is refused; a
// damaged log is never a shorter or an empty one.
func TestDamageIsRefusedOrMended(t *testing.T) {
	kinds := map[string]struct {
		find   func(names []string) []string
		mended bool // by design: the node starts with everything
	}{
		"quorum-state":      {func(n []string) []string { return pick(n, stateName, 1) }, false},
		"newest snapshot":   {func(n []string) []string { return pick(n, ".checkpoint", 1) }, true},
		"older snapshot":    {func(n []string) []string { return pick(n, ".checkpoint", 2)[:1] }, true},
		"all snapshots":     {func(n []string) []string { return pick(n, ".checkpoint", 2) }, false},
		"newest segment":    {func(n []string) []string { return pick(n, ".log", 1) }, false},
		"all segments":      {func(n []string) []string { return pick(n, ".log", 99) }, false},
		"log and snapshots": {func(n []string) []string { return append(pick(n, ".log", 99), pick(n, ".checkpoint", 2)...) }, false},
		"everything in it":  {func(n []string) []string { return n }, false},
		"indexes":           {func(n []string) []string { return append(pick(n, ".index", 99), pick(n, ".timeindex", 99)...) }, true},
	}
	for kind, k := range kinds {
		for how, damage := range damages {
			t.Run(kind+" "+how, func(t *testing.T) {
				f := old(t)
				for _, name := range k.find(files(t, f)) {
					damage(t, f, path.Join(rigPath, dirName, name))
				}
				n, err := reopen(t, f)
				switch {
				case err == nil && n != 60:
					t.Errorf("the node started with %d topics of 60", n)
				case err == nil && !k.mended:
					t.Errorf("the node started on a damaged %s", kind)
				case err != nil && k.mended:
					t.Errorf("the start is refused: %v", err)
				}
			})
		}
	}
}

// pick finds the last n names with a suffix.
func pick(names []string, suffix string, n int) []string {
	var out []string
	for _, name := range names {
		if strings.HasSuffix(name, suffix) {
			out = append(out, name)
		}
	}
	return out[max(len(out)-n, 0):]
}

// The whole metadata directory gone, with partitions of topics still there:
// that is not a fresh node.
func TestLostMetadataIsNotAFreshNode(t *testing.T) {
	f := old(t)
	if err := f.RemoveAll(path.Join(rigPath, dirName)); err != nil {
		t.Fatal(err)
	}
	d, err := log.OpenDir(log.DirOptions{FS: f, Path: rigPath})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Make(log.Ident{Topic: "orders", Partition: 0, ID: dirB}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, f); err == nil {
		t.Error("the node started anew over partitions that it would call strays")
	}
}

func TestOlderCopyOfAFileIsFound(t *testing.T) {
	for _, name := range []string{stateName, "log"} {
		t.Run(name, func(t *testing.T) {
			f := newMem(t)
			r := mustRig(t, f, 0)
			r.do(create{0})
			r.stop()
			dir := path.Join(rigPath, dirName)
			file := path.Join(dir, name)
			if name == "log" {
				file = path.Join(dir, pick(files(t, f), ".log", 1)[0])
			}
			before, err := readWhole(f, file, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			r = mustRig(t, f, 0)
			r.do(create{1})
			r.stop()
			overwrite(t, f, file, func([]byte) {})
			w, err := f.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.WriteAt(before, 0); err != nil {
				t.Fatal(err)
			}
			w.Close()
			if n, err := reopen(t, f); err == nil {
				t.Errorf("the node started with %d topics on an older copy", n)
			}
		})
	}
}

func TestForeignMetadataIsRefused(t *testing.T) {
	f := old(t)
	for name, change := range map[string]func(*Options){
		"another cluster":   func(o *Options) { o.ClusterID = "D" },
		"another node":      func(o *Options) { o.NodeID = 2 },
		"another directory": func(o *Options) { o.DirectoryID = dirB },
	} {
		t.Run(name, func(t *testing.T) {
			r := &rig{t: t, fs: f, machine: &catalogue{}}
			var err error
			if r.dir, err = log.OpenDir(log.DirOptions{FS: f, Path: rigPath}); err != nil {
				t.Fatal(err)
			}
			o := r.options(0)
			change(o)
			if _, err := Open(*o); err == nil || !strings.Contains(err.Error(), "put back") {
				t.Errorf("got %v, want a refusal that says what to do", err)
			}
		})
	}
}
