package log_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/uuid"
)

var (
	simSeed = flag.Int64("sim.seed", -1, "run only this seed of the simulations")
	simRuns = flag.Int("sim.runs", 0, "run so many seeds of each simulation instead of its own number")
)

// seeds are the seeds that a simulation runs: count of them unless flags say
// otherwise.
func seeds(count int) []uint64 {
	if *simSeed >= 0 {
		return []uint64{uint64(*simSeed)}
	}
	if *simRuns > 0 {
		count = *simRuns
	}
	var out []uint64
	for seed := range uint64((count + simShare - 1) / simShare) {
		out = append(out, seed)
	}
	return out
}

// whole tells whether all seeds of a simulation run, so that together they must
// meet every fault.
func whole() bool { return *simSeed < 0 && simShare == 1 }

const (
	simPath  = "/data/log"
	simStart = 1_700_000_000_000 // ms
)

// world is one log directory on a simulated disk, its logs and their twins.
// Everything in it follows from its seed.
type world struct {
	t     *testing.T
	test  string // to be named in the command that replays
	seed  uint64
	r     *rand.Rand
	ids   *rand.ChaCha8
	disk  *sim.Disk
	clock *sim.Clock
	opts  log.DirOptions
	dir   *log.Dir
	twins []*twin

	// syncFailed is set once a sync was failed: nothing may be called durable
	// from then on.
	syncFailed bool
	// expected tells which errors the faults of the run explain; nil: none.
	expected   func(error) bool
	gaps       bool // appends may leave gaps, as a follower of a compacted log does
	offline    int  // calls of OnOffline
	deletedIDs map[uuid.UUID]bool
	steps      []string // the last of them, for the report of a failure
}

func newWorld(t *testing.T, seed uint64, logs int) *world {
	w := &world{
		t: t, test: t.Name(), seed: seed, r: rand.New(rand.NewPCG(seed, 77)),
		ids:  rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)}),
		disk: sim.NewDisk(seed), clock: sim.NewClock(time.UnixMilli(simStart)),
		deletedIDs: make(map[uuid.UUID]bool),
	}
	w.disk.UseClock(w.clock.Now)
	w.opts = log.DirOptions{
		FS: w.disk, Path: simPath, Now: w.clock.Now,
		MaxOpenFiles: 1 + w.r.IntN(6),
		VerifyAge:    pick[time.Duration](w.r, 0, 0, time.Hour),
	}
	for i := range logs {
		tw := &twin{id: log.Ident{Topic: fmt.Sprintf("orders.%d", i), Partition: int32(w.r.IntN(3))}, cfg: w.drawConfig(i)}
		tw.id.ID = w.newID()
		w.twins = append(w.twins, tw)
	}
	// The parent exists and is durable before the log directory is made.
	w.must(w.disk.MkdirAll("/data", 0o755), "make /data")
	w.must(w.disk.SyncDir("/"), "sync /")
	return w
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func (w *world) newID() uuid.UUID {
	id, err := uuid.New(w.ids)
	w.must(err, "draw an id")
	return id
}

// drawConfig draws tiny sizes, so that rare paths come often. The first log is
// an internal one.
func (w *world) drawConfig(i int) log.Config {
	r := w.r
	c := log.Config{
		SegmentBytes:       pick[int64](r, 1<<10, 2<<10, 4<<10, 16<<10, 64<<10),
		SegmentAge:         pick[time.Duration](r, 0, 0, time.Minute),
		SegmentJitter:      pick[time.Duration](r, 0, time.Second),
		IndexBytes:         pick[int64](r, 64, 1<<10, 10<<20),
		IndexIntervalBytes: pick[int64](r, 1, 300, 4096),
		Delete:             true,
		RetentionAge:       pick[time.Duration](r, 0, 5*time.Minute),
		RetentionBytes:     pick[int64](r, 0, 8<<10, 32<<10),
		FileDeleteDelay:    pick[time.Duration](r, 0, time.Minute),
		Durability:         pick(r, log.Fsync, log.Fsync, log.Fsync, log.Replicated, log.Memory),
		FlushMessages:      pick[int64](r, 0, 0, 0, 7),
		FlushAge:           pick[time.Duration](r, 0, 0, 10*time.Second),
		MaxDecompressed:    1 << 20,
		Internal:           i == 0 && r.IntN(2) == 0,
	}
	return c
}

// failf ends the test with what is needed to see it again.
func (w *world) failf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("seed %d: %s\nlast steps:\n  %s\nreplay: go test ./internal/log -count=1 -run '^%s$' -sim.seed=%d",
		w.seed, fmt.Sprintf(format, args...), strings.Join(w.steps, "\n  "), w.test, w.seed)
}

