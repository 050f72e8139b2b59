package log_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/sim"
)

// On a full disk nothing is half appended, nothing ends, and work goes on when
// room returns.
func TestFullDiskRefusesAppendsAndGoesOnWhenRoomReturns(t *testing.T) {
	met := make(sim.Coverage)
	for _, seed := range seeds(150) {
		w := newWorld(t, seed, 3)
		w.gaps = seed%2 == 1
		w.must(w.openDir(), "open a new directory")
		weights := w.only("append", "append many", "end transaction", "sync round", "housekeep", "checkpoint", "roll", "retain", "time passes", "read")
		w.run(weights, 40)
		for range 3 {
			w.disk.SetCapacity(w.disk.Used() + w.r.Int64N(6000))
			w.expected = func(err error) bool { return errors.Is(err, log.ErrDiskFull) }
			w.run(weights, 60)
			if err := w.dir.Err(); err != nil {
				w.failf("a full disk takes the directory offline: %v", err)
			}
			w.disk.SetCapacity(1 << 40)
			w.expected = nil
			w.clock.Advance(2 * time.Second)
			w.doHousekeep(nil)
			for _, tw := range w.twins {
				w.doAppend(tw)
				w.readFrom(tw, tw.log.Start(), 1<<30)
			}
			w.doSyncRound(nil)
		}
		w.restart(pick(w.r, afterKill, afterCrash), sim.AnyStyle)
		met.Add(w.disk)
	}
	if missing := met.Missing(sim.NoSpace); whole() && len(missing) > 0 {
		t.Errorf("no run met: %v", missing)
	}
}

// only gives weight to the named ways of a step.
func (w *world) only(names ...string) []int {
	weights := make([]int, len(ways))
	for _, name := range names {
		for i, way := range ways {
			if way.name == name {
				weights[i] = way.weight
			}
		}
	}
	return weights
}

func TestReserveKeepsInternalLogsWritableOnAFullDisk(t *testing.T) {
	for _, seed := range seeds(20) {
		w := newWorld(t, seed, 2)
		const reserve = 64 << 10
		w.opts.Reserve = reserve
		internal, ordinary := w.twins[0], w.twins[1]
		internal.cfg.Internal, ordinary.cfg.Internal = true, false
		w.disk.SetCapacity(4 << 20)
		w.must(w.openDir(), "open a new directory")
		w.append(internal, w.draft(internal, internal.next()).build(w.r))
		w.append(ordinary, w.draft(ordinary, ordinary.next()).build(w.r))
		w.doSyncRound(nil)
		w.disk.SetCapacity(w.disk.Used()) // filled from outside
		w.clock.Advance(2 * time.Second)

		w.expected = func(err error) bool { return errors.Is(err, log.ErrDiskFull) }
		refused := false
		for range 300 {
			refused = !w.append(ordinary, w.draft(ordinary, ordinary.next()).build(w.r)) || refused
		}
		if !refused {
			w.failf("ordinary appends are never refused on a full disk")
		}
		w.expected = nil
		for range 10 {
			w.append(internal, w.draft(internal, internal.next()).build(w.r))
			w.doSyncRound(nil)
		}
		if internal.acked != internal.written {
			w.failf("the internal log is durable below %d of %d on the full disk", internal.acked, internal.written)
		}

		w.disk.SetCapacity(64 << 20)
		w.clock.Advance(2 * time.Second)
		w.doHousekeep(nil)
		w.append(ordinary, w.draft(ordinary, ordinary.next()).build(w.r))
		w.doSyncRound(nil)
		w.restart(afterCrash, sim.Nothing)
	}
}

// A failed sync ends the directory: nothing is appended or called durable any
// more, its owners are told once, and the next process finds all that was
// promised before, also when power fails after what it read.
func TestFailedSyncTakesTheDirectoryOffline(t *testing.T) {
	met := make(sim.Coverage)
	for _, seed := range seeds(300) {
		w := newWorld(t, seed, 1+int(seed%40))
		w.must(w.openDir(), "open a new directory")
		left := 1 + w.r.IntN(40) // syncs until one fails
		w.disk.OnOp(func(op sim.Op) sim.Action {
			switch op.Kind {
			case sim.OpSync, sim.OpSyncDir, sim.OpSyncFS:
				if left--; left == 0 {
					w.step("fails: %s", op)
					w.syncFailed = true
					return sim.Action{Err: syscall.EIO}
				}
			}
			return sim.Action{}
		})
		w.expected = func(err error) bool { return errors.Is(err, log.ErrOffline) || errors.Is(err, syscall.EIO) }
		weights := w.only("append", "append many", "sync round", "housekeep", "checkpoint", "roll", "retain", "time passes")
		for i := 0; i < 50 && !w.syncFailed; i++ {
			w.run(weights, 20)
		}
		if !w.syncFailed {
			w.failf("no sync was ever due")
		}
		w.dirIsOffline()
		w.disk.OnOp(nil)
		w.expected = nil
		w.restart(pick(w.r, afterKill, afterCrash), sim.AnyStyle)
		w.restart(afterCrash, sim.Nothing) // what the last process called durable is on the platter
		met.Add(w.disk)
	}
	if missing := met.Missing(sim.SyncFailed, sim.ForgottenBySync); whole() && len(missing) > 0 {
		t.Errorf("no run met: %v", missing)
	}
}

