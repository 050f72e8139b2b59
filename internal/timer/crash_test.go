package timer

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/wire"
)

// seeds is how many runs there are: `go test ./internal/timer -run Crashes -seeds 5000`.
var seeds = flag.Uint64("seeds", 150, "runs of the crash test")

// promise is what is known of a key, as its client has heard it.
type promise struct {
	value   string // that was stored last, acknowledged
	topic   string // that it is for
	unsure  bool   // some command since then was never answered
	pending bool   // one is under way
}

// chaos is a run by a seed: clients that set and cancel, a shard that crashes, a disk
// that loses what is not committed and compacts what is, partitions that refuse.
type chaos struct {
	*world
	rng     *rand.Rand
	keys    map[string]*promise
	want    map[string]bool // values that must be there at the end
	never   map[string]bool // values that must not
	every   map[string]bool // all that were ever sent
	ended   map[string]int  // of topics that were cleared: how often values were there
	n       int
	crashes int
	cancels int
	clears  int
	cleared map[string]int // clears that were asked for, by topic
	again   int            // flights that were landed and not told
}

func (c *chaos) chance(percent int) bool { return c.rng.IntN(100) < percent }

func (c *chaos) set() {
	k := fmt.Sprintf("k%d", c.rng.IntN(25))
	p := c.keys[k]
	if p == nil {
		p = &promise{}
		c.keys[k] = p
	}
	if p.pending {
		return
	}
	c.n++
	v := fmt.Sprintf("%s=%d", k, c.n)
	topic := []string{"orders", "other", "small"}[c.rng.IntN(3)]
	x := c.at(k, topic, time.Duration(c.rng.IntN(4000)-500)*time.Millisecond, v)
	c.every[v] = true
	p.pending = true
	life, clears := c.crashes, c.cleared[topic]
	old := p.value
	c.do(Set{[]Timer{x}}, func(body any, err error) {
		if life != c.crashes {
			return // the crash itself has told
		}
		p.pending = false
		if err == nil {
			err = body.([]error)[0]
		}
		if err != nil {
			if wire.CodeOf(err) != wire.CoordinatorLoadInProgress {
				p.unsure = true
			}
			return
		}
		// What it replaced may have gone before, or never goes: once at most.
		delete(c.want, old)
		p.value, p.topic, p.unsure = v, topic, false
		c.want[v] = clears == c.cleared[topic] // or it may be cancelled by now
	})
}

func (c *chaos) cancel() {
	k := fmt.Sprintf("k%d", c.rng.IntN(25))
	p := c.keys[k]
	if p == nil || p.pending {
		return
	}
	p.pending = true
	life := c.crashes
	c.do(Cancel{[]string{k}}, func(body any, err error) {
		if life != c.crashes {
			return
		}
		p.pending = false
		if err == nil {
			err = body.([]error)[0]
		}
		if errors.Is(err, ErrGone) {
			return // it is there, or flies, or flew in vain and waits again
		}
		switch {
		case err == nil && !p.unsure && p.value != "":
			delete(c.want, p.value)
			c.never[p.value] = true
			c.cancels++
		default:
			delete(c.want, p.value) // the one that went away may be this one
			p.unsure = p.unsure || err != nil
		}
		p.value = ""
	})
}

// clear cancels all timers for a topic. What was there is gone or appended when it is
// answered, and nothing of it comes behind that.
func (c *chaos) clear() {
	topic := []string{"orders", "other", "small"}[c.rng.IntN(3)]
	var values []string
	for i := range 25 {
		if p := c.keys[fmt.Sprintf("k%d", i)]; p != nil && p.topic == topic && p.value != "" {
			values = append(values, p.value)
			delete(c.want, p.value)
			p.value = ""
		}
	}
	life := c.crashes
	c.cleared[topic]++
	c.do(CancelTopic{topic}, func(_ any, err error) {
		if err != nil || life != c.crashes {
			return
		}
		c.clears++
		there := c.values(topic)
		for _, v := range values {
			c.ended[v] = 0
			if slices.Contains(there, v) {
				c.ended[v] = 1
			}
		}
	})
}

// die crashes the shard: who waits will never know.
func (c *chaos) die() {
	c.crashes++
	for _, p := range c.keys {
		if p.pending {
			p.pending, p.unsure = false, true
			delete(c.want, p.value)
		}
	}
	c.crash(func() bool { return c.chance(50) })
}

func (c *chaos) event() {
	switch n := c.rng.IntN(100); {
	case n < 30:
		c.set()
	case n < 37:
		c.cancel()
	case n < 38:
		c.clear()
	case n < 58:
		c.tail.sync()
		c.step()
	case n < 75:
		if len(c.works) > 0 {
			c.land(c.rng.IntN(len(c.works)), true)
		}
	case n < 78:
		if len(c.works) > 0 {
			c.again++
			c.land(c.rng.IntN(len(c.works)), false)
		}
	case n < 84:
		if len(c.later) > 0 {
			do := c.later[0]
			c.later = c.later[1:]
			do()
			c.step()
		}
	case n < 96:
		c.pass(time.Duration(c.rng.IntN(300)) * time.Millisecond)
	case n < 98:
		c.disk.compact(c.rng.Int64N(c.disk.committed + 1))
	default:
		c.die()
	}
}

