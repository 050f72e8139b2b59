package log_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/log/compact/model"
	"ottla/internal/record"
	"ottla/internal/sim"
)

// beside runs a cleaning and does something at every pause of it.
func (y *laundry) beside(keys int, do func(pause int)) (log.Cleaned, error) {
	y.t.Helper()
	c, pause := cleaner(keys), 0
	c.Pace = func(int) error {
		do(pause)
		pause++
		return nil
	}
	return y.clean(c)
}

// Readers that hold bytes keep them, look-ups find the log as it was or as it
// is, and appends go on, at every pause of a cleaning.
func TestReadersAndWritersGoOnWhileALogIsCleaned(t *testing.T) {
	pauses := 0
	for _, seed := range seeds(20) {
		r := rand.New(rand.NewPCG(seed, 6))
		y := newLaundry(t, seed, shape(r), tiny(r))
		y.write(80)
		y.c.H = y.h
		type kept struct {
			s log.Slice
			b []byte
		}
		var held []kept
		_, err := y.beside(1+r.IntN(60), func(pause int) {
			offset := y.log.Start() + r.Int64N(y.log.End().Offset)
			s, err := y.log.Read(offset, y.log.End(), 500, true)
			y.must(err)
			b := make([]byte, s.Len)
			if s.Len > 0 {
				_, err = s.ReadAt(b, 0)
				y.must(err)
			}
			held = append(held, kept{s, b})
			_, _, err = y.log.LookupTime(y.h.NowMs-r.Int64N(2000), y.log.End())
			y.must(err)
			_, err = y.log.Aborted(offset, y.log.End().Offset)
			y.must(err)
			if pause%3 == 0 {
				y.append(y.h.Next())
			}
			if pause%7 == 0 {
				y.must(y.dir.SyncRound())
				y.must(y.dir.Housekeep())
				y.must(y.dir.Checkpoint(nil))
			}
		})
		y.must(err)
		pauses += len(held)
		for _, k := range held {
			b := make([]byte, k.s.Len)
			if len(b) > 0 {
				_, err := k.s.ReadAt(b, 0)
				y.must(err)
			}
			if !slices.Equal(b, k.b) {
				t.Fatalf("seed %d: the bytes that a reader holds changed", seed)
			}
			k.s.Release()
		}
		y.check(true)
		y.restart(seed%2 == 0)
		y.check(true)
	}
	if whole() && pauses < 500 {
		t.Errorf("%d pauses: too few to mean anything", pauses)
	}
}

// A truncation or retention that comes between wins; the cleaning ends and the
// next one is right.
func TestACleaningGivesWayToTruncationAndRetention(t *testing.T) {
	for _, seed := range seeds(30) {
		r := rand.New(rand.NewPCG(seed, 7))
		cfg := tiny(r)
		y := newLaundry(t, seed, model.Options{Keys: 9}, cfg)
		y.write(80)
		y.must(y.dir.SyncRound())
		at := r.IntN(60)
		done, err := y.beside(100, func(pause int) {
			if pause != at {
				return
			}
			if seed%2 == 0 {
				y.must(y.log.AdvanceStart(y.log.End().Offset / 2))
				_, err := y.log.Retain(y.log.End().Offset)
				y.must(err)
				return
			}
			cut := y.log.End().Offset * 3 / 4
			y.must(y.log.TruncateTo(cut))
			y.h.TruncateTo(y.log.End().Offset)
		})
		y.must(err)
		y.write(40)
		if seed%2 == 1 && done.To > y.h.End() {
			t.Fatalf("seed %d: clean up to %d", seed, done.To)
		}
		y.c.Cleaned(y.h.NowMs, y.h.End(), 0)
		y.check(false)
		if done, err = y.clean(cleaner(1000)); err != nil || done.To == done.From {
			t.Fatalf("seed %d: the cleaning after that got from %d to %d, %v", seed, done.From, done.To, err)
		}
		y.check(true)
		y.restart(true)
		y.check(true)
	}
}

