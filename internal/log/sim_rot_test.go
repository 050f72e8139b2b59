package log_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ottla/internal/log"
	"ottla/internal/sim"
)

// damaged is a way to hurt a file.
type damage struct {
	name string
	do   func(w *world, file string, size int64) error
}

var damages = []damage{
	{"a flipped bit", func(w *world, file string, size int64) error {
		_, err := w.disk.FlipAny(file, 0, max(size, 1))
		return err
	}},
	{"zeros", func(w *world, file string, size int64) error { return w.disk.Zero(file, 0, size) }},
	{"zeros at the end", func(w *world, file string, size int64) error { return w.disk.Zero(file, size/2, size) }},
	{"rubbish", func(w *world, file string, size int64) error { return w.disk.Rubbish(file, 0, size) }},
	{"no bytes", func(w *world, file string, size int64) error { return w.disk.Shorten(file, 0) }},
	{"a lost end", func(w *world, file string, size int64) error { return w.disk.Shorten(file, size*2/3) }},
	{"no file", func(w *world, file string, size int64) error { return w.disk.Delete(file) }},
}

// settled makes a world with several closed segments, indexes, snapshots and
// checkpoints, ended by how.
func settled(t *testing.T, seed uint64, how ending) *world {
	w := newWorld(t, seed, 2)
	w.opts.VerifyAge = 0
	for _, tw := range w.twins {
		tw.cfg.SegmentBytes, tw.cfg.IndexIntervalBytes = 2<<10, 300
		tw.cfg.RetentionAge, tw.cfg.RetentionBytes, tw.cfg.Durability = 0, 0, log.Fsync
	}
	w.must(w.openDir(), "open a new directory")
	weights := w.only("append", "append many", "end transaction", "sync round", "checkpoint", "housekeep", "roll", "new epoch", "advance start", "time passes")
	w.run(weights, 200)
	w.doSyncRound(nil)
	if how == afterClean {
		w.must(w.dir.Close(w.high), "close")
		w.disk.CrashWith(sim.Nothing)
	} else {
		w.doCheckpoint(nil)
		w.disk.CrashWith(sim.Everything)
	}
	return w
}