// None is lost, none goes twice, none goes that was cancelled, whatever is lost when.
func TestEveryTimerIsAppendedOnceWhateverCrashes(t *testing.T) {
	var crashes, cancels, clears, again, values, snaps int
	for seed := range *seeds {
		c := &chaos{
			world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 11)), keys: map[string]*promise{},
			want: map[string]bool{}, never: map[string]bool{}, every: map[string]bool{}, ended: map[string]int{}, cleared: map[string]int{},
		}
		c.fails = func(f Flight) error {
			if p := c.parts[spot{f.Topic, f.Partition}]; c.chance(5) && (p == nil || p.lastID != f.ProducerID || !slices.Contains(p.batch, f.Sequence)) {
				return wire.UnknownProducerID // it is not there, and goes under another
			}
			if c.chance(15) {
				return []error{wire.NotLeaderOrFollower, wire.RequestTimedOut, wire.NotEnoughReplicas}[c.rng.IntN(3)]
			}
			return nil
		}
		for range 600 {
			c.event()
			if c.disk.file != nil {
				snaps++
			}
		}
		c.fails = nil
		c.settle()
		c.pass(time.Hour)
		c.settle()
		count := map[string]int{}
		for _, topic := range []string{"orders", "other", "small"} {
			for _, v := range c.values(topic) {
				count[v]++
			}
		}
		for v, n := range count {
			if n > 1 || !c.every[v] || c.never[v] {
				t.Errorf("seed %d: %q was appended %d times (sent %t, cancelled %t)", seed, v, n, c.every[v], c.never[v])
			}
		}
		for v, want := range c.want {
			if want && count[v] != 1 {
				t.Errorf("seed %d: %q was appended %d times, want once", seed, v, count[v])
			}
		}
		for v, n := range c.ended {
			if count[v] != n {
				t.Errorf("seed %d: %q was appended %d times, and %d times when its topic was cleared", seed, v, count[v], n)
			}
		}
		if got := c.must(Count{}).(Counted); got.Waiting != 0 {
			t.Errorf("seed %d: %+v are left", seed, got)
		}
		if t.Failed() {
			return
		}
		crashes, cancels, clears, again, values = crashes+c.crashes, cancels+c.cancels, clears+c.clears, again+c.again, values+len(count)
	}
	if crashes < 500 || cancels < 500 || clears < 300 || again < 500 || values < 5_000 || snaps == 0 {
		t.Errorf("%d crashes, %d cancelled, %d topics cleared, %d flights that landed unheard, %d values, %d times with a snapshot: a fault was hardly met",
			crashes, cancels, clears, again, values, snaps)
	}
}

// A machine that was told its own snapshot and one that has read the whole log go on
// alike.
func TestASnapshotIsTheStateWithoutThePayloads(t *testing.T) {
	w := newWorld(t)
	for i := range 9000 {
		w.do(Set{[]Timer{w.at(fmt.Sprint("k", i), []string{"orders", "other"}[i%2], time.Duration(i)*time.Second, fmt.Sprint(i))}}, func(any, error) {})
	}
	w.settle()
	w.must(TakeUp{"L-1", -1, 77, nil})
	w.must(Cancel{[]string{"k7", "k8"}})
	w.pass(time.Minute)
	w.settle()
	m := New(w.m.o)
	size := 0
	for r := range w.m.Records() {
		size += len(r.Value)
		r.Offset = -1
		m.Apply(r)
	}
	m.timers.Tighten()
	if m.timers.Len() != w.m.timers.Len() || m.lineAt("L-1") != 77 || len(m.targets) != len(w.m.targets) {
		t.Fatalf("%d timers of %d, line at %d, %d targets of %d", m.timers.Len(), w.m.timers.Len(), m.lineAt("L-1"), len(m.targets), len(w.m.targets))
	}
	if each := size / m.timers.Len(); each > 44 {
		t.Errorf("a timer takes %d bytes of a snapshot", each)
	}
	for {
		a, b := m.timers.TakeDue(1<<60), w.m.timers.TakeDue(1<<60)
		if a < 0 || b < 0 {
			if a != b {
				t.Error("one has more than the other")
			}
			return
		}
		x, y := m.timers.Get(a), w.m.timers.Get(b)
		x.Topic, y.Topic = 0, 0
		if x != y || m.names[m.timers.Get(a).Topic] != w.m.names[w.m.timers.Get(b).Topic] {
			t.Fatalf("%+v, want %+v", x, y)
		}
	}
}

// recordOf is a record of a log; an empty value is a tombstone.
func recordOf(key, value string) coordinator.Record {
	r := coordinator.Record{Key: []byte(key), Offset: 1}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

func TestWhatIsNotUnderstoodIsKeptAside(t *testing.T) {
	w := newWorld(t)
	for _, kv := range [][2]string{{"", "x"}, {"\x00", "x"}, {"\x00\x09k", "v"}, {"\x00\x00a", "\x00\x09later"}, {"\x00\x01short", "v"}, {"\x00\x02L", "\x00"}} {
		w.m.Apply(recordOf(kv[0], kv[1]))
	}
	n := 0
	for range w.m.Records() {
		n++
	}
	if n != 4 || w.m.timers.Len() != 0 {
		t.Errorf("%d records are told, %d timers", n, w.m.timers.Len())
	}
	w.m.Apply(recordOf("\x00\x09k", ""))
	if len(w.m.aside) != 3 {
		t.Errorf("%d are aside after a tombstone", len(w.m.aside))
	}
	noErrors(t, w.must(Set{[]Timer{w.at("a", "other", 0, "1")}}))
	if got := w.values("other"); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}
