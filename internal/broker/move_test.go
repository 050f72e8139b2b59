package broker

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/sim"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// settled waits until no move is under way.
func (r *rig) settled() {
	m := &r.broker.moves
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.list) > 0 {
		m.done.Wait()
	}
}

// move sends a partition to a directory and waits until it is there.
func (r *rig) move(topic string, index int32, dir string) {
	r.t.Helper()
	if err := r.broker.Move(topic, index, dir); err != nil {
		r.t.Fatalf("move %s-%d to %s: %v", topic, index, dir, err)
	}
	r.settled()
}

// liesIn tells the directory of a partition, as it is and as the metadata say.
func (r *rig) liesIn(topic string, index int32) (is, named string) {
	r.t.Helper()
	p := r.broker.Image().TopicByName(topic).Partitions[index]
	if at := slices.Index(r.broker.o.Directories, p.Directories[0]); at >= 0 {
		named = r.dirs[at].Path()
	}
	return r.broker.table.byName([]byte(topic)).parts[index].dir().Path(), named
}

func TestNewPartitionsSpreadAndMoveOnDemand(t *testing.T) {
	disk := vfs.NewMem(1 << 30)
	r := start(t, disk, 3)
	r.create("orders", 6)
	count := map[string]int{}
	for i := range int32(6) {
		is, named := r.liesIn("orders", i)
		if count[is]++; is != named {
			t.Errorf("orders-%d lies in %s, and the metadata have it in %s", i, is, named)
		}
	}
	if len(count) != 3 || count["/data0"] != 2 {
		t.Errorf("spread over %v", count)
	}
	for range 5 {
		r.produce("orders", 0, "x")
	}
	before := r.broker.homes.counts[2].Load()
	r.move("orders", 0, "/data2")
	r.produce("orders", 0, "y")
	r.move("orders", 0, "/data2") // it is there
	if is, named := r.liesIn("orders", 0); is != "/data2" || named != "/data2" || r.broker.homes.counts[2].Load() != before+1 {
		t.Errorf("orders-0 lies in %s, named %s, %d there", is, named, r.broker.homes.counts[2].Load())
	}
	if d := r.find("orders", 0).Describe(); d.Dir != "/data2" || d.Offsets.LogEnd != 6 || d.Offsets.HighWatermark != 6 {
		t.Errorf("orders-0 is %+v", d)
	}
	r.stop()
	again := start(t, disk, 3)
	defer again.stop()
	again.awaitRecovery()
	if is, _ := again.liesIn("orders", 0); is != "/data2" || again.find("orders", 0).Offsets().LogEnd != 6 {
		t.Errorf("after a restart orders-0 lies in %s with %+v", is, again.find("orders", 0).Offsets())
	}
	again.produce("orders", 0, "z")
}

func TestMovesThatCannotBeAreRefused(t *testing.T) {
	r := start(t, vfs.NewMem(1<<30), 2)
	defer r.stop()
	long := strings.Repeat("x", 249)
	r.create("orders", 1)
	r.create(long, 1)
	for _, c := range []struct {
		topic string
		index int32
		dir   string
		want  wire.Code
	}{
		{"orders", 0, "/data7", wire.LogDirNotFound}, {"orders", 7, "/data1", wire.UnknownTopicOrPartition}, {"orders", -1, "/data1", wire.UnknownTopicOrPartition},
		{"nope", 0, "/data1", wire.UnknownTopicOrPartition}, {long, 0, "/data1", wire.InvalidTopic}, {"orders", 0, "/data0", wire.None},
	} {
		if got := wire.CodeOf(r.broker.Move(c.topic, c.index, c.dir)); got != c.want {
			t.Errorf("%.10s-%d to %s: %v, want %v", c.topic, c.index, c.dir, got, c.want)
		}
	}
	r.settled()
}

// A move is taken back when the partition is sent elsewhere, or its topic is
// deleted; it then leaves nothing behind.
func TestMovesAreTakenBack(t *testing.T) {
	disk := vfs.NewMem(1 << 30)
	r := start(t, disk, 3)
	defer r.stop()
	r.create("orders", 1)
	r.create("gone", 1)
	r.produce("orders", 0, "x")
	r.produce("gone", 0, "x")
	orders, gone := r.broker.table.byName([]byte("orders")).parts[0], r.broker.table.byName([]byte("gone")).parts[0]
	m := &r.broker.moves
	m.mu.Lock() // the mover comes no further than its next look at the list
	m.list = append(m.list, &moving{h: orders, to: 2, cancelled: true}, &moving{h: gone, to: 2})
	m.mu.Unlock()
	if got := r.broker.Moves(); len(got) != 1 || got[0].Topic != "gone" || got[0].Lag != 1 {
		t.Errorf("under way: %+v", got)
	}
	r.remove("gone")
	r.move("orders", 0, "/data1")
	if is, _ := r.liesIn("orders", 0); is != "/data1" {
		t.Errorf("orders-0 lies in %s", is)
	}
	entries, err := disk.ReadDir("/data2")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			t.Errorf("/data2 has %s", e.Name())
		}
	}
}

// movingLife creates, writes and moves between two directories.
func movingLife(t *testing.T, d *sim.Disk, e *expectation) {
	r := start(t, d, 2)
	e.begin("a")
	r.create("a", 1)
	e.end("a", true)
	produce := func() {
		r.produce("a", 0, "x")
		e.produced("a")
	}
	for range 4 {
		produce()
	}
	for _, to := range []string{"/data1", "/data0", "/data1"} {
		if err := r.broker.Move("a", 0, to); err != nil {
			t.Fatal(err)
		}
		produce()
		r.settled()
		produce()
		for _, dir := range r.dirs {
			r.broker.Keep(dir)
		}
	}
	r.stop()
	r = start(t, d, 2)
	r.awaitRecovery()
	produce()
	r.stop()
}