func TestClosingALogEndsItsCleaning(t *testing.T) {
	for _, end := range []string{"close", "delete", "close directory"} {
		r := rand.New(rand.NewPCG(3, 3))
		y := newLaundry(t, 3, model.Options{Keys: 9}, tiny(r))
		y.write(100)
		var wg sync.WaitGroup
		closed := errors.New("not yet")
		_, err := y.beside(100, func(pause int) {
			if pause != 10 {
				return
			}
			began := make(chan struct{})
			wg.Go(func() {
				close(began)
				switch end {
				case "close":
					closed = y.log.Close()
				case "delete":
					closed = y.dir.Delete(y.log)
				default:
					closed = y.dir.Close(nil)
				}
			})
			<-began
			y.log.AwaitStopping()
		})
		wg.Wait()
		if !errors.Is(err, log.ErrClosed) || closed != nil {
			t.Errorf("%s: the cleaning says %v, want %v; the end says %v", end, err, log.ErrClosed, closed)
		}
		if _, err := y.log.BeginCleaning(y.h.Stable()); !errors.Is(err, log.ErrClosed) {
			t.Errorf("%s: another cleaning begins: %v", end, err)
		}
		if end == "close" {
			y.disk.Kill()
			y.disk.Restart()
			y.open()
			y.check(false)
		}
	}
}

func TestOnlyOneCleansALog(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	y := newLaundry(t, 3, model.Options{Keys: 9}, tiny(r))
	if _, err := y.log.BeginCleaning(0); !errors.Is(err, log.ErrNothingToClean) {
		t.Errorf("an empty log: %v", err)
	}
	y.write(50)
	k, err := y.log.BeginCleaning(y.h.Stable())
	y.must(err)
	if _, err := y.log.BeginCleaning(y.h.Stable()); !errors.Is(err, log.ErrNothingToClean) {
		t.Errorf("beside another: %v", err)
	}
	_, err = y.finish(k, cleaner(100))
	y.must(err)
	stop := errors.New("enough")
	y.write(50)
	c := cleaner(100)
	c.Pace = func(int) error { return stop }
	if _, err := y.clean(c); !errors.Is(err, stop) {
		t.Errorf("a cleaning that is stopped says %v", err)
	}
	y.check(false)
	if y.log.Uncleanable() != nil {
		t.Error("a stopped cleaning set the log aside")
	}
}

// Rot ends cleaning of that log, once and with its place; what is sound stays
// readable; when the log begins above it, cleaning goes on.
func TestARottenLogIsLeftAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	y := newLaundry(t, 9, model.Options{Keys: 9}, tiny(r))
	y.write(100)
	y.must(y.dir.SyncRound())
	roofs := y.log.Roofs()
	y.must(y.disk.Flip(segmentName(roofs[1]), record.HeaderSize+9, 3))
	_, err := y.clean(cleaner(100))
	rot := (*log.CorruptError)(nil)
	if !errors.As(err, &rot) || !strings.Contains(err.Error(), "can not be cleaned") {
		t.Fatalf("cleaning says %v", err)
	}
	if y.log.Uncleanable() == nil {
		t.Fatal("the log is not set aside")
	}
	if _, err := y.log.BeginCleaning(y.h.Stable()); !errors.Is(err, log.ErrNothingToClean) {
		t.Errorf("it is tried again: %v", err)
	}
	if got := y.log.Roofs(); !slices.Equal(got, roofs) {
		t.Errorf("segments are %v, want %v as before", got, roofs)
	}
	y.must(y.log.AdvanceStart(roofs[2]))
	if err := y.log.Uncleanable(); err != nil {
		t.Errorf("the log begins above the rot and is still set aside: %v", err)
	}
	_, err = y.log.Retain(y.log.End().Offset)
	y.must(err)
	done, err := y.clean(cleaner(100))
	if err != nil || done.Dropped == 0 {
		t.Errorf("cleaning after that: %+v, %v", done, err)
	}
}

func segmentName(base int64) string {
	return "/data/accounts-0/" + log.SegmentFile(base)
}

// Without room a cleaning ends, leaves nothing behind, and works once there is
// some.
func TestACleaningWithoutRoomIsTriedAgain(t *testing.T) {
	full := 0
	for _, seed := range seeds(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		y := newLaundry(t, seed, model.Options{Keys: 15}, tiny(r))
		y.write(120)
		y.must(y.dir.SyncRound())
		y.must(y.dir.Housekeep())
		y.must(y.dir.Checkpoint(nil))
		y.disk.SetCapacity(y.disk.Used() + r.Int64N(1500))
		before, err := y.clean(cleaner(100))
		if err != nil && !errors.Is(err, log.ErrDiskFull) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err != nil {
			full++
		}
		if y.dir.Err() != nil || y.log.Uncleanable() != nil {
			t.Fatalf("seed %d: directory %v, log %v", seed, y.dir.Err(), y.log.Uncleanable())
		}
		y.c.Cleaned(y.h.NowMs, y.h.End(), 0)
		y.check(false)
		for _, name := range y.disk.Files() {
			if strings.Contains(name, ".cleaned") || strings.Contains(name, ".swap") {
				t.Errorf("seed %d: %s is left behind", seed, name)
			}
		}
		y.disk.SetCapacity(1 << 40)
		y.h.NowMs += 5000
		y.must(y.dir.Housekeep())
		done, err := y.clean(cleaner(100))
		if err != nil || before.Dropped+done.Dropped == 0 {
			t.Fatalf("seed %d: with room: %+v, %v", seed, done, err)
		}
		y.check(true)
	}
	if whole() && full == 0 {
		t.Error("the disk was never full")
	}
}

