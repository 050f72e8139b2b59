package partition

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// epochOfTests is when the tests' clock starts.
var epochOfTests = time.UnixMilli(1_700_000_000_000)

// rig is one partition on one log directory. Nothing moves by itself: sync
// rounds come when a test says so, or from drive.
type rig struct {
	t     testing.TB
	fs    vfs.FS
	path  string
	clock *sim.Clock
	conf  Config
	dir   *log.Dir
	p     *Partition
	epoch int32
}

// plain is a topic's settings with Kafka's defaults where they matter here.
func plain() Config {
	return Config{
		Log: log.Config{
			SegmentBytes: 1 << 30, IndexBytes: 10 << 20, IndexIntervalBytes: 4096,
			Delete: true, MaxDecompressed: 64 << 20,
		},
		Rules: record.Rules{
			MaxBatchBytes: 1 << 20, MaxDecompressed: 64 << 20,
			BeforeMaxMs: 1 << 60, AfterMaxMs: 3600_000,
		},
		MinInsync:      1,
		ProducerExpiry: 24 * time.Hour,
	}
}

// newRig opens a partition on fs, leading in epoch 0.
func newRig(t testing.TB, fs vfs.FS, path string, c Config) *rig {
	t.Helper()
	r := &rig{t: t, fs: fs, path: path, clock: sim.NewClock(epochOfTests), conf: c}
	r.open()
	return r
}

// memRig is newRig on a disk in memory, with plain settings changed by adjust.
func memRig(t testing.TB, adjust ...func(*Config)) *rig {
	t.Helper()
	c := plain()
	for _, f := range adjust {
		f(&c)
	}
	return newRig(t, vfs.NewMem(0), "/data", c)
}

// durable makes the directory of a rig on a simulated disk so that power cuts
// leave it there, as whoever takes a data directory does.
func durable(t testing.TB, d *sim.Disk) *sim.Disk {
	t.Helper()
	if err := d.MkdirAll("/data", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	return d
}

func (r *rig) openDir() {
	r.t.Helper()
	dir, err := log.OpenDir(log.DirOptions{FS: r.fs, Path: r.path, Now: r.clock.Now, VerifyAge: time.Hour})
	if err != nil {
		r.t.Fatalf("open directory: %v", err)
	}
	r.dir = dir
}

func (r *rig) fresh() *Partition {
	return New(Options{
		Topic: "orders", ID: uuid.UUID{1, 2, 3}, Index: 3, NodeID: 1, Now: r.clock.Now, Config: r.conf,
	})
}

func (r *rig) open() {
	r.t.Helper()
	r.openDir()
	r.p = r.fresh()
	if err := r.p.Open(r.dir); err != nil {
		r.t.Fatalf("open partition: %v", err)
	}
	r.lead(r.epoch)
}

func (r *rig) lead(epoch int32) {
	r.t.Helper()
	r.epoch = epoch
	r.become(Role{Leader: 1, LeaderEpoch: epoch, PartitionEpoch: epoch, Replicas: []int32{1}, ISR: []int32{1}})
}

func (r *rig) become(role Role) {
	r.t.Helper()
	if err := r.p.Become(role); err != nil {
		r.t.Fatalf("become %+v: %v", role, err)
	}
}

// round is one sync round.
func (r *rig) round() {
	r.t.Helper()
	if err := r.dir.SyncRound(); err != nil {
		r.t.Fatalf("sync round: %v", err)
	}
}

// stop is a clean stop, restart one with a start after it in a new epoch.
func (r *rig) stop() {
	r.t.Helper()
	if err := r.p.Close(); err != nil {
		r.t.Fatalf("close partition: %v", err)
	}
	if err := r.dir.Close(func(log.Ident) int64 { return r.p.Offsets().HighWatermark }); err != nil {
		r.t.Fatalf("close directory: %v", err)
	}
}

func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	r.epoch++
	r.open()
}

// drive runs sync rounds as the log asks for them, until the test ends.
func (r *rig) drive() (stop func()) {
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Add(1)
	go func() {
		defer done.Done()
		for {
			select {
			case <-r.dir.Dirty():
				_ = r.dir.SyncRound() // a failure shows in what the tests see
			case <-quit:
				return
			}
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { close(quit); done.Wait() }) }
	r.t.Cleanup(stop)
	return stop
}

// chores runs the steps that an owner of the directory loops over beside the
// rounds, n times.
func (r *rig) chores(n int) {
	for range n {
		if err := r.dir.Checkpoint(func(log.Ident) int64 { return r.p.Offsets().HighWatermark }); err != nil {
			r.t.Errorf("checkpoint: %v", err)
		}
		if err := r.dir.Housekeep(); err != nil {
			r.t.Errorf("housekeeping: %v", err)
		}
	}
}

// put appends and must succeed.
func (r *rig) put(b []byte, a AppendArgs) Appended {
	r.t.Helper()
	var got Appended
	if err := r.p.Append(b, &a, &got); err != nil {
		r.t.Fatalf("append: %v", err)
	}
	return got
}

