package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"ottla/internal/vfs"
)

func open(t *testing.T, d vfs.FS, name string) vfs.File {
	t.Helper()
	f, err := d.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, f vfs.File, s string, off int64) {
	t.Helper()
	if _, err := f.WriteAt([]byte(s), off); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, d *Disk, name string) string {
	t.Helper()
	b, err := d.Content(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSyncedBytesAndNamesOutliveEveryCrash(t *testing.T) {
	for style := Nothing; style < numStyles; style++ {
		for seed := range uint64(50) {
			d := NewDisk(seed)
			must(t, d.MkdirAll("/a/b", 0o755))
			f := open(t, d, "/a/b/f")
			write(t, f, strings.Repeat("x", 10_000), 0)
			must(t, errors.Join(f.Sync(), d.SyncDir("/a/b"), d.SyncDir("/a"), d.SyncDir("/")))
			write(t, f, strings.Repeat("y", 9_000), 10_000)
			g := open(t, d, "/a/b/g")
			write(t, g, "unsynced", 0)
			must(t, d.Rename("/a/b/g", "/a/g"))
			d.CrashWith(style)
			d.Restart()
			if got := content(t, d, "/a/b/f"); !strings.HasPrefix(got, strings.Repeat("x", 10_000)) {
				t.Fatalf("style %d, seed %d: synced bytes are gone", style, seed)
			}
			d.CrashWith(Nothing)
			d.Restart()
			if got := content(t, d, "/a/b/f"); !strings.HasPrefix(got, strings.Repeat("x", 10_000)) {
				t.Fatalf("style %d, seed %d: synced bytes are gone after a second crash", style, seed)
			}
		}
	}
}

func TestNamesAreLostWithoutSyncOfEveryDirectoryAboveThem(t *testing.T) {
	for _, c := range []struct {
		name string
		sync []string
		want string
	}{
		{"none", nil, ""},
		{"only the file's directory", []string{"/a/b"}, ""},
		{"but the root", []string{"/a/b", "/a"}, ""},
		{"all but the file's", []string{"/a", "/"}, ""},
		{"all", []string{"/a/b", "/a", "/"}, "/a/b/f"},
	} {
		d := NewDisk(1)
		must(t, d.MkdirAll("/a/b", 0o755))
		must(t, open(t, d, "/a/b/f").Sync())
		for _, dir := range c.sync {
			must(t, d.SyncDir(dir))
		}
		d.CrashWith(Nothing)
		if got := strings.Join(d.Files(), " "); got != c.want {
			t.Errorf("synced %s: files %q, want %q", c.name, got, c.want)
		}
	}
}

func TestKillKeepsThePageCacheAndACrashAfterItLosesIt(t *testing.T) {
	d := NewDisk(1)
	f := open(t, d, "/f")
	write(t, f, "synced", 0)
	must(t, errors.Join(f.Sync(), d.SyncDir("/")))
	write(t, f, " not", 6)
	l, err := d.Lock("/lock")
	must(t, err)
	d.Kill()
	if _, err := d.Stat("/f"); !errors.Is(err, ErrOff) {
		t.Errorf("Stat before Restart = %v, want %v", err, ErrOff)
	}
	d.Restart()
	if err := f.Sync(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Sync by the dead process = %v, want %v", err, fs.ErrClosed)
	}
	if got := content(t, d, "/f"); got != "synced not" {
		t.Errorf("after Kill %q, want all that was written", got)
	}
	if _, err := d.Lock("/lock"); err != nil {
		t.Errorf("lock after its holder died: %v", err)
	}
	if err := l.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		t.Error(err)
	}
	if _, err := d.Lock("/lock"); !errors.Is(err, vfs.ErrLocked) {
		t.Errorf("the dead holder's Close gave the new lock away: %v", err)
	}
	d.CrashWith(Nothing)
	if got := content(t, d, "/f"); got != "synced" {
		t.Errorf("after Kill and Crash %q, want only what was synced", got)
	}
}

func TestSyncAfterKillMakesTheOldProcessBytesDurable(t *testing.T) {
	d := NewDisk(1)
	write(t, open(t, d, "/f"), "left in the cache", 0)
	d.Kill()
	d.Restart()
	f := open(t, d, "/f")
	must(t, errors.Join(f.Sync(), d.SyncDir("/")))
	d.CrashWith(Nothing)
	if got := content(t, d, "/f"); got != "left in the cache" {
		t.Errorf("after the crash %q", got)
	}
}

func TestSyncFSMakesEverythingDurable(t *testing.T) {
	d := NewDisk(1)
	must(t, d.MkdirAll("/a/b", 0o755))
	write(t, open(t, d, "/a/b/f"), "one", 0)
	write(t, open(t, d, "/g"), "two", 0)
	must(t, d.Rename("/g", "/a/g"))
	must(t, d.SyncFS("/"))
	d.CrashWith(Nothing)
	if got := content(t, d, "/a/b/f") + content(t, d, "/a/g"); got != "onetwo" {
		t.Errorf("after the crash %q", got)
	}
}

// Every unit of the platter holds its bytes as they were at some moment since
// the last sync, and the size is one that the file had.
func TestCrashLeavesMomentsOfEachUnitAndOfTheSize(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 9))
		d := NewDisk(seed)
		f := open(t, d, "/f")
		must(t, d.SyncDir("/"))
		moments := [][]byte{{}}
		for range 2 + r.IntN(20) {
			b := bytes.Repeat([]byte{byte(1 + r.IntN(255))}, 1+r.IntN(9000))
			off := r.Int64N(20_000)
			write(t, f, string(b), off)
			moments = append(moments, []byte(content(t, d, "/f")))
			if r.IntN(5) == 0 {
				must(t, f.Sync())
				moments = moments[len(moments)-1:]
			}
		}
		style := Prefix + Style(r.IntN(3)) // without garbage
		d.CrashWith(style)
		got := []byte(content(t, d, "/f"))
		if !slices.ContainsFunc(moments, func(m []byte) bool { return len(m) == len(got) }) {
			t.Fatalf("seed %d: size %d was never the file's", seed, len(got))
		}
		unit := map[Style]int64{Prefix: int64(len(got)) + 1, AnyPages: PageSize, AnySectors: SectorSize}[style]
		for from := int64(0); from < int64(len(got)); from += unit {
			to := min(from+unit, int64(len(got)))
			if !slices.ContainsFunc(moments, func(m []byte) bool { return sameRange(m, got, from, to) }) {
				t.Fatalf("seed %d, style %d: bytes [%d,%d) are of no moment", seed, style, from, to)
			}
		}
	}
}