// A failed sync takes the directory offline, as everywhere.
func TestAFailedSyncOfACleaningIsFinal(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	y := newLaundry(t, 5, model.Options{Keys: 9}, tiny(r))
	y.write(100)
	y.must(y.dir.SyncRound())
	y.disk.OnOp(func(op sim.Op) sim.Action {
		if op.Kind == sim.OpSync && strings.HasSuffix(op.Name, ".cleaned") {
			return sim.Action{Err: errors.New("the disk is gone")}
		}
		return sim.Action{}
	})
	if _, err := y.clean(cleaner(100)); !errors.Is(err, log.ErrOffline) || y.dir.Err() == nil {
		t.Errorf("%v; the directory says %v", err, y.dir.Err())
	}
}

// Where a cleaning stopped outlives a restart, goes with the topic, and is in
// the file that Kafka's tools read.
func TestWhereCleaningStoppedIsRemembered(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	y := newLaundry(t, 4, model.Options{Keys: 9}, tiny(r))
	y.write(100)
	done, err := y.clean(cleaner(100))
	y.must(err)
	text, err := y.disk.Content("/data/cleaner-offset-checkpoint")
	if want := "accounts 0 "; err != nil || !strings.HasPrefix(string(text), "0\n1\n"+want) {
		t.Errorf("the file holds %q, %v", text, err)
	}
	y.restart(true)
	plan, err := y.log.Cleanable(y.h.Stable())
	if err != nil || plan.From != done.To || plan.DirtyBytes != 0 {
		t.Errorf("after a restart %+v (%v), want from %d and nothing dirty", plan, err, done.To)
	}
	y.must(y.dir.Delete(y.log))
	text, err = y.disk.Content("/data/cleaner-offset-checkpoint")
	if err != nil || strings.Contains(string(text), "accounts") {
		t.Errorf("after the topic is gone the file holds %q, %v", text, err)
	}
}

