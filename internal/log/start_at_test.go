package log

import (
	"fmt"
	"testing"

	"ottla/internal/record"
	"ottla/internal/sim"
)

func TestALogBeginsAgainWhereItIsTold(t *testing.T) {
	for _, to := range []int64{0, 7, 40, 100, 5000} {
		r := newRig(t)
		l := r.log(small)
		fill(t, l, 100, 1)
		if err := r.d.SyncRound(); err != nil {
			t.Fatal(err)
		}
		if err := l.StartAt(to); err != nil {
			t.Fatalf("at %d: %v", to, err)
		}
		check := func(when string) {
			t.Helper()
			if l.Start() != to || l.End().Offset != to || l.Durable().Offset != to || len(l.Epochs().All()) != 0 || l.Lost() {
				t.Fatalf("at %d, %s: [%d, %d), durable %d, epochs %v, lost %v", to, when, l.Start(), l.End().Offset, l.Durable().Offset, l.Epochs().All(), l.Lost())
			}
		}
		check("at once")
		r.reopen()
		l = r.log(small)
		check("after a kill")
		h, b := batch(to, 3, 1_700_000_000_000, 2)
		put(t, l, h, b)
		if err := r.d.SyncRound(); err != nil {
			t.Fatal(err)
		}
		r.reopen()
		l = r.log(small)
		if l.Start() != to || l.End().Offset != to+2 {
			t.Errorf("at %d, with a batch: [%d, %d)", to, l.Start(), l.End().Offset)
		}
	}
}

func TestALogThatNeverHeldAnythingBeginsWhereItIsTold(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	if err := l.StartAt(0); err != nil || r.d.Holds("orders", 0) {
		t.Errorf("a start at 0 makes a directory: %v", err)
	}
	if err := l.StartAt(-1); err == nil {
		t.Error("a log starts below 0")
	}
	if err := l.StartAt(30); err != nil {
		t.Fatal(err)
	}
	r.reopen()
	if l = r.log(small); l.Start() != 30 || l.End().Offset != 30 || l.Lost() {
		t.Errorf("[%d, %d), lost %v, want [30, 30)", l.Start(), l.End().Offset, l.Lost())
	}
}

// TestACrashWhileALogBeginsAgainLeavesABeginningOfIt: at every operation of the disk,
// in every style.
func TestACrashWhileALogBeginsAgainLeavesABeginningOfIt(t *testing.T) {
	for _, to := range []int64{0, 20, 90} {
		for at := 0; ; at++ {
			cut := false
			for style := sim.Nothing; style <= sim.Garbage; style++ {
				cut = crashAtStart(t, to, at, style) || cut
			}
			if !cut {
				break
			}
		}
	}
}

// crashAtStart cuts the power at so manieth operation of StartAt; false when there
// are fewer.
func crashAtStart(t *testing.T, to int64, at int, style sim.Style) (cut bool) {
	t.Helper()
	disk := sim.NewDisk(uint64(at))
	open := func() (*Dir, *Log) {
		t.Helper()
		d, err := OpenDir(DirOptions{FS: disk, Path: "/data"})
		if err != nil {
			t.Fatal(err)
		}
		l, err := d.Open(ident(0), OpenOptions{Config: small})
		if err != nil {
			t.Fatalf("to %d, cut at %d, style %d: %v", to, at, style, err)
		}
		return d, l
	}
	if err := disk.MkdirAll("/data", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := disk.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	d, l := open()
	var want []string
	for i := range 50 {
		h, b := batch(int64(i), int32(i/20), 1_700_000_000_000+int64(i), 1)
		put(t, l, h, b)
		want = append(want, string(b))
	}
	if err := d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	left := at
	disk.OnOp(func(o sim.Op) sim.Action {
		if left--; left < 0 {
			cut = true
			return sim.Action{Cut: true, Keep: o.Len / 2}
		}
		return sim.Action{}
	})
	err := l.StartAt(to)
	disk.OnOp(nil)
	if (err != nil) != cut {
		t.Fatalf("to %d, cut at %d: %v", to, at, err)
	}
	disk.CrashWith(style)
	disk.Restart()
	_, l = open()
	what := fmt.Sprintf("to %d, cut at %d, style %d: [%d, %d), lost %v", to, at, style, l.Start(), l.End().Offset, l.Lost())
	if l.Lost() {
		t.Fatal(what, ": nothing durable is missing")
	}
	if !cut || l.Start() == to && l.End().Offset == to {
		if l.Start() != to || l.End().Offset != to {
			t.Fatal(what, ": it was done")
		}
		return cut
	}
	n := 0
	if err := l.Scan(0, func(_ *record.Header, raw []byte) error {
		if string(raw) != want[n] {
			t.Fatal(what, ": another batch at", n)
		}
		n++
		return nil
	}); err != nil || l.Start() != 0 || int64(n) != l.End().Offset {
		t.Fatal(what, ": no beginning of what was there: ", n, err)
	}
	for _, e := range l.Epochs().All() {
		if e.Start >= l.End().Offset && e.Start > 0 || e.Start != int64(e.Epoch)*20 {
			t.Fatal(what, ": the epochs do not agree: ", l.Epochs().All())
		}
	}
	return cut
}

func TestTheCheckpointKeepsTheHighWatermark(t *testing.T) {
	r := newRig(t)
	high := int64(-1)
	open := func() *Log {
		t.Helper()
		l, err := r.d.Open(ident(0), OpenOptions{Config: small, High: func() int64 { return high }})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	fill(t, l, 10, 1)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct{ told, want int64 }{{-1, -1}, {0, 0}, {7, 7}, {99, 10}} {
		high = w.told
		fill(t, l, 1, 1)
		if err := r.d.Checkpoint(nil); err != nil {
			t.Fatal(err)
		}
		r.reopen()
		if l = open(); l.Remembered() != w.want && !(w.told == 99 && l.Remembered() <= l.End().Offset && l.Remembered() >= 10) {
			t.Errorf("told %d: remembered %d, want %d", w.told, l.Remembered(), w.want)
		}
	}
}