// derivable tells whether a file can be made again from the others.
func derivable(name string) bool {
	for _, suffix := range []string{".index", ".timeindex", ".txnindex", ".snapshot", "/leader-epoch-checkpoint", "/partition.metadata"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return name == simPath+"/recovery-point-offset-checkpoint" || name == simPath+"/replication-offset-checkpoint" ||
		name == simPath+"/log-start-offset-checkpoint"
}

// Every derivable file is hurt in every way, one after the other: the log
// serves everything, and knows its epochs, producers, transactions and times.
func TestDerivableFilesAreRebuilt(t *testing.T) {
	kinds := make(map[string]bool)
	for _, seed := range seeds(2) {
		for _, how := range []ending{afterClean, afterCrash} {
			w := settled(t, seed, how)
			for _, file := range w.disk.Files() {
				if !derivable(file) {
					continue
				}
				kinds[file[strings.LastIndexAny(file, "./"):]] = true
				for _, d := range damages {
					f := w.fork(seed)
					f.disk.Restart()
					f.hurt(d, file)
					err := f.openDir()
					if errors.Is(err, log.ErrWrongTopic) && strings.HasSuffix(file, ".metadata") {
						continue // it reads as the id of another topic
					}
					f.must(err, "open with a damaged "+file)
					f.verify(how)
				}
			}
		}
	}
	for _, kind := range []string{".index", ".timeindex", ".txnindex", ".snapshot", "/leader-epoch-checkpoint", ".metadata"} {
		if whole() && !kinds[kind] {
			t.Errorf("no run had a %s file", kind)
		}
	}
}

// All derivable files are gone at once.
func TestAllDerivableFilesAtOnceAreRebuilt(t *testing.T) {
	for _, seed := range seeds(20) {
		w := settled(t, seed, afterClean)
		w.disk.Restart()
		for _, file := range w.disk.Files() {
			if derivable(file) && !strings.HasSuffix(file, "/partition.metadata") {
				w.must(w.disk.Delete(file), "delete "+file)
			}
		}
		w.must(w.openDir(), "open without derivable files")
		w.verify(afterClean)
	}
}

func (w *world) hurt(d damage, file string) {
	b, err := w.disk.Content(file)
	w.must(err, "read "+file)
	w.step("%s in %s (%d bytes)", d.name, file, len(b))
	w.must(d.do(w, file, int64(len(b))), "damage "+file)
}

// Bytes of records that rot are found and never served, and the rest is.
func TestRotInRecordsIsFoundAndNeverServed(t *testing.T) {
	found := 0
	for _, seed := range seeds(12) {
		w := settled(t, seed, afterClean)
		for _, file := range w.disk.Files() {
			size := w.sizeOf(file)
			if !strings.HasSuffix(file, ".log") || size == 0 {
				continue
			}
			for n := range 25 {
				f := w.fork(seed<<8 | uint64(n))
				f.disk.Restart()
				f.hurt(damages[0], file)
				f.must(f.openDir(), "open with rot in "+file)
				f.rotIsFound(file)
				found++
			}
		}
	}
	if found < 100 && whole() {
		t.Errorf("only %d bits flipped", found)
	}
}

func (w *world) sizeOf(file string) int64 {
	b, err := w.disk.Content(file)
	w.must(err, "read "+file)
	return int64(len(b))
}

// rotIsFound: one batch is refused, a scrub or a read says so, and no other
// batch is touched.
func (w *world) rotIsFound(file string) {
	w.t.Helper()
	for _, tw := range w.twins {
		mine := strings.HasPrefix(file, fmt.Sprintf("%s/%s-%d/", simPath, tw.id.Topic, tw.id.Partition))
		if end := tw.log.End().Offset; end != tw.written {
			w.failf("%s ends at %d, want %d: rot below the recovery point was cut", tw.id.Topic, end, tw.written)
		}
		refused := w.readRot(tw)
		switch {
		case !mine && len(refused) > 0:
			w.failf("%s refuses %v, but the rot is in %s", tw.id.Topic, refused, file)
		case mine && len(refused) == 0 && !w.rotBelowStart(tw, file):
			w.failf("%s serves everything in spite of the rot in %s", tw.id.Topic, file)
		}
		for _, s := range refused {
			if last := w.segmentOf(tw, s.to-1); !strings.HasSuffix(file, fmt.Sprintf("/%020d.log", last)) || w.segmentOf(tw, s.from) != last {
				w.failf("%s refuses %v, more than the segment with the rot, %s", tw.id.Topic, s, file)
			}
		}
	}
}

// rotBelowStart tells whether the damaged bytes may lie below the log start.
func (w *world) rotBelowStart(tw *twin, file string) bool {
	var base int64
	if _, err := fmt.Sscanf(file[strings.LastIndexByte(file, '/')+1:], "%020d.log", &base); err != nil {
		w.failf("%s is no segment: %v", file, err)
	}
	return tw.log.Start() > base && base <= w.segmentOf(tw, tw.log.Start())
}

// segmentOf is the base of the segment that holds an offset.
func (w *world) segmentOf(tw *twin, offset int64) int64 {
	base := int64(0)
	for _, file := range w.disk.Files() {
		var b int64
		dir := fmt.Sprintf("%s/%s-%d/", simPath, tw.id.Topic, tw.id.Partition)
		if name, ok := strings.CutPrefix(file, dir); ok && strings.HasSuffix(name, ".log") {
			if _, err := fmt.Sscanf(name, "%020d.log", &b); err == nil && b <= offset {
				base = max(base, b)
			}
		}
	}
	return base
}

// A closed segment that loses bytes is found out: nothing wrong is served, and
// what is missing is not passed over in silence.
func TestDamagedSegmentsAreNeverServedWrong(t *testing.T) {
	for _, seed := range seeds(5) {
		for _, how := range []ending{afterClean, afterCrash} {
			w := settled(t, seed, how)
			for _, file := range w.disk.Files() {
				if !strings.HasSuffix(file, ".log") || w.sizeOf(file) == 0 {
					continue
				}
				for _, d := range damages {
					f := w.fork(seed)
					f.disk.Restart()
					f.hurt(d, file)
					f.damageIsKnown(file)
				}
			}
		}
	}
}

func (w *world) damageIsKnown(file string) {
	w.t.Helper()
	if err := w.openDir(); err != nil {
		return // refused is honest
	}
	for _, tw := range w.twins {
		mine := strings.HasPrefix(file, fmt.Sprintf("%s/%s-%d/", simPath, tw.id.Topic, tw.id.Partition))
		refused := w.readRot(tw)
		var rot *log.CorruptError
		known := len(refused) > 0 || errors.As(tw.log.Scrub(), &rot) || tw.log.RecoveryReport() != nil
		if !mine && known {
			w.failf("%s is called damaged (%v refused, %+v), but the damage is in %s", tw.id.Topic, refused, tw.log.RecoveryReport(), file)
		}
		if mine && !known && !w.rotBelowStart(tw, file) {
			w.failf("%s says nothing of the damage in %s", tw.id.Topic, file)
		}
	}
}

// An old version of a checkpoint or of a closed segment's files comes back.
func TestStaleFilesCostNoPromise(t *testing.T) {
	for _, seed := range seeds(40) {
		w := newWorld(t, seed, 2)
		for _, tw := range w.twins {
			tw.cfg.Durability = log.Fsync
		}
		w.must(w.openDir(), "open a new directory")
		weights := w.only("append", "append many", "end transaction", "sync round", "checkpoint", "housekeep", "roll", "new epoch", "time passes")
		w.run(weights, 60)
		w.doCheckpoint(nil)
		old := make(map[string][]byte)
		for _, file := range w.disk.Files() {
			b, err := w.disk.Content(file)
			w.must(err, "read "+file)
			old[file] = b
		}
		w.run(weights, 60)
		w.doSyncRound(nil)
		w.doCheckpoint(nil)
		w.disk.Crash()
		for _, file := range w.disk.Files() {
			if b, ok := old[file]; ok && !strings.HasSuffix(file, ".log") {
				f := w.fork(seed)
				f.disk.Restart()
				f.step("old version of %s", file)
				f.must(f.disk.PutBack(file, b), "put back")
				f.must(f.openDir(), "open with an old "+file)
				f.verify(afterCrash)
			}
		}
	}
}
