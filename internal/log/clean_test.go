package log_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ottla/internal/log/compact/model"
	"ottla/internal/log/note"
	"ottla/internal/sim"
)

// shapes are histories of every kind.
func shape(r *rand.Rand) model.Options {
	return model.Options{Keys: 1 + r.IntN(25), Producers: r.IntN(5), Codecs: r.IntN(3) == 0, NullKeys: r.IntN(2) == 0}
}

// After every cleaning, restart and power cut a consumer sees what the rules
// allow, and look-ups find their way over the gaps.
func TestACleanedLogShowsWhatTheRulesAllow(t *testing.T) {
	for _, seed := range seeds(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			y := newLaundry(t, seed, shape(r), tiny(r))
			for range 4 + r.IntN(8) {
				y.write(1 + r.IntN(40))
				y.h.NowMs += r.Int64N(3000)
				switch r.IntN(6) {
				case 0:
					y.restart(true)
				case 1:
					y.restart(false)
				case 2:
					y.must(y.dir.Checkpoint(nil))
					y.must(y.dir.Housekeep())
				}
				_, err := y.clean(cleaner(1 + r.IntN(60)))
				y.must(err)
				y.check(true)
			}
			for line := range strings.Lines(y.said.String()) {
				if !strings.Contains(line, "checkpoint file is damaged") { // Kafka's text files, after a power cut
					t.Errorf("it complained: %s", line)
				}
			}
		})
	}
}

// Whatever operation of a cleaning the power goes at, and whatever of the rest
// survives, the log that comes back is good, and the next cleaning finishes.
func TestAPowerCutAtAnyStepOfACleaningLeavesAGoodLog(t *testing.T) {
	cuts, swaps := 0, 0
	for _, seed := range seeds(3) {
		r := rand.New(rand.NewPCG(seed, 4))
		y := newLaundry(t, seed, shape(r), tiny(r))
		for range 2 {
			y.write(40 + r.IntN(40))
			y.must(y.dir.SyncRound())
			if r.IntN(2) == 0 {
				y.must(y.dir.Checkpoint(nil))
			}
			first := uint64(0)
			y.disk.OnOp(func(op sim.Op) sim.Action {
				if !op.Kind.Changes() {
					return sim.Action{}
				}
				first++
				cuts++
				y.comeBack(y.disk.Clone(seed<<16+first), op)
				return sim.Action{}
			})
			done, err := y.clean(cleaner(1 + r.IntN(60)))
			y.disk.OnOp(nil)
			y.must(err)
			swaps += done.Into
			y.check(true)
		}
	}
	if whole() && (cuts < 500 || swaps < 20) {
		t.Errorf("%d cuts in %d swaps: too few to mean anything", cuts, swaps)
	}
}

// comeBack opens the log after a power cut on a copy of the disk.
func (y *laundry) comeBack(disk *sim.Disk, at sim.Op) {
	y.t.Helper()
	disk.Crash()
	disk.Restart()
	c := *y.c
	z := &laundry{t: y.t, r: rand.New(rand.NewPCG(uint64(at.Seq), 8)), disk: disk, cfg: y.cfg, h: y.h, c: c.Clone()}
	defer func() {
		if y.t.Failed() {
			y.t.Logf("the power went before %v", at)
		}
	}()
	z.open()
	roofs := z.log.Roofs()
	z.c.Cleaned(y.h.NowMs, roofs[len(roofs)-1], 0)
	z.check(false)
	if _, err := z.clean(cleaner(100)); err != nil {
		y.t.Fatalf("clean again: %v", err)
	}
	z.check(false)
	z.must(z.log.Scrub())
}

// What a coordinator noted beside the log knows nothing of the tombstones that
// go, so it goes first; with nothing to change it stays.
func TestANoteIsDroppedBeforeRecordsGo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	cfg := tiny(r)
	cfg.DeleteRetention = time.Hour
	y := newLaundry(t, 1, model.Options{Keys: 5}, cfg)
	y.write(60)
	y.must(y.dir.SyncRound())
	y.must(y.log.Note().Keep([]byte("state"), 10))
	y.disk.OnOp(func(op sim.Op) sim.Action {
		if op.Kind == sim.OpRename && strings.HasSuffix(op.To, ".swap") {
			if b, err := y.log.Note().Read(100); err != nil || b != nil {
				t.Errorf("at the swap the note is %q, %v", b, err)
			}
		}
		return sim.Action{}
	})
	done, err := y.clean(cleaner(100))
	y.must(err)
	if done.Dropped == 0 {
		t.Fatal("nothing was dropped")
	}
	if err := y.log.Note().Keep([]byte("old"), done.To-1); !errors.Is(err, note.ErrStale) {
		t.Errorf("a note about what was compacted: %v, want %v", err, note.ErrStale)
	}
	y.must(y.log.Note().Keep([]byte("new"), done.To))
}
