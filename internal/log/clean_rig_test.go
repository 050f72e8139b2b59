package log_test

import (
	"cmp"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/log/compact/model"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/uuid"
)

// laundry is a compacted log on a simulated disk, and the history of what was
// written to it.
type laundry struct {
	t    *testing.T
	r    *rand.Rand
	disk *sim.Disk
	dir  *log.Dir
	log  *log.Log
	cfg  log.Config
	h    *model.History
	c    *model.Checker
	said strings.Builder // what the directory logs
	// frozen stops the directory's clock, for tests with more than one thread.
	frozen      int64
	descriptors int // that may be open for closed segments; 0: enough
}

var laundryIdent = log.Ident{Topic: "accounts", Partition: 0, ID: uuid.UUID{7}}

func newLaundry(t *testing.T, seed uint64, o model.Options, cfg log.Config) *laundry {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 77))
	cfg.Compact = true
	y := &laundry{t: t, r: r, disk: sim.NewDisk(seed), cfg: cfg, h: model.New(r, o)}
	y.c = &model.Checker{H: y.h, RetentionMs: cfg.DeleteRetention.Milliseconds()}
	y.open()
	return y
}

// tiny rolls every few batches and has an index entry for nearly each.
func tiny(r *rand.Rand) log.Config {
	return log.Config{SegmentBytes: 600 + r.Int64N(1500), IndexIntervalBytes: r.Int64N(200), DirtyRatio: 0,
		DeleteRetention: time.Duration(r.IntN(4000)) * time.Millisecond, MaxDecompressed: 1 << 20}
}

func (y *laundry) open() {
	y.t.Helper()
	var err error
	y.dir, err = log.OpenDir(log.DirOptions{FS: y.disk, Path: "/data", VerifyAge: time.Hour, MaxOpenFiles: y.descriptors,
		Now:    y.now,
		Logger: slog.New(slog.NewTextHandler(&y.said, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		y.t.Fatalf("open directory: %v", err)
	}
	if y.log, err = y.dir.Open(laundryIdent, log.OpenOptions{Config: y.cfg}); err != nil {
		y.t.Fatalf("open log: %v", err)
	}
}

func (y *laundry) now() time.Time {
	if y.frozen != 0 {
		return time.UnixMilli(y.frozen)
	}
	return time.UnixMilli(y.h.NowMs)
}

func (y *laundry) append(bs ...model.Batch) {
	y.t.Helper()
	for i := range bs {
		if _, err := y.log.Append(&bs[i].H, bs[i].Raw); err != nil {
			y.t.Fatalf("append at %d: %v", bs[i].H.BaseOffset, err)
		}
	}
}

func (y *laundry) write(n int) {
	y.t.Helper()
	for range n {
		y.append(y.h.Next())
	}
}

func (y *laundry) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

// cleaner has room for so many keys.
func cleaner(keys int) *log.Cleaner {
	return &log.Cleaner{KeyBytes: int64(keys) * 24, LoadFactor: 0.9, BufferBytes: 64}
}

// clean runs one cleaning to its end, if there is anything to clean.
func (y *laundry) clean(c *log.Cleaner) (log.Cleaned, error) {
	y.t.Helper()
	k, err := y.log.BeginCleaning(y.h.Stable())
	if errors.Is(err, log.ErrNothingToClean) {
		return log.Cleaned{}, nil
	}
	y.must(err)
	return y.finish(k, c)
}

func (y *laundry) finish(k *log.Cleaning, c *log.Cleaner) (log.Cleaned, error) {
	over := y.log.Roofs()
	done, err := k.Run(c)
	if err == nil && done.To > done.From {
		at := slices.IndexFunc(over, func(o int64) bool { return o >= done.To })
		y.c.Cleaned(y.h.NowMs, over[max(at, 0)], done.To)
	}
	return done, err
}

// batches reads the whole log.
func (y *laundry) batches() []model.Batch {
	y.t.Helper()
	var out []model.Batch
	err := y.log.Scan(y.log.Start(), func(_ *record.Header, b []byte) error {
		nb, err := model.Parse(slices.Clone(b))
		out = append(out, nb)
		return err
	})
	y.must(err)
	return out
}

func (y *laundry) aborted() []producer.Aborted {
	y.t.Helper()
	out, err := y.log.Aborted(0, y.log.End().Offset)
	y.must(err)
	return out
}

// check holds what a consumer sees against the history.
func (y *laundry) check(settled bool) {
	y.t.Helper()
	batches, aborted := y.batches(), y.aborted()
	view, err := model.View(batches, aborted, y.h.Stable())
	y.must(err)
	y.must(y.c.Check(view, y.log.Start(), y.h.NowMs, settled))
	if y.log.Start() == 0 {
		y.must(y.c.CheckProducers(batches, aborted))
	}
	if got := y.log.End().Offset; got != y.h.End() {
		y.t.Fatalf("the log ends at %d, want %d", got, y.h.End())
	}
	y.checkLookups(batches)
}

// checkLookups asks for offsets in gaps and for times.
func (y *laundry) checkLookups(batches []model.Batch) {
	y.t.Helper()
	var all []model.Record
	for i := range batches {
		rs, err := batches[i].Records()
		y.must(err)
		all = append(all, slices.DeleteFunc(rs, func(r model.Record) bool { return r.Offset < y.log.Start() })...)
	}
	end := y.log.End()
	for range 12 {
		offset := y.log.Start() + y.r.Int64N(max(end.Offset-y.log.Start(), 1))
		i := slices.IndexFunc(batches, func(b model.Batch) bool { return b.H.LastOffset() >= offset })
		s, err := y.log.Read(offset, end, 1, true)
		y.must(err)
		if (i < 0) != (s.Len == 0) {
			y.t.Fatalf("read at %d: %d bytes, batch %d of %d is next", offset, s.Len, i, len(batches))
		}
		if i >= 0 {
			head := make([]byte, record.HeaderSize)
			_, err := s.ReadAt(head, 0)
			y.must(err)
			if h, err := record.ParseHeader(head); err != nil || h.BaseOffset != batches[i].H.BaseOffset {
				y.t.Fatalf("read at %d gives the batch at %d (%v), want %d", offset, h.BaseOffset, err, batches[i].H.BaseOffset)
			}
		}
		s.Release()
	}
	most := slices.IndexFunc(all, func(r model.Record) bool {
		return r.TimeMs == slices.MaxFunc(all, func(a, b model.Record) int { return cmp.Compare(a.TimeMs, b.TimeMs) }).TimeMs
	})
	top, ok, err := y.log.MaxTime()
	y.must(err)
	if ok != (most >= 0) || ok && top.Offset != all[most].Offset {
		y.t.Fatalf("the largest timestamp is at %+v (%v), want record %d", top, ok, most)
	}
	for range 6 {
		if most < 0 {
			break
		}
		ms := all[y.r.IntN(len(all))].TimeMs + y.r.Int64N(3) - 1
		i := slices.IndexFunc(all, func(r model.Record) bool { return r.TimeMs >= ms })
		got, ok, err := y.log.LookupTime(ms, end)
		y.must(err)
		if ok != (i >= 0) || ok && got.Offset != all[i].Offset {
			y.t.Fatalf("look-up of %d gives %+v (%v), want %+v", ms, got, ok, all[max(i, 0)])
		}
	}
}

// restart ends the process, or the power, and opens the log again.
func (y *laundry) restart(power bool) {
	y.t.Helper()
	if power {
		y.must(y.dir.SyncRound())
		y.disk.Crash()
	} else {
		y.must(y.dir.Close(nil))
		y.disk.Kill()
	}
	y.disk.Restart()
	y.open()
}
