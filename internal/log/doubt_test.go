package log

import (
	"errors"
	"os"
	"strings"
	"testing"

	"ottla/internal/log/layout"
	"ottla/internal/sim"
	"ottla/internal/vfs"
)

// keeping opens the log as one whose owner settles doubts.
func (r *rig) keeping() *Log {
	r.t.Helper()
	l, err := r.d.Open(ident(0), OpenOptions{Config: big, KeepDoubts: true})
	if err != nil {
		r.t.Fatalf("open log: %v", err)
	}
	return l
}

// suspect is a log of ten batches, all below its recovery point, whose file was changed,
// or with nil removed, before it is opened again.
func suspect(t *testing.T, change func(b []byte) []byte) *rig {
	t.Helper()
	r := newRig(t)
	fill(t, r.keeping(), 10, 1)
	if err := errors.Join(r.d.SyncRound(), r.d.Checkpoint(nil)); err != nil {
		t.Fatal(err)
	}
	name := layout.FileName(0, layout.Log)
	b := change(r.read(name))
	if b == nil {
		if err := r.fs.Remove("/data/orders-0/" + name); err != nil {
			t.Fatal(err)
		}
	} else {
		r.write(name, b)
	}
	r.reopen()
	return r
}

func torn(b []byte) []byte { return append(b, "no batch"...) }

// rotten has a damaged batch in the middle, whose producer a recovery does not see.
func rotten(b []byte) []byte {
	b[len(b)/2] ^= 1
	return b
}

func short(b []byte) []byte { return b[:len(b)/2] }
func gone([]byte) []byte    { return nil }

// TestADoubtOutlivesTheProcess: until it is settled, whether the process is killed or
// stops, and whatever checkpoints come between.
func TestADoubtOutlivesTheProcess(t *testing.T) {
	for what, c := range map[string]struct {
		change func([]byte) []byte
		want   doubts
	}{
		"bytes that are no batch": {torn, doubts{end: true}},
		"a damaged batch":         {rotten, doubts{true, true}},
		"a lost end":              {short, doubts{true, true}},
		"a lost file":             {gone, doubts{true, true}},
	} {
		t.Run(what, func(t *testing.T) {
			r := suspect(t, c.change)
			is := func(when string, l *Log, want doubts) {
				t.Helper()
				if got := (doubts{l.Doubted(), l.Lost()}); got != want {
					t.Errorf("%s: %+v, want %+v", when, got, want)
				}
			}
			is("at first", r.keeping(), c.want)
			for range 2 {
				r.reopen()
				is("after a kill", r.keeping(), c.want)
				if err := r.d.Checkpoint(nil); err != nil {
					t.Fatal(err)
				}
				r.reopen()
				is("after a checkpoint and a kill", r.keeping(), c.want)
				if err := r.d.Close(nil); err != nil {
					t.Fatal(err)
				}
				r.reopen()
				is("after a stop", r.keeping(), c.want)
			}
			r.reopen()
			l := r.keeping()
			if err := errors.Join(l.Trust(), l.Trust()); err != nil {
				t.Fatal(err)
			}
			r.reopen()
			l = r.keeping()
			is("when its end was trusted", l, doubts{lost: c.want.lost})
			if err := l.StartAt(0); err != nil || l.Lost() {
				t.Fatalf("begun again: %v, lost %v", err, l.Lost())
			}
			fill(t, l, 3, 1)
			r.reopen()
			is("when it began again", r.keeping(), doubts{})
			if _, err := r.fs.Stat("/data/orders-0/" + doubtName); !missing(err) {
				t.Errorf("the file is there still: %v", err)
			}
		})
	}
}

// TestALogWhoseOwnerSettlesNoDoubtsKeepsNone: nobody would ever take the file away.
func TestALogWhoseOwnerSettlesNoDoubtsKeepsNone(t *testing.T) {
	r := suspect(t, torn)
	if l := r.log(big); !l.Doubted() || l.Trust() != nil {
		t.Error("its end is not in doubt")
	}
	if _, err := r.fs.Stat("/data/orders-0/" + doubtName); !missing(err) {
		t.Errorf("there is a file: %v", err)
	}
}

// TestADamagedNoteOfDoubtsSaysTheWorst: and is brought in order as soon as somebody
// settles something.
func TestADamagedNoteOfDoubtsSaysTheWorst(t *testing.T) {
	r := suspect(t, func(b []byte) []byte { return b })
	r.write(doubtName, []byte("version: 0\nend: perhaps\n"))
	l := r.keeping()
	if !l.Doubted() || !l.Lost() {
		t.Errorf("in doubt %v, lost %v", l.Doubted(), l.Lost())
	}
	if err := l.Trust(); err != nil || string(r.read(doubtName)) != "version: 0\nend: false\nlost: true\n" {
		t.Errorf("%v, the file says %q", err, r.read(doubtName))
	}
}

// TestAnEmptyLogThatLostSomethingBeginsAgainWhereItIs: or whoever fetches for it would
// try for ever.
func TestAnEmptyLogThatLostSomethingBeginsAgainWhereItIs(t *testing.T) {
	r := suspect(t, gone)
	l := r.keeping()
	if err := l.StartAt(l.End().Offset); err != nil || l.Lost() {
		t.Fatalf("%v, lost %v", err, l.Lost())
	}
	r.reopen()
	if l = r.keeping(); l.Lost() || l.Start() != 10 || l.End().Offset != 10 {
		t.Errorf("[%d, %d), lost %v", l.Start(), l.End().Offset, l.Lost())
	}
}