func TestBytesCutByATruncationThatSurvivedDoNotComeBack(t *testing.T) {
	for seed := range uint64(200) {
		d := NewDisk(seed)
		f := open(t, d, "/f")
		write(t, f, strings.Repeat("a", 6000), 0)
		must(t, errors.Join(f.Sync(), d.SyncDir("/")))
		must(t, f.Truncate(1000))
		write(t, f, strings.Repeat("b", 500), 3000)
		d.CrashWith(AnySectors)
		got := content(t, d, "/f")
		switch len(got) {
		case 6000: // the truncation did not survive
		case 1000:
			if got != strings.Repeat("a", 1000) {
				t.Fatalf("seed %d: wrong bytes below the cut", seed)
			}
		case 3500:
			if strings.Contains(got[1000:], "a") {
				t.Fatalf("seed %d: bytes above the cut came back", seed)
			}
		default:
			t.Fatalf("seed %d: size %d was never the file's", seed, len(got))
		}
	}
}

func TestNamesSurviveInAnOrderThatMakesSense(t *testing.T) {
	seen := make(map[string]bool)
	for seed := range uint64(300) {
		d := NewDisk(seed)
		write(t, open(t, d, "/old"), "old", 0)
		must(t, d.SyncFS("/"))
		f := open(t, d, "/tmp")
		write(t, f, "new", 0)
		must(t, f.Sync())
		must(t, d.Rename("/tmp", "/old"))
		open(t, d, "/other")
		must(t, d.Remove("/other"))
		open(t, d, "/last")
		d.Crash()
		files := d.Files()
		state := fmt.Sprint(files, content(t, d, "/old"))
		seen[state] = true
		if slices.Contains(files, "/tmp") && content(t, d, "/old") == "new" {
			t.Fatalf("seed %d: %s: a renamed file has both names", seed, state)
		}
	}
	for _, want := range []string{
		"[/old]old", "[/last /old]old", "[/old /tmp]old", "[/old]new", "[/last /old]new", "[/old /other]old",
		"[/last /old /other]old", "[/last /old /other /tmp]old", "[/last /old /other]new",
	} {
		if !seen[want] {
			t.Errorf("no crash left %s", want)
		}
	}
}

func TestFailedSyncForgetsWhatItDidNotWrite(t *testing.T) {
	eio := errors.New("input/output error")
	lost := 0
	for seed := range uint64(100) {
		d := NewDisk(seed)
		f := open(t, d, "/f")
		must(t, d.SyncDir("/"))
		write(t, f, strings.Repeat("a", 8192), 0)
		d.OnOp(func(op Op) Action {
			if op.Kind == OpSync {
				return Action{Err: eio}
			}
			return Action{}
		})
		if err := f.Sync(); !errors.Is(err, eio) {
			t.Fatalf("Sync = %v, want %v", err, eio)
		}
		d.OnOp(nil)
		if got := content(t, d, "/f"); got != strings.Repeat("a", 8192) {
			t.Fatal("programs no longer read what they wrote")
		}
		must(t, f.Sync()) // believes that all is well
		d.Kill()          // the cache outlives the process,
		d.Restart()
		must(t, open(t, d, "/f").Sync()) // and the next one is told the same
		d.CrashWith(Nothing)
		if got := content(t, d, "/f"); got != strings.Repeat("a", 8192) {
			lost++
		}
	}
	if lost < 50 {
		t.Errorf("a failed sync lost bytes in %d of 100 runs, want most", lost)
	}
}

func TestWritingAgainMendsWhatAFailedSyncForgot(t *testing.T) {
	d := NewDisk(3)
	f := open(t, d, "/f")
	must(t, d.SyncDir("/"))
	write(t, f, strings.Repeat("a", 8192), 0)
	d.OnOp(func(op Op) Action { return Action{Err: errors.New("EIO")} })
	if f.Sync() == nil {
		t.Fatal("the sync did not fail")
	}
	d.OnOp(nil)
	write(t, f, "b", 100) // one byte makes its whole page dirty again
	write(t, f, strings.Repeat("a", 4096), 4096)
	must(t, f.Sync())
	d.CrashWith(Nothing)
	want := strings.Repeat("a", 100) + "b" + strings.Repeat("a", 8192-101)
	if got := content(t, d, "/f"); got != want {
		t.Error("what was written again after a failed sync is not on the platter")
	}
}

func TestRemovedFilesMayComeBackUntilTheirDirectoryIsSynced(t *testing.T) {
	for _, synced := range []bool{false, true} {
		d := NewDisk(1)
		write(t, open(t, d, "/f"), "x", 0)
		must(t, d.SyncFS("/"))
		must(t, d.Remove("/f"))
		if synced {
			must(t, d.SyncDir("/"))
		}
		d.CrashWith(Nothing)
		if got := len(d.Files()) == 1; got == synced {
			t.Errorf("synced %v: file there %v", synced, got)
		}
	}
}
