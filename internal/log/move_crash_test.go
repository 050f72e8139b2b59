package log

import (
	"errors"
	"strings"
	"testing"

	"ottla/internal/sim"
)

// moveLife is a life with two moves in it. It goes on as long as the log that
// counts takes batches.
func moveLife(w *twoDirs) {
	l := w.open(w.a)
	if w.append(l, 12) != nil {
		return
	}
	for _, to := range []*Dir{w.b, w.a} {
		next, err := w.move(l, to)
		if err != nil && next == l && l.dir.Err() != nil {
			return
		}
		l = next
		if w.append(l, 6) != nil {
			return
		}
		for _, d := range []*Dir{w.a, w.b} {
			_ = errors.Join(d.Checkpoint(nil), d.Housekeep()) // of a directory that may have failed
		}
		if w.append(l, 2) != nil {
			return
		}
	}
}

// resume does what a start does with what is left of moves, and moves the log
// once more.
func (w *twoDirs) resume(when string, l *Log) {
	w.t.Helper()
	other := w.a
	if l.dir == w.a {
		other = w.b
	}
	for _, d := range []*Dir{w.a, w.b} {
		for _, id := range d.Futures() {
			if d == l.dir {
				if err := d.DropFuture(id); err != nil {
					w.t.Errorf("%s: %v", when, err)
				}
			}
		}
	}
	w.acked.Store(l.End().Offset)
	moved, err := w.move(l, other)
	if err != nil {
		w.t.Errorf("%s: moved again: %v", when, err)
		return
	}
	wantRun(w.t, readAll(w.t, moved, 0), int(moved.End().Offset), 1)
	w.close()
	again := openTwo(w.t, w.fs)
	again.check(when+", at the end", w.acked.Load(), w.acked.Load())
}

// A power cut at every operation of a life with moves: what was promised is in
// the log that the next start finds, and that log can be moved again.
func TestPowerCutsInAMoveLoseNothing(t *testing.T) {
	d := sim.NewDisk(11)
	if err := errors.Join(d.MkdirAll("/a", 0o755), d.MkdirAll("/b", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	type moment struct {
		what         string
		disk         *sim.Disk
		acked, tried int64
	}
	w := openTwo(t, d)
	var moments []moment
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() {
			moments = append(moments, moment{op.String(), d.Clone(uint64(op.Seq)), w.acked.Load(), w.tried.Load()})
		}
		return sim.Action{}
	})
	moveLife(w)
	d.OnOp(nil)
	renames := 0
	for _, m := range moments {
		if strings.Contains(m.what, "-future to ") {
			renames++
		}
		m.disk.Crash()
		m.disk.Restart()
		after := openTwo(t, m.disk)
		after.tried.Store(m.tried + 1)
		if l, ok := after.check("power cut before "+m.what, m.acked, m.tried); ok {
			after.resume("power cut before "+m.what, l)
		}
	}
	if renames != 2 || len(moments) < 200 {
		t.Errorf("%d operations with %d moves ended", len(moments), renames)
	}
}

// A failure at every operation, each in a life of its own, then a power cut: a
// copy that did not make it never counts for more than the log that went on.
func TestFailuresInAMoveLoseNothing(t *testing.T) {
	broken := errors.New("input/output error")
	for at, met := int64(1), true; met; at++ {
		d := sim.NewDisk(uint64(at))
		if err := errors.Join(d.MkdirAll("/a", 0o755), d.MkdirAll("/b", 0o755), d.SyncDir("/")); err != nil {
			t.Fatal(err)
		}
		w := openTwo(t, d)
		seen, what := int64(0), ""
		d.OnOp(func(op sim.Op) sim.Action {
			if !op.Kind.Changes() {
				return sim.Action{}
			}
			if seen++; seen == at {
				what = op.String()
				return sim.Action{Err: broken}
			}
			return sim.Action{}
		})
		moveLife(w)
		d.OnOp(nil)
		met = what != ""
		d.Crash()
		d.Restart()
		after := openTwo(t, d)
		after.tried.Store(w.tried.Load() + 1)
		if l, ok := after.check("failure of "+what, w.acked.Load(), w.tried.Load()); ok {
			after.resume("failure of "+what, l)
		}
	}
}