// Many threads: whoever reads, appends or runs the steps, while one cleans.
func TestACleaningBesideEverythingElse(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	cfg := tiny(r)
	y := newLaundry(t, 8, model.Options{Keys: 20, Producers: 3}, cfg)
	y.write(100)
	y.frozen = y.h.NowMs
	var writer sync.Mutex // as the partition's
	var wg sync.WaitGroup
	stop := make(chan struct{})
	loop := func(f func() error) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	loop(func() error {
		next := int64(0)
		return y.log.Scan(0, func(h *record.Header, b []byte) error {
			if h.BaseOffset < next || !record.VerifyCRC(b) {
				return errors.New("batches out of order, or a bad one")
			}
			next = h.NextOffset()
			return nil
		})
	})
	loop(func() error {
		_, _, err := y.log.LookupTime(1_700_000_000_500, y.log.End())
		return err
	})
	loop(func() error {
		_, err := y.log.Aborted(0, y.log.End().Offset)
		return err
	})
	loop(y.dir.SyncRound)
	loop(y.dir.Housekeep)
	loop(func() error { return y.dir.Checkpoint(nil) })
	for range max(15/simShare, 3) {
		writer.Lock()
		y.write(20)
		k, err := y.log.BeginCleaning(y.h.Stable())
		writer.Unlock()
		if errors.Is(err, log.ErrNothingToClean) {
			continue
		}
		y.must(err)
		if _, err := k.Run(cleaner(100)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	y.c.Cleaned(y.h.NowMs, y.h.End(), 0)
	y.check(false)
}

// In the midst of a swap, when names lead to other files already, a reader still
// finds the batch that it looks for, however few descriptors there are.
func TestReadersFindTheirWayInTheMidstOfASwap(t *testing.T) {
	reads := 0
	for _, seed := range seeds(6) {
		r := rand.New(rand.NewPCG(seed, 12))
		cfg := tiny(r)
		y := newLaundry(t, seed, model.Options{Keys: 9}, cfg)
		y.descriptors = 1
		y.restart(false)
		y.write(60)
		want := y.batches()
		cfg.SegmentBytes, cfg.Compact = 4000, true
		y.log.Configure(cfg)
		inside := false
		y.disk.OnOp(func(op sim.Op) sim.Action {
			if inside || !swapping(op) {
				return sim.Action{}
			}
			inside = true
			defer func() { inside = false }()
			for range 3 {
				offset := r.Int64N(y.log.Roofs()[1])
				s, err := y.log.Read(offset, y.log.End(), 1, true)
				y.must(err)
				head := make([]byte, record.HeaderSize)
				_, err = s.ReadAt(head, 0)
				y.must(err)
				s.Release()
				h, err := record.ParseHeader(head)
				y.must(err)
				if i := slices.IndexFunc(want, func(b model.Batch) bool { return b.H.BaseOffset == h.BaseOffset }); i < 0 || want[i].H.LastOffset() < offset {
					t.Fatalf("before %v: read at %d gives the batch at %d", op, offset, h.BaseOffset)
				}
				reads++
			}
			return sim.Action{}
		})
		_, err := y.clean(cleaner(100))
		y.disk.OnOp(nil)
		y.must(err)
		y.check(true)
	}
	if whole() && reads < 100 {
		t.Errorf("%d reads: too few to mean anything", reads)
	}
}

// A look-up that has listed the segments before a whole cleaning and goes to them
// after it looks again.
func TestALookUpAcrossACleaningLooksAgain(t *testing.T) {
	for _, seed := range seeds(20) {
		r := rand.New(rand.NewPCG(seed, 13))
		y := newLaundry(t, seed, model.Options{Keys: 9}, tiny(r))
		y.descriptors = 1
		y.restart(false)
		y.write(80)
		y.check(true) // every index is in memory now
		cleaned, inside := false, false
		y.disk.OnOp(func(op sim.Op) sim.Action {
			if op.Kind == sim.OpRead && !inside {
				inside = true
				_, err := y.clean(cleaner(100))
				y.must(err)
				cleaned = true
			}
			return sim.Action{}
		})
		ms := y.h.NowMs - r.Int64N(2000)
		got, ok, err := y.log.LookupTime(ms, y.log.End())
		y.disk.OnOp(nil)
		y.must(err)
		if ok && got.TimestampMs < ms {
			t.Errorf("seed %d: look-up of %d gives %+v", seed, ms, got)
		}
		if !cleaned && ok {
			t.Errorf("seed %d: no cleaning came between", seed)
		}
		y.check(true)
	}
}

// A batch without records keeps its time for its producer's sake, and no look-up
// by time takes it for a record's.
func TestAnEmptiedBatchHasNoTime(t *testing.T) {
	y := newLaundry(t, 1, model.Options{Keys: 1}, log.Config{SegmentBytes: 1 << 20, DeleteRetention: time.Hour})
	add := func(id int64, ms int64, key string) {
		b := record.NewBuilder()
		if id >= 0 {
			b.ProducerID, b.ProducerEpoch, b.BaseSequence = id, 0, 0
		}
		b.LeaderEpoch = 0
		b.Add(ms, []byte(key), []byte("value"))
		raw := b.Build(y.log.End().Offset)
		h, err := record.ParseHeader(raw)
		y.must(err)
		_, err = y.log.Append(&h, raw)
		y.must(err)
	}
	add(-1, 2000, "other")
	add(7, 9000, "key") // the last batch of its producer, and of the largest time
	add(-1, 3000, "key")
	y.must(y.log.Roll())
	add(-1, 1000, "last")
	k, err := y.log.BeginCleaning(y.log.End().Offset)
	y.must(err)
	done, err := k.Run(cleaner(10))
	if err != nil || done.Dropped != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	for range 2 {
		top, ok, err := y.log.MaxTime()
		if err != nil || !ok || top.Offset != 2 || top.TimestampMs != 3000 {
			t.Errorf("the largest timestamp is at %+v (%v, %v), want 3000 at offset 2", top, ok, err)
		}
		if at, ok, err := y.log.LookupTime(5000, y.log.End()); ok || err != nil {
			t.Errorf("at 5000 there is %+v (%v)", at, err)
		}
		y.restart(false)
	}
	if last := y.log.Producers().Lasts()[7]; last.Offset != 1 {
		t.Errorf("the producer is known as %+v", last)
	}
}