func (w *world) dirIsOffline() {
	w.t.Helper()
	tw := w.twins[0]
	b := w.draft(tw, tw.next()).build(w.r)
	if _, err := tw.log.Append(&b.h, b.raw); !errors.Is(err, log.ErrOffline) {
		w.failf("append after a failed sync = %v, want offline", err)
	}
	if err := w.dir.SyncRound(); !errors.Is(err, log.ErrOffline) {
		w.failf("sync round after a failed sync = %v, want offline", err)
	}
	if err := w.dir.Err(); !errors.Is(err, log.ErrOffline) || !errors.Is(err, syscall.EIO) {
		w.failf("Err = %v, want offline because of EIO", err)
	}
	if w.offline != len(w.twins) {
		w.failf("%d owners of %d logs were told", w.offline, len(w.twins))
	}
}

// An operation that fails with EIO, whichever it is, costs no promise and
// serves no wrong byte.
func TestFailingOperationsCostNoPromise(t *testing.T) {
	met := make(sim.Coverage)
	for _, seed := range seeds(300) {
		w := newWorld(t, seed, 2)
		w.must(w.openDir(), "open a new directory")
		left := 1 + w.r.IntN(400)
		kind := pick(w.r, sim.OpOpen, sim.OpCreate, sim.OpRead, sim.OpWrite, sim.OpTruncate, sim.OpRename, sim.OpRemove, sim.OpMkdir, sim.OpStat)
		w.disk.OnOp(func(op sim.Op) sim.Action {
			if left--; left <= 0 && op.Kind == kind {
				w.step("fails: %s", op)
				left = 1 << 30
				return sim.Action{Err: syscall.EIO, Keep: op.Len / 2}
			}
			return sim.Action{}
		})
		failed := false
		w.expected = func(err error) bool {
			failed = true
			return errors.Is(err, log.ErrOffline) || errors.Is(err, syscall.EIO)
		}
		weights := w.only("append", "append many", "end transaction", "sync round", "housekeep", "checkpoint", "roll", "advance start", "retain", "time passes", "read")
		for i := 0; i < 200 && !failed; i++ {
			w.run(weights, 1)
		}
		w.disk.OnOp(nil)
		w.expected = nil
		w.restart(afterCrash, sim.AnyStyle)
		w.restart(afterKill, sim.AnyStyle)
		met.Add(w.disk)
	}
	if missing := met.Missing(sim.ReadFailed, sim.WriteFailed, sim.NameFailed); whole() && len(missing) > 0 {
		t.Errorf("no run met: %v", missing)
	}
}

// A disk that acknowledges a sync and forgets, or writes to the wrong place,
// breaks the promise; what is then served must still be what was written there.
func TestLyingDiskIsNeverServedAsTruth(t *testing.T) {
	met := make(sim.Coverage)
	for _, seed := range seeds(300) {
		w := newWorld(t, seed, 2)
		w.opts.VerifyAge = 0
		w.must(w.openDir(), "open a new directory")
		at := 1 + w.r.IntN(60)
		lie := pick(w.r, sim.Action{Lose: true}, sim.Action{Shift: 64}, sim.Action{Shift: -200})
		w.disk.OnOp(func(op sim.Op) sim.Action {
			if op.Kind != sim.OpWrite || op.Len < 61 {
				return sim.Action{}
			}
			if at--; at == 0 {
				w.step("lies: %s", op)
				return lie
			}
			return sim.Action{}
		})
		w.run(w.only("append", "append many", "sync round", "housekeep", "checkpoint", "roll", "time passes"), 120)
		w.disk.OnOp(nil)
		w.disk.Crash()
		w.disk.Restart()
		if err := w.openDir(); err != nil {
			continue // refused is honest
		}
		for _, tw := range w.twins {
			w.readRot(tw)
		}
		met.Add(w.disk)
	}
	if missing := met.Missing(sim.LostWrite, sim.Misdirected); whole() && len(missing) > 0 {
		t.Errorf("no run met: %v", missing)
	}
}

// span is a range of offsets.
type span struct{ from, to int64 }

// readRot reads all that a damaged log serves, compares every byte, and tells
// which offsets it refused as corrupt.
func (w *world) readRot(tw *twin) (refused []span) {
	w.t.Helper()
	to := tw.log.End()
	for offset := tw.log.Start(); offset < to.Offset; {
		s, err := tw.log.Read(offset, to, pick(w.r, 1, 300, 100_000), true)
		if err == nil {
			offset = w.compare(tw, offset, &s)
			continue
		}
		var rot *log.CorruptError
		if !errors.As(err, &rot) {
			w.failf("read %s at %d: %v, want bytes or a *CorruptError", tw.id.Topic, offset, err)
		}
		next := rot.NextOffset
		if next <= offset {
			next = to.Offset
		}
		refused = append(refused, span{offset, next})
		offset = next
	}
	return refused
}

// compare checks a slice against the twin and returns the offset after its last
// whole batch.
func (w *world) compare(tw *twin, offset int64, s *log.Slice) int64 {
	w.t.Helper()
	got := make([]byte, s.Len)
	_, err := s.ReadAt(got, 0)
	s.Release()
	if err != nil && s.Len == 0 {
		w.failf("read %s at %d: %v", tw.id.Topic, offset, err)
	}
	next := offset
	for _, b := range at(tw.batches, offset) {
		n := min(len(got), len(b.raw))
		if n == 0 {
			break
		}
		if string(got[:n]) != string(b.raw[:n]) {
			w.failf("read %s at %d serves bytes that were not written at %d", tw.id.Topic, offset, b.h.BaseOffset)
		}
		if n == len(b.raw) {
			next = b.h.NextOffset()
		}
		got = got[n:]
	}
	if len(got) > 0 || next == offset {
		w.failf("read %s at %d serves %d bytes that were never written", tw.id.Topic, offset, len(got))
	}
	return next
}
