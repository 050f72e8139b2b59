package txn

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ottla/internal/wire"
)

// errSimLost is what a caller hears when the power was cut.
var errSimLost = wire.Errorf(wire.NotCoordinator, "the power was cut")

// simWorld is a coordinator with its log, partitions and producers, stepped in
// one goroutine by a seed. Logs commit when a step says so, answers get lost,
// producers go away or take each other's place, and the power is cut.
type simWorld struct {
	t        *testing.T
	rnd      *rand.Rand
	settings Settings
	level    int16
	now      time.Time
	shard    *simShard
	parts    []*simPartition
	clients  []*simClient
	marks    []*simMark
	txns     []*simTxn
	begun    int
	fresh    int64
	draining bool
	given    map[string]*simClient // identities, and to whom they were given
	met      map[string]int
}

// simIDs is how many transactional ids there are.
const simIDs = 3

// simMark is a marker that is being written.
type simMark struct {
	Marker
	done func(error)
	left []TopicPartition // not written yet
	at   map[int]int      // where it lies, by partition
}

func newSimWorld(t *testing.T, seed uint64) *simWorld {
	w := &simWorld{
		t: t, rnd: rand.New(rand.NewPCG(seed, 11)), settings: Defaults(), level: int16(seed % 3), now: start,
		given: map[string]*simClient{}, met: map[string]int{},
	}
	for range 3 {
		w.parts = append(w.parts, newSimPartition())
	}
	w.shard = newSimShard(w)
	for i := range simIDs {
		w.join(fmt.Sprint("id", i))
	}
	return w
}

func (w *simWorld) join(id string) {
	version := V2
	if w.level < 2 || w.rnd.IntN(3) == 0 {
		version = V0
	}
	w.clients = append(w.clients, &simClient{w: w, id: id, version: version, pid: -1, epoch: -1})
}

func (w *simWorld) freshID() int64 {
	w.fresh++
	return w.fresh
}

// Write implements Markers.
func (w *simWorld) Write(_ context.Context, m Marker, done func(error)) {
	if !w.shard.decided(&m) {
		w.t.Errorf("the marker of %s is begun before its decision is committed: %+v", m.ID, m)
	}
	w.marks = append(w.marks, &simMark{Marker: m, done: done, left: slices.Clone(m.Partitions), at: map[int]int{}})
}

// step does one thing that may happen.
func (w *simWorld) step() {
	switch n := w.rnd.IntN(40); {
	case n < 20 && len(w.clients) > 0:
		w.clients[w.rnd.IntN(len(w.clients))].act()
	case n < 25:
		w.shard.commit()
	case n < 28:
		p := w.parts[w.rnd.IntN(len(w.parts))]
		p.synced = len(p.log)
	case n < 34:
		w.mark()
	case n < 38:
		w.shard.tick()
	case n < 39:
		w.now = w.now.Add(time.Duration(w.rnd.IntN(20_000)) * time.Millisecond)
	case w.rnd.IntN(2) == 0:
		w.change()
	}
}

// change lets a producer leave its work where it is, or another one come.
func (w *simWorld) change() {
	if w.rnd.IntN(2) == 0 || len(w.clients) == 0 {
		w.join(fmt.Sprint("id", w.rnd.IntN(simIDs)))
		return
	}
	i := w.rnd.IntN(len(w.clients))
	w.clients[i].step = simGone
	w.clients = slices.Delete(w.clients, i, i+1)
	w.met["left alone"]++
}

// mark goes on with a marker: writes it into a partition, or notes that it is
// synced everywhere.
func (w *simWorld) mark() {
	if len(w.marks) == 0 {
		return
	}
	i := w.rnd.IntN(len(w.marks))
	m := w.marks[i]
	if len(m.left) > 0 {
		tp := m.left[0]
		m.left = m.left[1:]
		if p := w.parts[tp.Partition]; p.mark(&m.Marker) {
			m.at[int(tp.Partition)] = len(p.log)
		} else {
			w.met["marker fenced"]++
		}
		return
	}
	for p, end := range m.at {
		if end > w.parts[p].synced {
			return
		}
	}
	w.marks = slices.Delete(w.marks, i, i+1)
	m.done(nil)
}

// cut takes the power from everything at once.
func (w *simWorld) cut() {
	w.met["power cut"]++
	w.marks = nil
	for _, p := range w.parts {
		p.cut(w.rnd)
	}
	w.shard.cut(w.rnd)
}

// lose makes the coordinator alone forget what is not committed and load again,
// as after a write that failed. What writes markers has stopped by then.
func (w *simWorld) lose() {
	w.met["load"]++
	w.marks = nil
	w.shard.cut(w.rnd)
}