func TestPowerCutsInMovesLoseNothing(t *testing.T) {
	d := sim.NewDisk(5)
	if err := errors.Join(d.MkdirAll("/data0", 0o755), d.MkdirAll("/data1", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	e := &expectation{records: map[string]int64{}, open: map[string]bool{}}
	var moments []moment
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind.Changes() {
			e.mu.Lock()
			defer e.mu.Unlock()
			moments = append(moments, moment{what: op.String(), disk: d.Clone(uint64(op.Seq)), records: map[string]int64{"a": e.records["a"]}, open: map[string]bool{"a": e.open["a"]}})
			if e.records["a"] == 0 {
				delete(moments[len(moments)-1].records, "a")
			}
		}
		return sim.Action{}
	})
	movingLife(t, d, e)
	d.OnOp(nil)
	for _, m := range moments {
		m.disk.Crash()
		m.disk.Restart()
		m.afterMoves(t)
	}
	if len(moments) < 150 {
		t.Errorf("only %d operations", len(moments))
	}
}

// afterMoves starts on what a power cut left: what was promised is there, in
// one directory, and a move that was under way is finished or forgotten.
func (m *moment) afterMoves(t *testing.T) {
	t.Helper()
	r := start(t, m.disk, 2)
	r.awaitRecovery()
	r.settled()
	n, must := m.records["a"]
	p, code := r.broker.ByName([]byte("a"), 0)
	if must && code != wire.None {
		t.Errorf("power cut before %s: %v", m.what, code)
	}
	if must && code == wire.None {
		if o := p.Offsets(); o.HighWatermark < n || o.LogEnd > n+1 {
			t.Errorf("power cut before %s: %+v, want %d records (or one more that was on its way)", m.what, o, n)
		}
		r.produce("a", 0, "after")
	}
	r.stop()
	held := 0
	for _, dir := range []string{"/data0", "/data1"} {
		entries, err := m.disk.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range entries {
			if strings.HasSuffix(x.Name(), "-future") {
				t.Errorf("power cut before %s: %s/%s is left", m.what, dir, x.Name())
			}
			if x.Name() == "a-0" {
				held++
			}
		}
	}
	if must && held != 1 {
		t.Errorf("power cut before %s: %d directories hold it", m.what, held)
	}
}

// A cleaned log has gaps that are right: they are right in the copy too, and
// it is cleaned on where it lies then.
func TestACompactedLogMovesWithItsGaps(t *testing.T) {
	disk := vfs.NewMem(0)
	r := start(t, disk, 2)
	r.create("accounts", 1, set("cleanup.policy", "compact"), set("segment.bytes", "1048576"))
	write := func(from, to int) {
		for i := from; i < to; i++ {
			r.keyed("accounts", fmt.Sprint("key", i%7), fmt.Sprint("v", i))
		}
	}
	holds := func(when string, last, most int) {
		t.Helper()
		got, n := r.values("accounts")
		for i := range 7 {
			if want := fmt.Sprint("v", last-(last-i)%7); got[fmt.Sprint("key", i)] != want {
				t.Errorf("%s: key%d is %q, want %q", when, i, got[fmt.Sprint("key", i)], want)
			}
		}
		if n > most {
			t.Errorf("%s: %d records are left", when, n)
		}
	}
	write(0, 120)
	r.tidy()
	r.move("accounts", 0, "/data1")
	holds("moved", 119, 60)
	write(120, 240)
	r.tidy()
	holds("cleaned again", 239, 60)
	r.stop()
	r = start(t, disk, 2)
	r.awaitRecovery()
	holds("after a restart", 239, 60)
	r.move("accounts", 0, "/data0")
	holds("moved back", 239, 60)
	r.stop()
	r = start(t, disk, 2)
	defer r.stop()
	r.awaitRecovery()
	holds("after another restart", 239, 60)
}

// Records are written and read by several while the partition moves to and
// fro: none is lost, doubled or refused for long.
func TestAPartitionMovesUnderLoad(t *testing.T) {
	r := start(t, vfs.NewMem(1<<30), 2)
	defer r.stop()
	r.create("orders", 1, set("segment.bytes", "1048576"))
	p := r.find("orders", 0)
	const writers, each = 4, 60
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := 0; i < each; {
				b := record.NewBuilder()
				b.Add(1, fmt.Append(nil, w, "-", i), bytes.Repeat([]byte{'.'}, 5000))
				var a partition.Appended
				err := p.Append(b.Build(0), &partition.AppendArgs{Acks: -1, AllowZstd: true}, &a)
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				c := make(committed, 1)
				done, err := p.Await(c, a.End, -1)
				if err == nil && !done {
					err = <-c
				}
				if err != nil {
					t.Errorf("await: %v", err)
					return
				}
				i++
			}
		})
	}
	moved := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for at, more := int64(0), true; more; at++ {
			select {
			case <-moved:
				more = false
			default:
			}
			var f partition.Fetched
			if at >= p.Offsets().HighWatermark {
				at = 0
				continue
			}
			if err := p.Fetch(&partition.FetchArgs{Offset: at, MaxBytes: 10, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f); err != nil {
				t.Errorf("fetch at %d: %v", at, err)
				return
			}
			f.Slice.Release()
		}
	})
	for _, to := range []string{"/data1", "/data0", "/data1", "/data0", "/data1"} {
		r.move("orders", 0, to)
	}
	close(moved)
	reading.Wait()
	writing.Wait()
	got, n := r.values("orders")
	if len(got) != writers*each || n != writers*each {
		t.Errorf("%d records with %d keys, want %d", n, len(got), writers*each)
	}
}