// refuse appends and must get code.
func (r *rig) refuse(b []byte, a AppendArgs, want wire.Code) error {
	r.t.Helper()
	var got Appended
	err := r.p.Append(b, &a, &got)
	if wire.CodeOf(err) != want {
		r.t.Fatalf("append: got %v (%v), want %s", wire.CodeOf(err), err, want.Name())
	}
	return err
}

// get fetches and must succeed; it returns the answer with the slice read and
// released.
func (r *rig) get(a FetchArgs) (Fetched, []byte) {
	r.t.Helper()
	var f Fetched
	if err := r.p.Fetch(&a, &f); err != nil {
		r.t.Fatalf("fetch %+v: %v", a, err)
	}
	return f, r.bytes(&f)
}

func (r *rig) bytes(f *Fetched) []byte {
	r.t.Helper()
	if f.Slice.Len == 0 {
		return nil
	}
	b := make([]byte, f.Slice.Len)
	if _, err := f.Slice.ReadAt(b, 0); err != nil {
		r.t.Fatalf("read %d bytes of the slice: %v", len(b), err)
	}
	f.Slice.Release()
	return b
}

// at is an ordinary consumer's fetch.
func at(offset int64) FetchArgs {
	return FetchArgs{Offset: offset, MaxBytes: 1 << 20, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}
}

// committed is at for read_committed.
func committed(offset int64) FetchArgs {
	a := at(offset)
	a.Isolation = ReadCommitted
	return a
}

// all is how clients mostly ask.
var all = AppendArgs{Acks: -1, AllowZstd: true}

// ours is how coordinators write.
var ours = AppendArgs{Acks: -1, Internal: true}

// batch builds a batch of n records of about size bytes each, all with value
// tag first.
func batch(n, size int, tag string, adjust ...func(*record.Builder)) []byte {
	b := record.NewBuilder()
	for _, f := range adjust {
		f(b)
	}
	for i := range n {
		value := make([]byte, max(size, len(tag)+8))
		copy(value, fmt.Sprintf("%s/%d", tag, i))
		b.Add(epochOfTests.UnixMilli()+int64(i), []byte("key"), value)
	}
	return b.Build(0)
}

// from makes a batch that of an idempotent producer.
func from(id int64, epoch int16, seq int32) func(*record.Builder) {
	return func(b *record.Builder) { b.ProducerID, b.ProducerEpoch, b.BaseSequence = id, epoch, seq }
}

func transactional(b *record.Builder) { b.Transactional = true }

// marker is a transaction's end.
func marker(id int64, epoch int16, commit bool) []byte {
	return record.EndTxnMarker(id, epoch, commit, 1, epochOfTests.UnixMilli())
}

// waiter notes what it was told, and that it was told once.
type waiter struct {
	t  testing.TB
	ch chan error
}

func newWaiter(t testing.TB) *waiter { return &waiter{t, make(chan error, 1)} }

func (w *waiter) Committed(err error) {
	select {
	case w.ch <- err:
	default:
		w.t.Errorf("a waiter was told twice, the second time %v", err)
	}
}

// silent fails when the waiter was told already.
func (w *waiter) silent() {
	w.t.Helper()
	select {
	case err := <-w.ch:
		w.t.Fatalf("the waiter was told %v too early", err)
	default:
	}
}

// told fails unless the waiter was told by now.
func (w *waiter) told(want wire.Code) {
	w.t.Helper()
	select {
	case err := <-w.ch:
		if wire.CodeOf(err) != want {
			w.t.Fatalf("the waiter was told %v, want %s", err, want.Name())
		}
	default:
		w.t.Fatalf("the waiter was not told, want %s", want.Name())
	}
}

// wait registers a waiter, which must not be done yet.
func (r *rig) wait(end int64, acks int16) *waiter {
	r.t.Helper()
	w := newWaiter(r.t)
	done, err := r.p.Await(w, end, acks)
	if done || err != nil {
		r.t.Fatalf("await %d acks %d: done %v, %v; want to wait", end, acks, done, err)
	}
	return w
}

// sleeper is a fetch that waits; it notes what it was told.
type sleeper struct {
	mu    sync.Mutex
	calls []int
}

func (s *sleeper) Readable(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, n)
}

// take returns what was told since the last take.
func (s *sleeper) take() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls
	s.calls = nil
	return c
}

// split cuts fetched bytes into whole batches; a partial one at the end is
// dropped, as clients do.
func split(t testing.TB, b []byte) []record.Header {
	t.Helper()
	var out []record.Header
	for len(b) >= record.HeaderSize {
		h, err := record.ParseHeader(b)
		if err != nil {
			t.Fatalf("fetched bytes: %v", err)
		}
		if h.Size() > len(b) {
			break
		}
		if !record.VerifyCRC(b[:h.Size()]) {
			t.Fatalf("fetched batch at offset %d has a wrong checksum", h.BaseOffset)
		}
		out = append(out, h)
		b = b[h.Size():]
	}
	return out
}
