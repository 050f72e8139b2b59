package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"ottla/internal/vfs"
)

// scribble does a run of random operations, going on after errors.
func scribble(d *Disk, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	p := &player{fs: d, root: "/"}
	for range 300 {
		p.play(drawMove(r))
	}
}

func TestSameSeedGivesTheSameTraceAndTheSameBytes(t *testing.T) {
	run := func(seed uint64) (uint64, string) {
		d := NewDisk(seed)
		r := rand.New(rand.NewPCG(seed, 3))
		d.OnOp(func(op Op) Action {
			switch r.IntN(60) {
			case 0:
				return Action{Err: syscall.EIO, Keep: 10}
			case 1:
				return Action{Lose: true}
			case 2:
				return Action{Cut: true, Keep: 100}
			}
			return Action{}
		})
		for range 5 {
			scribble(d, seed)
			d.Crash()
			d.Restart()
		}
		var all strings.Builder
		for _, name := range d.Files() {
			b, err := d.Content(name)
			must(t, err)
			fmt.Fprintf(&all, "%s %x\n", name, sum(b))
		}
		return d.Trace(), all.String()
	}
	traces := make(map[uint64]bool)
	for seed := range uint64(20) {
		trace, bytes := run(seed)
		again, bytesAgain := run(seed)
		if trace != again || bytes != bytesAgain {
			t.Errorf("seed %d: two runs differ: trace %x and %x\n%s\n%s", seed, trace, again, bytes, bytesAgain)
		}
		traces[trace] = true
	}
	if len(traces) != 20 {
		t.Errorf("20 seeds gave %d traces", len(traces))
	}
}

func TestCutStopsTheMachineBeforeTheOperation(t *testing.T) {
	d := NewDisk(1)
	f := open(t, d, "/f")
	must(t, d.SyncFS("/"))
	d.OnOp(func(op Op) Action { return Action{Cut: op.Kind == OpWrite && op.Off == 3} })
	write(t, f, "abc", 0)
	if n, err := f.WriteAt([]byte("def"), 3); n != 0 || !errors.Is(err, ErrOff) {
		t.Errorf("the write at the cut = %d, %v", n, err)
	}
	_, errRead := f.ReadAt(make([]byte, 1), 0)
	_, errOpen := d.OpenFile("/g", 0, 0)
	_, errLock := d.Lock("/l")
	_, errList := d.ReadDir("/")
	_, errUsage := d.Usage("/")
	_, errSize := f.Size()
	for what, err := range map[string]error{
		"read": errRead, "open": errOpen, "lock": errLock, "list": errList, "usage": errUsage, "size": errSize,
		"sync": f.Sync(), "truncate": f.Truncate(0), "allocate": f.Allocate(0, 1), "mkdir": d.MkdirAll("/d", 0),
		"remove": d.Remove("/f"), "rename": d.Rename("/f", "/g"), "syncdir": d.SyncDir("/"), "syncfs": d.SyncFS("/"),
	} {
		if !errors.Is(err, ErrOff) {
			t.Errorf("%s after the cut = %v, want %v", what, err, ErrOff)
		}
	}
	d.CrashWith(Everything)
	d.Restart()
	if got := content(t, d, "/f"); got != "abc" {
		t.Errorf("after the crash %q, want abc", got)
	}
	if d.Hits()[PowerCut] != 1 {
		t.Errorf("hits %v, want one power cut", d.Hits())
	}
}

func TestCutInTheMiddleOfAWriteKeepsItsStart(t *testing.T) {
	d := NewDisk(1)
	f := open(t, d, "/f")
	must(t, d.SyncFS("/"))
	d.OnOp(func(op Op) Action { return Action{Cut: op.Kind == OpWrite, Keep: 2} })
	if n, err := f.WriteAt([]byte("abcdef"), 0); n != 2 || !errors.Is(err, ErrOff) {
		t.Errorf("WriteAt = %d, %v, want 2, off", n, err)
	}
	d.Kill()
	if got := content(t, d, "/f"); got != "ab" {
		t.Errorf("after the kill %q, want ab", got)
	}
}

func TestHookFailsAndShortensWrites(t *testing.T) {
	d := NewDisk(1)
	f := open(t, d, "/f")
	d.OnOp(func(op Op) Action {
		if op.Kind == OpWrite {
			return Action{Err: syscall.ENOSPC, Keep: 4}
		}
		return Action{}
	})
	n, err := f.WritevAt([][]byte{[]byte("abc"), []byte("def")}, 0)
	if n != 4 || !vfs.NoSpace(err) {
		t.Errorf("WritevAt = %d, %v, want 4, no space", n, err)
	}
	if got := content(t, d, "/f"); got != "abcd" {
		t.Errorf("content %q, want abcd", got)
	}
}

