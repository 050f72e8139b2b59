package timer

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/record"
	"ottla/internal/timer/schema"
	"ottla/internal/wire"
)

// disk is the log of a shard, over all its leaders.
type disk struct {
	batches   [][]byte
	end       int64
	committed int64
	file      []byte // a coordinator's snapshot
	cleaned   int64  // compacted below
}

// tail is a leadership of it.
type tail struct {
	d       *disk
	epoch   int32
	refuses error // what Check and Append say
	waiters []waiter
	noKeep  bool
}

type waiter struct {
	w   coordinator.Waiter
	end int64
}

func (t *tail) LeaderEpoch() int32 { return t.epoch }
func (t *tail) End() int64         { return t.d.end }
func (t *tail) MaxBatchBytes() int { return 1 << 20 }
func (t *tail) Check() error       { return t.refuses }

func (t *tail) Append(batch []byte, _ *coordinator.Txn) (base, end int64, err error) {
	if t.refuses != nil {
		return 0, 0, t.refuses
	}
	b := slices.Clone(batch)
	record.SetBaseOffset(b, t.d.end)
	h, err := record.ParseHeader(b)
	if err != nil {
		return 0, 0, err
	}
	t.d.batches = append(t.d.batches, b)
	base, t.d.end = t.d.end, h.NextOffset()
	return base, t.d.end, nil
}

func (t *tail) Await(w coordinator.Waiter, end int64) (bool, error) {
	if end <= t.d.committed {
		return true, nil
	}
	t.waiters = append(t.waiters, waiter{w, end})
	return false, nil
}

func (t *tail) Replay(_ context.Context, from, to int64, fn func([]byte) error) error {
	for _, b := range t.d.batches {
		h, err := record.ParseHeader(b)
		if err != nil {
			return err
		}
		if h.LastOffset() < from || h.BaseOffset >= to {
			continue
		}
		if err := fn(slices.Clone(b)); err != nil {
			return err
		}
	}
	return nil
}

// sync commits all that is written.
func (t *tail) sync() {
	t.d.committed = t.d.end
	told := t.waiters
	t.waiters = nil
	for _, w := range told {
		w.w.Committed(nil)
	}
}

// crash loses what is not committed from some batch on.
func (d *disk) crash(keep func() bool) {
	for n, b := range d.batches {
		h, err := record.ParseHeader(b)
		if err != nil {
			panic(err)
		}
		if h.BaseOffset >= d.committed && !keep() {
			d.batches, d.end = d.batches[:n], h.BaseOffset
			return
		}
	}
}

// compact keeps the last record of each key below an offset, and no tombstones.
func (d *disk) compact(below int64) {
	last := map[string]int64{}
	d.each(func(offset int64, key, _ []byte) {
		if offset < below {
			last[string(key)] = offset
		}
	})
	for i, b := range d.batches {
		h, err := record.ParseHeader(b)
		if err != nil {
			panic(err)
		}
		if h.BaseOffset >= below {
			break
		}
		nb, err := record.Sift(nil, b, &record.Sifting{Keep: func(offset int64, key []byte, tombstone bool) bool {
			return offset >= below || last[string(key)] == offset && !tombstone
		}})
		if err != nil {
			panic(err)
		}
		if nb == nil {
			nb = record.EmptyBatch(nil, &h)
		}
		d.batches[i] = nb
	}
	d.file, d.cleaned = nil, max(d.cleaned, below)
}

// each gives all records in their order.
func (d *disk) each(fn func(offset int64, key, value []byte)) {
	for _, b := range d.batches {
		h, err := record.ParseHeader(b)
		if err != nil {
			panic(err)
		}
		if h.Count == 0 {
			continue
		}
		err = record.Walk(b, 0, func(r *record.Record) bool {
			fn(h.BaseOffset+int64(r.OffsetDelta), r.Key, r.Value)
			return true
		})
		if err != nil {
			panic(err)
		}
	}
}

// at is a timer's record.
func (d *disk) at(offset int64) (key string, t schema.Timer, ok bool) {
	d.each(func(o int64, k, v []byte) {
		if o != offset || v == nil {
			return
		}
		kind, rest, err := schema.ParseKey(k)
		if err != nil || kind != schema.KindTimer {
			return
		}
		if t, err = schema.ParseTimer(slices.Clone(v)); err == nil {
			key, ok = string(rest), true
		}
	})
	return key, t, ok
}

