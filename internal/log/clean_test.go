package log_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/log/compact/model"
	"ottla/internal/log/layout"
	"ottla/internal/log/note"
	"ottla/internal/record"
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
	cuts, swaps, merged := 0, 0, 0
	for _, seed := range seeds(3) {
		r := rand.New(rand.NewPCG(seed, 4))
		y := newLaundry(t, seed, shape(r), tiny(r))
		for round := range 3 {
			y.write(15 + r.IntN(25))
			y.must(y.dir.SyncRound())
			c := y.cfg
			c.SegmentBytes *= 1 + int64(round)*2 // several become one
			y.log.Configure(c)
			if r.IntN(2) == 0 {
				y.must(y.dir.Checkpoint(nil))
			}
			first := uint64(0)
			y.disk.OnOp(func(op sim.Op) sim.Action {
				if !op.Kind.Changes() {
					return sim.Action{}
				}
				// What survives of names is what matters most.
				times := 1
				if swapping(op) {
					times = 3
				} else if cuts%3 > 0 {
					times = 0
				}
				cuts++
				for range times {
					first++
					y.comeBack(y.disk.Clone(seed<<16+first), op, first%8 == 0)
				}
				return sim.Action{}
			})
			done, err := y.clean(cleaner(1 + r.IntN(60)))
			y.disk.OnOp(nil)
			y.must(err)
			y.log.Configure(y.cfg)
			swaps += done.Into
			merged += done.Segments - done.Into
			y.check(true)
		}
	}
	if whole() && (cuts < 500 || swaps < 10 || merged < 10) {
		t.Errorf("%d cuts in %d swaps, %d segments merged: too few to mean anything", cuts, swaps, merged)
	}
}

// swapping tells whether an operation belongs to putting a cleaned segment in
// its place.
func swapping(op sim.Op) bool {
	return op.Kind == sim.OpSyncDir || strings.Contains(op.Name, layout.Swap) || strings.Contains(op.To, layout.Swap) ||
		strings.Contains(op.To, layout.Deleted) || op.Kind == sim.OpRemove
}

// comeBack opens the log after a power cut on a copy of the disk. While that
// finishes a swap the power goes again, if asked to.
func (y *laundry) comeBack(disk *sim.Disk, at sim.Op, again bool) {
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
	again = again && slices.ContainsFunc(disk.Files(), func(name string) bool { return strings.HasSuffix(name, layout.Log+layout.Swap) })
	disk.OnOp(func(op sim.Op) sim.Action {
		if again && swapping(op) && strings.HasPrefix(op.Name, "/data/accounts-0") {
			y.comeBack(disk.Clone(uint64(op.Seq)*7919+uint64(at.Seq)), op, false)
		}
		return sim.Action{}
	})
	z.open()
	disk.OnOp(nil)
	roofs := z.log.Roofs()
	z.c.Cleaned(y.h.NowMs, roofs[len(roofs)-1], 0)
	z.check(false)
	z.checkFiles()
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

// checkFiles tells whether no two segments on disk hold the same offsets.
func (y *laundry) checkFiles() {
	y.t.Helper()
	last, before := int64(0), ""
	for _, name := range y.disk.Files() {
		if !strings.HasSuffix(name, ".log") || !strings.HasPrefix(name, "/data/accounts-0/") {
			continue
		}
		b, err := y.disk.Content(name)
		y.must(err)
		if base, _, _ := layout.ParseFileName(name[len("/data/accounts-0/"):]); base < last {
			y.t.Fatalf("%s begins below %d, where %s ends", name, last, before)
		}
		for {
			h, _, rest, err := record.Next(b)
			if err != nil {
				break
			}
			last, before, b = h.NextOffset(), name, rest
		}
	}
}