func TestFullDiskWritesWhatFitsAndHonoursReservedRoom(t *testing.T) {
	d := NewDisk(1)
	d.SetCapacity(8 * SectorSize)
	f, g := open(t, d, "/f"), open(t, d, "/g")
	must(t, f.Allocate(0, 4*SectorSize))
	n, err := g.WriteAt(make([]byte, 5*SectorSize), 0)
	if n != 4*SectorSize || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write = %d, %v, want %d, ENOSPC", n, err, 4*SectorSize)
	}
	if err := g.Allocate(0, 5*SectorSize); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Allocate on the full disk = %v", err)
	}
	if u, err := d.Usage("/"); u.Free != 0 || u.Total != 8*SectorSize || err != nil {
		t.Errorf("Usage = %+v, %v", u, err)
	}
	if n, err := f.WriteAt(make([]byte, 4*SectorSize), 0); n != 4*SectorSize || err != nil {
		t.Errorf("write into reserved room = %d, %v", n, err)
	}
	if n, err := g.WriteAt(make([]byte, SectorSize), 0); n != SectorSize || err != nil {
		t.Errorf("write over old bytes = %d, %v", n, err)
	}
	must(t, d.Remove("/f"))
	if u, _ := d.Usage("/"); u.Free != 0 {
		t.Errorf("a removed file that is open gave back %d bytes", u.Free)
	}
	must(t, f.Close())
	if u, _ := d.Usage("/"); u.Free != 4*SectorSize {
		t.Errorf("after its close %d bytes free, want %d", u.Free, 4*SectorSize)
	}
	if d.Hits()[NoSpace] != 2 {
		t.Errorf("hits %v, want the disk full twice", d.Hits())
	}
}

func TestUsedIsTheSumOfAllFiles(t *testing.T) {
	for seed := range uint64(40) {
		d := NewDisk(seed)
		d.SetCapacity(600_000)
		for range 3 {
			scribble(d, seed)
			d.Crash()
			var want int64
			for _, name := range d.Files() {
				want += sectors(int64(len(content(t, d, name))))
			}
			if got := d.Used(); got != want {
				t.Fatalf("seed %d: used %d, want %d", seed, got, want)
			}
			d.Restart()
		}
	}
}