// The tail keeps snapshots.

func (t *tail) Identity() string { return "id/timers-0" }

func (t *tail) Keep(file []byte, offset int64) error {
	if offset < t.d.cleaned {
		return wire.KafkaStorageError // a tombstone that it lacks may be gone
	}
	t.d.file = slices.Clone(file)
	return nil
}

func (t *tail) Kept(int) ([]byte, error) { return t.d.file, nil }

func (t *tail) Continues(offset int64, _ int32) bool { return offset <= t.d.end && !t.noKeep }

// part is a partition that timers go to, with Kafka's rules about sequences.
type part struct {
	lastID  int64
	lastSeq int32
	batch   []int32 // first sequence of each batch of lastID
	values  []string
}

// world is everything around a shard.
type world struct {
	t      *testing.T
	disk   *disk
	tail   *tail
	shard  *coordinator.Stepped
	m      *Machine  // its own
	now    time.Time // of waits
	wall   time.Time // of what is due
	next   time.Time // when the shard wants to look at the clock; zero: never
	parts  map[spot]*part
	topics map[string]Topic
	nextID int64
	due    map[string]int64 // by value: when it is due
	works  []work
	later  []func()
	wants  string   // what the last of them brings
	gone   []string // values that were given up
	fails  func(f Flight) error
	lost   int // answers that a crash has lost
}

// work is a flight that is under way.
type work struct {
	ctx  context.Context
	f    Flight
	done func(Landed)
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, disk: &disk{}, now: time.UnixMilli(1_000_000), wall: time.UnixMilli(5_000_000), parts: map[spot]*part{}, due: map[string]int64{},
		topics: map[string]Topic{
			"orders": {Partitions: 3, MaxBatchBytes: 1 << 20}, "small": {Partitions: 1, MaxBatchBytes: 300}, "other": {Partitions: 1, MaxBatchBytes: 1 << 20},
		},
	}
	w.lead()
	return w
}

// lead begins the next leadership, of a machine that knows nothing.
func (w *world) lead() {
	epoch := int32(0)
	if w.tail != nil {
		epoch = w.tail.epoch + 1
	}
	w.tail = &tail{d: w.disk, epoch: epoch}
	w.works, w.later = nil, nil
	w.shard = coordinator.NewStepped(coordinator.SteppedOptions{
		Options: coordinator.Options{
			Topic: "timers", New: func(p int32) coordinator.Machine {
				w.m = New(Options{Shard: p, Topic: func(name string) (Topic, bool) { x, ok := w.topics[name]; return x, ok }, Carrier: w})
				return w.m
			},
			Now: func() time.Time { return w.now }, Wall: func() time.Time { return w.wall }, SnapshotBytes: 2000,
		},
		Later: func(do func()) { w.later = append(w.later, do) },
		Ring:  func() {},
	})
	w.shard.Lead(w.tail)
	w.step()
}

// step lets the shard do what there is to do.
func (w *world) step() {
	for range 3 {
		at, ok := w.shard.Step(w.now)
		w.next = time.Time{}
		if ok {
			w.next = at
		}
		if !ok || at.After(w.now) {
			return
		}
	}
}

// crash ends the shard and all that goes on, and begins again.
func (w *world) crash(keep func() bool) {
	w.lost += len(w.works)
	w.disk.crash(keep)
	w.lead()
}

// Carry implements Carrier.
func (w *world) Carry(ctx context.Context, f Flight, done func(Landed)) {
	w.works = append(w.works, work{ctx, f, done})
}

// Keys implements Carrier.
func (w *world) Keys(_ context.Context, _ int32, offsets []int64, done func([]string, error)) {
	w.wants = "keys are"
	w.later = append(w.later, func() {
		keys := make([]string, len(offsets))
		for i, offset := range offsets {
			keys[i], _, _ = w.disk.at(offset)
		}
		done(keys, nil)
	})
}

// ProducerID implements Carrier.
func (w *world) ProducerID(_ context.Context, done func(int64, error)) {
	w.nextID++
	id := w.nextID
	w.wants = "a producer id is"
	w.later = append(w.later, func() { done(id, nil) })
}

// GivenUp implements Carrier.
func (w *world) GivenUp(f Flight, _ Landed) {
	for _, offset := range f.Offsets {
		if _, t, ok := w.disk.at(offset); ok {
			w.gone = append(w.gone, string(t.Value))
		}
	}
}

