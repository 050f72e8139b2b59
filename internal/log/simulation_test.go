package log_test

import (
	"errors"
	"testing"

	"ottla/internal/sim"
)

// These tests run the log on the simulated disk, against naive twins of its
// logs. A failure prints its seed, the last steps and the command that replays
// it. More seeds: -sim.runs=N.

// A machine may stop before any operation on its disk. One run is stopped
// before each in turn, by power or by kill; the logs must come back with all
// that was promised, go on, and outlive a second end.
func TestLogSurvivesACutAtEveryOperation(t *testing.T) {
	met := make(sim.Coverage)
	for _, seed := range seeds(8) {
		w := newWorld(t, seed, 3)
		w.gaps = seed%2 == 1
		cuts := 0
		w.disk.OnOp(func(op sim.Op) sim.Action {
			if op.Kind.Changes() {
				cuts++
				w.cutHere(op, met)
			}
			return sim.Action{}
		})
		w.must(w.openDir(), "open a new directory")
		w.run(w.swarm(), 120)
		if cuts < 100 {
			t.Errorf("seed %d: only %d operations to cut at", seed, cuts)
		}
	}
	if missing := met.Missing(sim.Killed, sim.LostPages, sim.KeptPages, sim.TornPage, sim.ZeroTail, sim.GarbageTail,
		sim.LostNames, sim.KeptNames, sim.ReorderedNames); whole() && len(missing) > 0 {
		t.Errorf("no run met: %v", missing)
	}
}

// cutHere checks what would be if the machine stopped before op.
func (w *world) cutHere(op sim.Op, met sim.Coverage) {
	f := w.fork(w.seed<<20 | uint64(op.Seq))
	f.step("cut before %s", op)
	switch f.r.IntN(3) {
	case 0:
		f.restart(afterKill, 0)
	case 1:
		f.restart(afterCrash, sim.Nothing)
	default:
		f.restart(afterCrash, sim.AnyStyle)
	}
	if f.r.IntN(2) == 0 { // else a second end at once: what was read must outlive it
		f.secondLife()
	}
	f.restart(afterCrash, sim.AnyStyle)
	met.Add(f.disk)
}

// secondLife goes on a little after a restart.
func (w *world) secondLife() {
	for _, tw := range w.liveTwins() {
		w.doAppend(tw)
		w.doAppendMany(tw)
	}
	w.doSyncRound(nil)
	for _, tw := range w.liveTwins() {
		w.doAppend(tw)
	}
	if w.r.IntN(2) == 0 {
		w.doCheckpoint(nil)
	}
}

// Runs over several lives, each ended at a random operation or after its work.
func TestLogSurvivesRandomCrashes(t *testing.T) {
	met := make(sim.Coverage)
	for _, seed := range seeds(300) {
		w := newWorld(t, seed, 1+int(seed%4))
		w.gaps = seed%3 == 1
		w.must(w.openDir(), "open a new directory")
		for range 2 + w.r.IntN(4) {
			w.life()
		}
		w.must(w.dir.Close(w.high), "close at the end")
		met.Add(w.disk)
	}
	if missing := met.Missing(sim.PowerCut, sim.Killed, sim.LostPages, sim.KeptPages, sim.TornPage, sim.ZeroTail,
		sim.LostNames, sim.KeptNames, sim.ReorderedNames, sim.ShortWrite); whole() && len(missing) > 0 {
		t.Errorf("no run met: %v", missing)
	}
}

// life is one process: work, perhaps an end in the middle of it, and the start
// of the next.
func (w *world) life() {
	left := 1 + w.r.IntN(600) // operations until the cut
	keep := w.r.Int64N(300)
	w.disk.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() {
			left--
		}
		if left == 0 {
			w.step("cut at %s, keeping %d bytes", op, keep)
		}
		return sim.Action{Cut: left == 0, Keep: keep}
	})
	w.expected = isOff
	w.run(w.swarm(), 20+w.r.IntN(150))
	w.disk.OnOp(nil)
	w.expected = nil
	how := pick(w.r, afterKill, afterCrash)
	w.restart(how, sim.AnyStyle)
	if how == afterKill && w.r.IntN(2) == 0 { // the double fault
		w.restart(afterCrash, sim.AnyStyle)
	}
}

func isOff(err error) bool { return errors.Is(err, sim.ErrOff) }

// After a clean stop the index files of all segments are there and say where
// batches lie.
func TestIndexFilesAgreeWithTheSegmentsAfterACleanStop(t *testing.T) {
	entries := 0
	for _, seed := range seeds(40) {
		w := newWorld(t, seed, 2)
		w.must(w.openDir(), "open a new directory")
		w.run(w.swarm(), 200)
		w.must(w.dir.Close(w.high), "close at the end")
		entries += w.verifyFiles()
	}
	if entries < 100 && whole() {
		t.Errorf("only %d index entries were checked", entries)
	}
}

// The same seed makes the same operations with the same bytes, in several lives
// and with faults.
func TestSameSeedRunsTheLogTheSameWay(t *testing.T) {
	traces := make(map[uint64]bool)
	for _, seed := range seeds(10) {
		run := func() uint64 {
			w := newWorld(t, seed, 3)
			w.gaps = seed%2 == 1
			w.must(w.openDir(), "open a new directory")
			for range 3 {
				w.life()
			}
			return w.disk.Trace()
		}
		first, second := run(), run()
		if first != second {
			t.Errorf("seed %d: two runs give the traces %x and %x", seed, first, second)
		}
		traces[first] = true
	}
	if whole() && len(traces) < 10 {
		t.Errorf("10 seeds give %d traces", len(traces))
	}
}