func TestLostAndMisdirectedWritesShowAfterTheCacheIsGone(t *testing.T) {
	for _, c := range []struct {
		name   string
		action Action
		want   string
	}{
		{"lost", Action{Lose: true}, "aaaa\x00\x00\x00\x00"},
		{"misdirected", Action{Shift: -4}, "bbbb\x00\x00\x00\x00"},
	} {
		d := NewDisk(1)
		f := open(t, d, "/f")
		write(t, f, "aaaa", 0)
		d.OnOp(func(op Op) Action {
			if op.Kind == OpWrite {
				return c.action
			}
			return Action{}
		})
		write(t, f, "bbbb", 4)
		must(t, d.SyncFS("/"))
		if got := content(t, d, "/f"); got != "aaaabbbb" {
			t.Errorf("%s: programs read %q", c.name, got)
		}
		d.CrashWith(Nothing)
		if got := content(t, d, "/f"); got != c.want {
			t.Errorf("%s: after the crash %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLyingSyncsLoseWhatTheyAcknowledged(t *testing.T) {
	d := NewDisk(1)
	f := open(t, d, "/f")
	d.OnOp(func(op Op) Action { return Action{Lose: true} })
	must(t, errors.Join(f.Sync(), d.SyncDir("/"), d.SyncFS("/")))
	d.CrashWith(Nothing)
	if got := d.Files(); len(got) != 0 {
		t.Errorf("files %v survived", got)
	}
	if n := d.Hits()[LyingSync]; n != 3 {
		t.Errorf("%d lies counted, want 3", n)
	}
}

func TestDamagesReachThePlatter(t *testing.T) {
	d := NewDisk(1)
	f := open(t, d, "/f")
	write(t, f, "0123456789", 0)
	must(t, d.SyncFS("/"))
	old := content(t, d, "/f")
	check := func(what, want string) {
		t.Helper()
		b, err := d.OnDisk("/f")
		if got := content(t, d, "/f"); got != want || string(b) != want || err != nil {
			t.Errorf("%s: %q on the platter, %q read, want %q (%v)", what, b, got, want, err)
		}
	}
	must(t, d.Flip("/f", 1, 3))
	check("flip", "0923456789")
	must(t, d.Zero("/f", 8, 100))
	check("zero", "09234567\x00\x00")
	must(t, d.Shorten("/f", 4))
	check("shorten", "0923")
	must(t, d.PutBack("/f", []byte(old)))
	check("put back", old)
	must(t, d.Rubbish("/f", 0, 10))
	if got := content(t, d, "/f"); got == old || len(got) != 10 {
		t.Errorf("rubbish: %q", got)
	}
	must(t, d.PutBack("/f", []byte(old)))
	at, err := d.FlipAny("/f", 4, 6)
	if b := content(t, d, "/f"); err != nil || at < 4 || at > 5 || b[at] == old[at] {
		t.Errorf("FlipAny at %d, %v: %q", at, err, b)
	}
	must(t, d.Delete("/f"))
	if got := d.Files(); len(got) != 0 {
		t.Errorf("delete: files %v", got)
	}
	for what, err := range map[string]error{"flip": d.Flip("/f", 0, 0), "delete": d.Delete("/f")} {
		if err == nil {
			t.Errorf("%s of a file that is not there succeeded", what)
		}
	}
	c := make(Coverage)
	c.Add(d)
	if got := c.Missing(FlippedBit, DamagedRange, ShortenedFile, StaleFile, DeletedFile); len(got) != 0 {
		t.Errorf("faults not counted: %v", got)
	}
	if got := c.Missing(NoSpace); len(got) != 1 {
		t.Error("a fault that was never met is not missing")
	}
}

func TestCloneGoesItsOwnWay(t *testing.T) {
	for seed := range uint64(30) {
		d := NewDisk(seed)
		scribble(d, seed)
		c := d.Clone(seed + 1)
		for _, name := range d.Files() {
			if content(t, d, name) != content(t, c, name) {
				t.Fatalf("seed %d: the clone's %s differs", seed, name)
			}
		}
		before, trace := fmt.Sprint(d.Files()), d.Trace()
		scribble(c, seed+2)
		c.Crash()
		if after := fmt.Sprint(d.Files()); after != before || d.Trace() != trace {
			t.Fatalf("seed %d: what happened to the clone shows in the disk", seed)
		}
		twin := d.Clone(7)
		d.seed(7)
		d.Crash()
		twin.Crash()
		if a, b := fmt.Sprint(d.Files()), fmt.Sprint(twin.Files()); a != b {
			t.Fatalf("seed %d: equal seeds, but a crash left\n%s\nand of the clone\n%s", seed, a, b)
		}
		for _, name := range d.Files() {
			if content(t, d, name) != content(t, twin, name) {
				t.Fatalf("seed %d: after equal crashes %s differs", seed, name)
			}
		}
	}
}

func TestHookMayCloneTheDisk(t *testing.T) {
	d := NewDisk(1)
	var sizes []int
	d.OnOp(func(op Op) Action {
		if op.Kind == OpWrite {
			b, err := d.Clone(1).Content("/f")
			must(t, err)
			sizes = append(sizes, len(b))
		}
		return Action{}
	})
	f := open(t, d, "/f")
	for i := range 3 {
		write(t, f, "x", int64(i))
	}
	if got := fmt.Sprint(sizes); got != "[0 1 2]" {
		t.Errorf("sizes before each write %s, want [0 1 2]", got)
	}
}

func TestReadsEndWithTheFile(t *testing.T) {
	d := NewDisk(1)
	f := open(t, d, "/f")
	write(t, f, "hello", 3)
	p := make([]byte, 10)
	if n, err := f.ReadAt(p, 0); n != 8 || err != io.EOF || !bytes.Equal(p[:n], []byte("\x00\x00\x00hello")) {
		t.Errorf("ReadAt = %d, %v, %q", n, err, p[:n])
	}
	if n, err := f.ReadAt(p, 8); n != 0 || err != io.EOF {
		t.Errorf("ReadAt the end = %d, %v", n, err)
	}
	if fd, ok := f.Fd(); ok || f.Name() != "/f" {
		t.Errorf("Fd = %d, %v; Name = %s", fd, ok, f.Name())
	}
}

func TestRandomRunsMeetEveryFault(t *testing.T) {
	c := make(Coverage)
	for seed := range uint64(80) {
		d := NewDisk(seed)
		d.SetCapacity(400_000)
		r := rand.New(rand.NewPCG(seed, 4))
		d.OnOp(func(op Op) Action {
			switch r.IntN(80) {
			case 0:
				return Action{Err: syscall.EIO, Keep: 100}
			case 1:
				return Action{Lose: true}
			case 2:
				return Action{Shift: 512}
			case 3:
				return Action{Cut: r.IntN(8) == 0}
			}
			return Action{}
		})
		scribble(d, seed)
		if seed%2 == 0 {
			d.Kill()
			d.Restart()
		}
		d.Crash()
		c.Add(d)
	}
	if got := c.Missing(PowerCut, Killed, SyncFailed, ReadFailed, WriteFailed, NameFailed, AllocateFailed, NoSpace,
		ShortWrite, LostWrite, LyingSync, Misdirected, LostPages, KeptPages, TornPage, ZeroTail, GarbageTail,
		LostNames, KeptNames, ReorderedNames, ForgottenBySync); len(got) != 0 {
		t.Errorf("never met: %v", got)
	}
}

func TestClockMovesOnlyWhenTold(t *testing.T) {
	c := NewClock(time.UnixMilli(1000))
	if first, second := c.Now(), c.Now(); first != second {
		t.Error("the clock moved by itself")
	}
	c.Advance(time.Second)
	if got := c.Now().UnixMilli(); got != 2000 {
		t.Errorf("after a second it shows %d", got)
	}
	c.Set(time.UnixMilli(5))
	if got := c.Now().UnixMilli(); got != 5 {
		t.Errorf("set back it shows %d", got)
	}
	d := NewDisk(1)
	d.UseClock(c.Now)
	open(t, d, "/f")
	if fi, err := d.Stat("/f"); err != nil || !fi.ModTime().Equal(c.Now()) {
		t.Errorf("Stat = %v, %v", fi, err)
	}
}
