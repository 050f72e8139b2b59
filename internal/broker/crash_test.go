package broker

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"ottla/internal/sim"
	"ottla/internal/wire"
)

// expectation is what was answered so far: how many records each live topic
// must have at least, and which topics may be there or not.
type expectation struct {
	mu      sync.Mutex
	records map[string]int64 // topics that must be there
	open    map[string]bool  // a change of them is under way
}

func (e *expectation) begin(topic string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[topic] = true
	delete(e.records, topic)
}

func (e *expectation) end(topic string, there bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.open, topic)
	if there {
		e.records[topic] = 0
	}
}

func (e *expectation) produced(topic string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.records[topic]++
}

// moment is the disk at one operation, and what it must still hold.
type moment struct {
	what    string
	disk    *sim.Disk
	records map[string]int64
	open    map[string]bool
}

// TestAdminStepsSurvivePowerCuts cuts the power at every operation of a life
// in which topics are created, written, deleted and made again: what was
// answered holds, a deleted topic never returns, and no log is inherited.
func TestAdminStepsSurvivePowerCuts(t *testing.T) {
	d := sim.NewDisk(3)
	if err := errors.Join(d.MkdirAll("/data0", 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	e := &expectation{records: map[string]int64{}, open: map[string]bool{}}
	var moments []moment
	d.OnOp(func(op sim.Op) sim.Action {
		if !op.Kind.Changes() {
			return sim.Action{}
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		m := moment{what: op.String(), disk: d.Clone(uint64(op.Seq)), records: map[string]int64{}, open: map[string]bool{}}
		for k, v := range e.records {
			m.records[k] = v
		}
		for k := range e.open {
			m.open[k] = true
		}
		moments = append(moments, m)
		return sim.Action{}
	})
	live(t, d, e)
	d.OnOp(nil)
	if len(moments) < 50 {
		t.Errorf("only %d operations", len(moments))
	}
	for _, m := range moments {
		m.disk.Crash()
		m.disk.Restart()
		m.verify(t)
	}
}

func live(t *testing.T, d *sim.Disk, e *expectation) {
	r := start(t, d, 1)
	create := func(name string) {
		e.begin(name)
		r.create(name, 2)
		e.end(name, true)
	}
	produce := func(name string) {
		r.produce(name, 0, "x")
		e.produced(name)
	}
	remove := func(name string) {
		e.begin(name)
		r.remove(name)
		e.end(name, false)
	}
	create("a")
	produce("a")
	create("b")
	produce("b")
	for _, dir := range r.dirs { // whose checkpoint knows the first a when the second is made
		r.broker.Keep(dir)
	}
	remove("a")
	create("a")
	produce("a")
	produce("a")
	for _, dir := range r.dirs {
		r.broker.Keep(dir)
	}
	remove("b")
	produce("a")
	r.stop()
	r = start(t, d, 1)
	r.awaitRecovery()
	produce("a")
	r.stop()
}

func (m *moment) verify(t *testing.T) {
	t.Helper()
	r := start(t, m.disk, 1)
	defer r.stop()
	r.awaitRecovery()
	for name, n := range m.records {
		p, code := r.broker.ByName([]byte(name), 0)
		if code != wire.None {
			t.Errorf("power cut before %s: %s: %v", m.what, name, code)
			continue
		}
		if o := p.Offsets(); o.LogEnd < n || o.HighWatermark < n || o.LogEnd > n+1 {
			t.Errorf("power cut before %s: %s has %+v, want %d records (or one more that was on its way)", m.what, name, o, n)
		}
	}
	for topic := range r.broker.Image().Topics() {
		if _, must := m.records[topic.Name]; !must && !m.open[topic.Name] {
			t.Errorf("power cut before %s: topic %s is back", m.what, topic.Name)
		}
	}
	entries, err := m.disk.ReadDir("/data0")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range entries {
		if strings.HasSuffix(x.Name(), "-stray") && len(m.open) == 0 {
			t.Errorf("power cut before %s: %s is a stray, and no deletion was under way", m.what, x.Name())
		}
	}
	// Names are free again, and begin at 0.
	fresh := fmt.Sprintf("c%d", len(m.records))
	r.create(fresh, 1)
	if a := r.produce(fresh, 0, "x"); a.BaseOffset != 0 {
		t.Errorf("power cut before %s: a new topic begins at %d", m.what, a.BaseOffset)
	}
	if _, code := r.broker.ByName([]byte("b"), 0); code != wire.None && !m.open["b"] {
		r.create("b", 2)
		if a := r.produce("b", 0, "x"); a.BaseOffset != 0 {
			t.Errorf("power cut before %s: b, made again, begins at %d", m.what, a.BaseOffset)
		}
	}
}

var errIO = errors.New("input/output error")

// A directory whose sync fails is offline: its partitions say so, the others
// live, and so does the broker.
func TestOfflineDirectoryLeavesTheRestAlive(t *testing.T) {
	d := sim.NewDisk(5)
	r := start(t, d, 2)
	r.create("a", 4)
	for i := range int32(4) {
		r.produce("a", i, "x")
	}
	d.OnOp(func(op sim.Op) sim.Action {
		if op.Kind == sim.OpSync && strings.HasPrefix(op.Name, "/data1/") {
			return sim.Action{Err: errIO}
		}
		return sim.Action{}
	})
	for i := range int32(4) {
		p := r.find("a", i)
		if p.Describe().Dir != "/data1" {
			continue
		}
		if err := appendAndWait(p); !errors.Is(err, wire.KafkaStorageError) {
			t.Errorf("a-%d, whose sync failed, answers %v", i, err)
		}
		break
	}
	offline := 0
	for i := range int32(4) {
		switch p, code := r.broker.ByName([]byte("a"), i); code {
		case wire.KafkaStorageError:
			offline++
		case wire.None:
			if err := appendAndWait(p); err != nil {
				t.Errorf("a-%d on the sound directory: %v", i, err)
			}
		default:
			t.Errorf("a-%d: %v", i, code)
		}
	}
	if offline != 2 {
		t.Errorf("%d partitions are offline, want the 2 of that directory", offline)
	}
	r.create("b", 3)
	for i := range int32(3) {
		if dir := r.find("b", i).Describe().Dir; dir != "/data0" {
			t.Errorf("b-%d was placed in %s, which is offline", i, dir)
		}
		r.produce("b", i, "x")
	}
	if err := r.quorum.Close(); err != nil {
		t.Error(err)
	}
	if err := r.broker.Close(); err == nil || !errors.Is(err, errIO) {
		t.Errorf("Close says %v, want the failure of the directory", err)
	}
}