func (w *world) must(err error, what string) {
	w.t.Helper()
	if err != nil {
		w.failf("%s: %v", what, err)
	}
}

func (w *world) step(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf("%d ", w.disk.Seq())+fmt.Sprintf(format, args...))
	w.steps = w.steps[max(0, len(w.steps)-40):]
}

// alright tells whether an operation succeeded; it fails the test on an error
// that no fault explains.
func (w *world) alright(err error, what string) bool {
	w.t.Helper()
	switch {
	case err == nil:
		return true
	case w.expected != nil && w.expected(err):
		w.step("%s: %v", what, err)
		return false
	}
	w.failf("%s: %v", what, err)
	return false
}

// openDir starts the process: the directory and all its logs.
func (w *world) openDir() error {
	d, err := log.OpenDir(w.opts)
	if err != nil {
		return fmt.Errorf("open the directory: %w", err)
	}
	w.dir = d
	for _, tw := range w.twins {
		if tw.deleting { // the end came in the middle of it: either way is right
			tw.deleting = false
			tw.deleted = !slices.Contains(d.Found(), tw.id)
			w.deletedIDs[tw.id.ID] = tw.deleted
		}
		if tw.deleted {
			continue
		}
		if err := w.openLog(tw); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) openLog(tw *twin) error {
	l, err := w.dir.Open(tw.id, log.OpenOptions{
		Config: tw.cfg,
		OnDurable: func(p log.Position) {
			if w.syncFailed {
				w.failf("%s is called durable below %d after a sync failed", tw.id.Topic, p.Offset)
			}
			if p.Offset > tw.next() {
				w.failf("%s is called durable below %d, but ends at %d", tw.id.Topic, p.Offset, tw.next())
			}
			tw.acked = max(tw.acked, p.Offset)
		},
		OnOffline: func(error) { w.offline++ },
	})
	if err != nil {
		return fmt.Errorf("open %s: %w", tw.id.Topic, err)
	}
	tw.log = l
	return nil
}

// fork is this world as it is at this moment, on a clone of its disk, with a
// future of its own. No process runs on it yet.
func (w *world) fork(seed uint64) *world {
	f := *w
	f.r = rand.New(rand.NewPCG(seed, 78))
	f.disk = w.disk.Clone(seed)
	f.opts.FS = f.disk
	f.clock = sim.NewClock(w.clock.Now())
	f.opts.Now = f.clock.Now
	f.dir, f.expected = nil, nil
	f.deletedIDs, f.steps = maps.Clone(w.deletedIDs), slices.Clone(w.steps)
	f.twins = nil
	for _, tw := range w.twins {
		f.twins = append(f.twins, tw.clone())
	}
	return &f
}

// restart ends the process by power or by kill, starts the next one and checks
// what it finds.
func (w *world) restart(how ending, style sim.Style) {
	w.t.Helper()
	if how == afterKill {
		w.disk.Kill()
	} else {
		w.disk.CrashWith(style)
	}
	w.step("restart: how %d, style %d", how, style)
	w.disk.Restart()
	w.syncFailed = false
	w.must(w.openDir(), "open after a restart")
	w.verify(how)
}

// high is the high watermark of each log: what was called durable.
func (w *world) high(id log.Ident) int64 {
	for _, tw := range w.twins {
		if tw.id == id {
			return tw.acked
		}
	}
	return 0
}

// ways of a step, by weight; the swarm turns some off.
var ways = []struct {
	name   string
	weight int
	do     func(w *world, tw *twin)
}{
	{"append", 30, (*world).doAppend},
	{"append many", 8, (*world).doAppendMany},
	{"end transaction", 5, (*world).doEndTxn},
	{"sync round", 14, (*world).doSyncRound},
	{"housekeep", 4, (*world).doHousekeep},
	{"checkpoint", 4, (*world).doCheckpoint},
	{"flush closed", 3, (*world).doFlushClosed},
	{"roll", 2, (*world).doRoll},
	{"advance start", 3, (*world).doAdvanceStart},
	{"retain", 3, (*world).doRetain},
	{"truncate", 2, (*world).doTruncate},
	{"configure", 2, (*world).doConfigure},
	{"new epoch", 3, (*world).doEpoch},
	{"time passes", 6, (*world).doTime},
	{"delete", 1, (*world).doDelete},
	{"read", 4, (*world).doRead},
	{"reopen", 1, (*world).doCleanRestart},
}

// swarm draws which ways a run takes.
func (w *world) swarm() []int {
	weights := make([]int, len(ways))
	for i, way := range ways {
		weights[i] = way.weight
		if i > 0 && way.name != "sync round" && w.r.IntN(4) == 0 {
			weights[i] = 0
		}
	}
	return weights
}

// run makes steps until they are done or the machine stops.
func (w *world) run(weights []int, steps int) (stopped bool) {
	total := 0
	for _, n := range weights {
		total += n
	}
	for range steps {
		n, i := w.r.IntN(total), 0
		for n >= weights[i] {
			n -= weights[i]
			i++
		}
		tw := w.twins[w.r.IntN(len(w.twins))]
		w.step("%s %s", ways[i].name, tw.id.Topic)
		ways[i].do(w, tw)
		if _, err := w.disk.Stat("/"); errors.Is(err, sim.ErrOff) {
			return true
		}
	}
	return false
}

// draft draws a batch for the end of a log.
func (w *world) draft(tw *twin, offset int64) draft {
	d := draft{
		offset: offset, epoch: tw.epoch, nowMs: w.clock.Now().UnixMilli(), producer: -1,
		count: 1 + w.r.IntN(4), valueSize: pick(w.r, 10, 100, 700),
		codec: pick(w.r, record.None, record.None, record.LZ4, record.Gzip),
	}
	return d
}

// next draws the next batch of a log whose batches are bs: of no producer, or
// of one that follows its own last batch.
func (w *world) next(tw *twin, bs []*batch, offset int64) *batch {
	d := w.draft(tw, offset)
	if w.r.IntN(3) > 0 {
		writers, _ := replay(bs)
		d.producer = 1000 + w.r.Int64N(4)
		d.txn = d.producer == 1003
		if wr := writers[d.producer]; wr != nil {
			d.pepoch, d.sequence = wr.epoch, wr.nextSequence()
			if wr.txnFirst < 0 && w.r.IntN(20) == 0 {
				d.pepoch, d.sequence = wr.epoch+1, 0
			}
		}
	}
	return d.build(w.r)
}

func (w *world) doAppend(tw *twin) {
	if tw.deleted && !w.recreate(tw) {
		return
	}
	offset := tw.next()
	if w.gaps && w.r.IntN(40) == 0 {
		offset += w.r.Int64N(5) // compaction leaves gaps, and followers keep them
	}
	w.append(tw, w.next(tw, tw.batches, offset))
}

// append writes one batch and keeps the twin in step with the outcome.
func (w *world) append(tw *twin, b *batch) bool {
	before := tw.batches
	tw.batches = append(before[:len(before):len(before)], b)
	p, err := tw.log.Append(&b.h, b.raw)
	if errors.Is(err, log.ErrDiskFull) {
		tw.batches = before
	}
	if !w.alright(err, "append to "+tw.id.Topic) {
		return false
	}
	if p.Offset != b.h.NextOffset() || tw.log.End() != p {
		w.failf("append to %s ends at %+v, End tells %+v, want offset %d", tw.id.Topic, p, tw.log.End(), b.h.NextOffset())
	}
	tw.written = p.Offset
	if len(at(before, tw.startMin)) == 0 { // the first batch may lie above the start
		tw.startMax = max(tw.startMax, tw.log.Start())
	}
	return true
}

func (w *world) doAppendMany(tw *twin) {
	if tw.deleted && !w.recreate(tw) {
		return
	}
	before := tw.batches
	all := before[:len(before):len(before)]
	var hs []record.Header
	var bs [][]byte
	for range 1 + w.r.IntN(5) {
		b := w.next(tw, all, max(endOf(all), tw.written))
		all = append(all, b)
		hs, bs = append(hs, b.h), append(bs, b.raw)
	}
	tw.batches = all
	p, err := tw.log.AppendMany(hs, bs)
	if errors.Is(err, log.ErrDiskFull) {
		tw.batches = all[:len(before)+len(below(all[len(before):], p.Offset))]
		tw.written = max(tw.written, p.Offset)
	}
	if w.alright(err, "append to "+tw.id.Topic) {
		tw.written = p.Offset
		if p.Offset != tw.end() {
			w.failf("appends to %s end at %d, want %d", tw.id.Topic, p.Offset, tw.next())
		}
	}
}

func (w *world) doEndTxn(tw *twin) {
	if tw.deleted {
		return
	}
	writers, _ := replay(tw.batches)
	if wr := writers[1003]; wr != nil && wr.txnFirst >= 0 {
		d := w.draft(tw, tw.next())
		d.producer, d.pepoch = 1003, wr.epoch
		w.append(tw, marker(d, w.r.IntN(2) == 0))
	}
}

func (w *world) doSyncRound(*twin)  { w.alright(w.dir.SyncRound(), "sync round") }
func (w *world) doHousekeep(*twin)  { w.alright(w.dir.Housekeep(), "housekeep") }
func (w *world) doCheckpoint(*twin) { w.alright(w.dir.Checkpoint(w.high), "checkpoint") }

func (w *world) doFlushClosed(*twin) { w.alright(w.dir.FlushClosed(), "flush closed segments") }

func (w *world) doRoll(tw *twin) {
	if !tw.deleted {
		w.alright(tw.log.Roll(), "roll "+tw.id.Topic)
	}
}

func (w *world) doEpoch(tw *twin) {
	if !tw.deleted {
		tw.epoch += 1 + w.r.Int32N(2)
	}
}

func (w *world) doTime(*twin) {
	w.clock.Advance(pick(w.r, time.Millisecond, time.Second, 20*time.Second, 2*time.Minute))
}

func (w *world) doAdvanceStart(tw *twin) {
	if tw.deleted || tw.acked <= tw.log.Start() {
		return
	}
	to := tw.log.Start() + w.r.Int64N(tw.acked-tw.log.Start()+1)
	tw.startMax = max(tw.startMax, to)
	if w.alright(tw.log.AdvanceStart(to), "advance start of "+tw.id.Topic) {
		tw.startMin = to
		if got := tw.log.Start(); got != to {
			w.failf("%s starts at %d after AdvanceStart(%d)", tw.id.Topic, got, to)
		}
	}
}

func (w *world) doRetain(tw *twin) {
	if tw.deleted {
		return
	}
	tw.startMax = max(tw.startMax, tw.acked)
	_, err := tw.log.Retain(tw.acked)
	if !w.alright(err, "retain "+tw.id.Topic) {
		return
	}
	if got := tw.log.Start(); got < tw.startMin || got > tw.startMax {
		w.failf("%s starts at %d after Retain(%d), was %d", tw.id.Topic, got, tw.acked, tw.startMin)
	} else {
		tw.startMin, tw.startMax = got, got
	}
}

func (w *world) doTruncate(tw *twin) {
	if tw.deleted || tw.written <= tw.startMin {
		return
	}
	to := max(tw.startMin, tw.written-w.r.Int64N(12))
	kept := below(tw.batches, to)
	if endOf(kept) < max(tw.startMin, tw.log.Start()) {
		return
	}
	to = endOf(kept) // a leader names batch boundaries
	tw.olds = append(tw.olds, tw.batches)
	tw.batches = kept
	tw.forgot = to
	tw.acked, tw.written, tw.truncating = min(tw.acked, to), min(tw.written, to), true
	tw.truncating = !w.alright(tw.log.TruncateTo(to), fmt.Sprintf("truncate %s to %d", tw.id.Topic, to))
}

func (w *world) doConfigure(tw *twin) {
	if !tw.deleted {
		internal := tw.cfg.Internal
		tw.cfg = w.drawConfig(1)
		tw.cfg.Internal = internal
		tw.log.Configure(tw.cfg)
	}
}

func (w *world) doDelete(tw *twin) {
	if tw.deleted {
		return
	}
	tw.deleting = true
	if w.alright(w.dir.Delete(tw.log), "delete "+tw.id.Topic) {
		w.deletedIDs[tw.id.ID] = true
		tw.deleted, tw.deleting = true, false
	}
}

// recreate makes the topic again, under a new id.
func (w *world) recreate(tw *twin) bool {
	*tw = twin{id: tw.id, cfg: tw.cfg}
	tw.id.ID = w.newID()
	return w.alright(w.openLog(tw), "open "+tw.id.Topic+" again")
}

// doCleanRestart stops and starts the process in peace.
func (w *world) doCleanRestart(*twin) {
	if !w.alright(w.dir.Close(w.high), "close the directory") {
		return
	}
	for _, tw := range w.twins {
		if tw.log != nil && (tw.cfg.Durability != log.Memory || tw.cfg.Internal) && !tw.deleted {
			tw.acked = tw.written
		}
	}
	if w.alright(w.openDir(), "open after a clean stop") {
		w.verify(afterClean)
	}
}

// doRead reads somewhere below the high watermark.
func (w *world) doRead(tw *twin) {
	if !tw.deleted && tw.acked > tw.log.Start() {
		w.readFrom(tw, tw.log.Start()+w.r.Int64N(tw.acked-tw.log.Start()), 5)
	}
}

// liveTwins are those whose log exists.
func (w *world) liveTwins() []*twin {
	return slices.DeleteFunc(slices.Clone(w.twins), func(tw *twin) bool { return tw.deleted })
}