// noteIdentity holds that no identity is given to two producers.
func (w *simWorld) noteIdentity(c *simClient) {
	key := fmt.Sprint(c.pid, "/", c.epoch)
	if other := w.given[key]; other != nil && other != c {
		w.t.Errorf("producer %s was given to two", key)
	}
	w.given[key] = c
}

// noteEnd holds that who is told of an end finds it in every partition, where
// no power cut can take it away.
func (w *simWorld) noteEnd(t *simTxn) {
	w.met[fmt.Sprint("told of commit ", t.commit)]++
	w.checkTxn(t, func(p *simPartition) int { return p.synced })
}

// checkTxn holds that a transaction is there as a whole or not at all, in the
// part of each log that end tells, and as its producer was told.
func (w *simWorld) checkTxn(t *simTxn, end func(*simPartition) int) {
	w.t.Helper()
	seen := 0
	for i, at := range t.parts {
		values, _ := w.parts[at].visible(end(w.parts[at]))
		n := values[t.value(i)]
		if n > 1 {
			w.t.Errorf("%q is there %d times", t.value(i), n)
		}
		seen += n
	}
	switch {
	case seen != 0 && seen != len(t.parts):
		w.t.Errorf("%s is torn: %d of %d partitions have it", t.name, seen, len(t.parts))
	case t.told && t.commit && seen == 0:
		w.t.Errorf("%s was committed, its producer knows, and nobody can read it", t.name)
	case seen > 0 && (!t.commit || !t.asked):
		w.t.Errorf("%s can be read, and its producer never committed it", t.name)
	}
}

// drain lets everything that has begun come to its end.
func (w *simWorld) drain() {
	w.draining = true
	for range 400 {
		for _, c := range w.clients {
			c.act()
		}
		w.settle()
	}
	w.now = w.now.Add(simTimeout + w.settings.AbortInterval + time.Second)
	for range 20 {
		w.settle()
	}
}

func (w *simWorld) settle() {
	w.shard.commit()
	for w.shard.tick() {
	}
	w.shard.commit()
	for range 10 {
		w.mark()
	}
	for _, p := range w.parts {
		p.synced = len(p.log)
	}
	for range 10 {
		w.mark()
	}
}

// check holds what must be true in the end.
func (w *simWorld) check() {
	w.t.Helper()
	for i, p := range w.parts {
		if _, open := p.visible(len(p.log)); open > 0 {
			w.t.Errorf("partition %d holds %d transactions that nobody ends", i, open)
		}
	}
	for _, t := range w.txns {
		w.checkTxn(t, func(p *simPartition) int { return len(p.log) })
	}
	again := New(Options{})
	for _, r := range w.shard.log {
		again.Apply(r)
	}
	if got, want := bare(slices.Collect(again.Records())), bare(slices.Collect(w.shard.m.Records())); !slices.Equal(got, want) {
		w.t.Errorf("a replay of %d records gives other state:\n%q\nwant\n%q", len(w.shard.log), got, want)
	}
	for id, e := range w.shard.m.ids {
		if !e.state.over() {
			w.t.Errorf("%s is %s in the end", id, e.state)
		}
	}
}

// TestTransactionsAreWholeWhateverHappens to coordinator, partitions, producers
// and the power: what a producer was told holds, everything else is there as a
// whole or not at all, and nothing stays open.
func TestTransactionsAreWholeWhateverHappens(t *testing.T) {
	met := map[string]int{}
	for seed := range uint64(300) {
		w := newSimWorld(t, seed)
		for range 600 {
			w.step()
			switch w.rnd.IntN(300) {
			case 0, 1:
				w.cut()
			case 2, 3:
				w.lose()
			}
		}
		w.drain()
		w.check()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		for k, n := range w.met {
			met[k] += n
		}
	}
	for _, what := range []string{"power cut", "load", "left alone", "told of commit true", "told of commit false", "PRODUCER_FENCED", "NETWORK_EXCEPTION", "NOT_COORDINATOR"} {
		if met[what] < 50 {
			t.Errorf("%s was met %d times only", what, met[what])
		}
	}
	t.Logf("met %v", met)
}

// TestThePowerIsCutAtEveryStep of a few lives.
func TestThePowerIsCutAtEveryStep(t *testing.T) {
	const steps = 250
	for seed := range uint64(6) {
		for at := range steps {
			w := newSimWorld(t, seed)
			for i := range steps {
				w.step()
				if i == at {
					w.cut()
				}
			}
			w.drain()
			w.check()
			if t.Failed() {
				t.Fatalf("seed %d, the power is cut after step %d", seed, at)
			}
		}
	}
}