// land carries out the n-th flight under way; tell is false when nobody hears of it.
func (w *world) land(n int, tell bool) {
	x := w.works[n]
	l := w.carry(x.f)
	if tell {
		w.works = slices.Delete(w.works, n, n+1)
		x.done(l)
		w.step()
	}
}

func (w *world) carry(f Flight) (l Landed) {
	var values []string
	for _, offset := range f.Offsets {
		key, t, ok := w.disk.at(offset)
		if !ok {
			w.disk.each(func(o int64, k, v []byte) { w.t.Logf("%d %q %x", o, k, v) })
			w.t.Fatalf("the payload at offset %d is not in the log, and it flies: %+v; committed %d, end %d, target %+v", offset, f, w.disk.committed, w.disk.end, w.m.targets[spot{f.Topic, f.Partition}])
		}
		if offset >= w.disk.committed {
			w.t.Fatalf("the timer at offset %d flies and is not committed", offset)
		}
		if t.DueMs > w.wall.UnixMilli() {
			w.t.Fatalf("%s goes %d ms before its time", key, t.DueMs-w.wall.UnixMilli())
		}
		l.Keys, values = append(l.Keys, key), append(values, string(t.Value))
	}
	if w.fails != nil {
		if l.Err = w.fails(f); l.Err != nil {
			return l
		}
	}
	if _, ok := w.topics[f.Topic]; !ok {
		l.Err = wire.UnknownTopicOrPartition
		return l
	}
	at := spot{f.Topic, f.Partition}
	p := w.parts[at]
	if p == nil {
		p = &part{lastID: -1}
		w.parts[at] = p
	}
	switch {
	case p.lastID == f.ProducerID && slices.Contains(p.batch, f.Sequence):
	case p.lastID == f.ProducerID && f.Sequence != after(p.lastSeq, 1):
		l.Err = wire.OutOfOrderSequenceNumber
	default:
		if p.lastID != f.ProducerID {
			p.batch = nil
		}
		p.lastID, p.lastSeq = f.ProducerID, after(f.Sequence, len(values)-1)
		p.batch = append(p.batch, f.Sequence)
		p.values = append(p.values, values...)
	}
	return l
}

// settle lets all that can happen happen, the clock standing still but for waits.
func (w *world) settle() {
	for range 10_000 {
		w.step()
		switch {
		case len(w.later) > 0:
			do := w.later[0]
			w.later = w.later[1:]
			do()
		case len(w.works) > 0:
			w.land(0, true)
		case len(w.tail.waiters) > 0:
			w.tail.sync()
		case w.retries() && !w.next.IsZero():
			w.now = w.next
		default:
			return
		}
	}
	w.t.Fatal("it does not come to rest")
}

// retries tells whether a flight waits to be tried again.
func (w *world) retries() bool {
	for _, g := range w.m.sortedTargets() {
		if g.busy && g.tries > 0 {
			return true
		}
	}
	return false
}

// pass lets time pass for both clocks.
func (w *world) pass(d time.Duration) {
	w.now, w.wall = w.now.Add(d), w.wall.Add(d)
	w.step()
}

// do gives a command; what it is answered comes to said.
func (w *world) do(cmd any, said func(any, error)) {
	w.shard.Do(context.Background(), cmd, said)
	w.step()
}

// must gives a command and waits for its reply.
func (w *world) must(cmd any) any {
	w.t.Helper()
	var body any
	err := fmt.Errorf("no answer")
	w.do(cmd, func(b any, e error) { body, err = b, e })
	w.settle()
	if err != nil {
		w.t.Fatalf("%T: %v", cmd, err)
	}
	return body
}

// at makes a timer that is due in so long.
func (w *world) at(key, topic string, in time.Duration, value string) Timer {
	return Timer{Key: key, Topic: topic, Partition: -1, DueMs: w.wall.Add(in).UnixMilli(), Value: []byte(value)}
}

// values are what a topic has got, in the order of partitions.
func (w *world) values(topic string) []string {
	var out []string
	for i := range w.topics[topic].Partitions {
		if p := w.parts[spot{topic, i}]; p != nil {
			out = append(out, p.values...)
		}
	}
	return out
}

var (
	_ coordinator.Tail   = (*tail)(nil)
	_ coordinator.Keeper = (*tail)(nil)
	_ Carrier            = (*world)(nil)
)