// TestADoubtGoesWhereTheLogGoes: into another directory.
func TestADoubtGoesWhereTheLogGoes(t *testing.T) {
	w := openTwo(t, vfs.NewMem(1<<30))
	if err := w.append(w.open(w.a), 4); err != nil {
		t.Fatal(err)
	}
	(&rig{t: t, fs: w.fs}).appendTo("/a/orders-0/"+layout.FileName(0, layout.Log), "no batch")
	w = openTwo(t, w.fs)
	keep := OpenOptions{Config: tiny, KeepDoubts: true}
	l, err := w.a.Open(ident(0), keep)
	if err != nil || !l.Doubted() {
		t.Fatalf("%v, in doubt %v", err, l.Doubted())
	}
	m, err := l.BeginMove(w.b)
	for err == nil && m.Behind() > 0 {
		_, err = m.Advance()
	}
	if err != nil {
		t.Fatal(err)
	}
	if l, err = m.Finish(keep); err != nil || !l.Doubted() {
		t.Fatalf("%v, in doubt %v", err, l.Doubted())
	}
	if err := m.Retire(); err != nil {
		t.Fatal(err)
	}
	w = openTwo(t, w.fs)
	if l, err = w.b.Open(ident(0), keep); err != nil || !l.Doubted() || l.End().Offset != 4 {
		t.Fatalf("after a kill: %v, in doubt %v, ends at %d", err, l.Doubted(), l.End().Offset)
	}
	if err := l.Trust(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.fs.Stat("/b/orders-0/" + doubtName); !missing(err) {
		t.Errorf("the file is there still: %v", err)
	}
}

// appendTo puts bytes behind those of a file.
func (r *rig) appendTo(name, bytes string) {
	r.t.Helper()
	f, err := r.fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Size()
	if err == nil {
		_, err = f.WriteAt([]byte(bytes), size)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestNoPowerCutEndsADoubt: of a log whose acknowledged end was damaged the power is cut
// at every operation of the recovery that cuts it, in every style, and of the start after
// that. Whenever it is opened it ends where it had acknowledged, or is in doubt.
func TestNoPowerCutEndsADoubt(t *testing.T) {
	disk := sim.NewDisk(7)
	if err := errors.Join(disk.MkdirAll("/data", 0o755), disk.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	life := func(disk *sim.Disk) (*Dir, *Log, error) {
		d, err := OpenDir(DirOptions{FS: disk, Path: "/data"})
		if err != nil {
			return nil, nil, err
		}
		l, err := d.Open(ident(0), OpenOptions{Config: big, KeepDoubts: true})
		return d, l, err
	}
	d, l, err := life(disk)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, l, 3, 1)
	err = errors.Join(d.SyncRound(), d.Checkpoint(nil))
	fill(t, l, 3, 1)
	err = errors.Join(err, d.SyncRound())
	file := "/data/orders-0/" + layout.FileName(0, layout.Log)
	content, ferr := disk.Content(file)
	if err = errors.Join(err, ferr); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.FlipAny(file, int64(len(content))*2/3+1, int64(len(content))); err != nil {
		t.Fatal(err)
	}
	disk.CrashWith(sim.Nothing)
	disk.Restart()

	type moment struct {
		what string
		disk *sim.Disk
	}
	moments := func(disk *sim.Disk, do func()) (all []moment) {
		disk.OnOp(func(op sim.Op) sim.Action {
			if op.Kind.Changes() {
				all = append(all, moment{op.String(), disk.Clone(uint64(op.Seq))})
			}
			return sim.Action{}
		})
		do()
		disk.OnOp(nil)
		return all
	}
	cuts := 0
	for _, m := range moments(disk, func() { _, _, err = life(disk) }) {
		if strings.Contains(m.what, "truncate "+file) {
			cuts++
		}
		for style := sim.Nothing; style <= sim.Garbage; style++ {
			after := m.disk.Clone(uint64(style))
			after.CrashWith(style)
			after.Restart()
			d, l, err := life(after)
			if err != nil {
				t.Fatalf("power cut before %s, style %d: %v", m.what, style, err)
			}
			if l.End().Offset < 6 && !l.Doubted() {
				t.Errorf("power cut before %s, style %d: it ends at %d, and nobody doubts it", m.what, style, l.End().Offset)
			}
			if err := d.Checkpoint(nil); err != nil {
				t.Fatal(err)
			}
			after.CrashWith(style)
			after.Restart()
			if _, l, err = life(after); err != nil || l.End().Offset < 6 && !l.Doubted() {
				t.Errorf("and again after a power cut before %s, style %d: %v, it ends at %d, in doubt %v", m.what, style, err, l.End().Offset, l.Doubted())
			}
		}
	}
	if err != nil || cuts == 0 {
		t.Errorf("the recovery cut the log %d times: %v", cuts, err)
	}
}

func FuzzDoubts(f *testing.F) {
	for _, s := range []string{"version: 0\nend: true\nlost: false\n", "version: 0\nend: true\nlost: false", "version: 1\nend: true\nlost: true\n", "version: 0\nend: true\n", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := parseDoubts(b)
		if !ok && d != (doubts{}) {
			t.Fatalf("%q gives %+v, %v", b, d, ok)
		}
		if again, ok2 := parseDoubts(appendDoubts(nil, d)); !ok2 || again != d {
			t.Fatalf("%+v is written and read as %+v, %v", d, again, ok2)
		}
	})
}
