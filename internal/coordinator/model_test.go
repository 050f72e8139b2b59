package coordinator

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"ottla/internal/wire"
)

// world steps a core at random: commands, commits, refusals and losses of the
// log, new leaderships. A counter per key rises by one with each put, so that
// whatever a reply tells can be compared with what the log has.
type world struct {
	t       *testing.T
	rnd     *rand.Rand
	c       *core
	m       *toy
	log     *memLog
	now     time.Time
	epoch   int32
	flights []*flight
	results []result

	next   map[string]int // the value of the next put
	told   map[string]int // replies have said that it is at least this
	asked  int
	heard  int
	passed map[string]int // what was met
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 7)), m: newToy(), now: time.UnixMilli(0), next: map[string]int{}, told: map[string]int{}, passed: map[string]int{}}
	w.log = &memLog{most: 300}
	w.c = newCore(coreOptions{
		topic: "__toys", logger: slog.New(slog.DiscardHandler), metrics: &Metrics{},
		synced: func(f *flight) { w.flights = append(w.flights, f) },
		work:   func(uint64, Work) {},
		keep: func(life uint64, k Keeper, x *snapshot) {
			w.passed["snapshot"]++
			w.results = append(w.results, result{life, kept{k.Keep(x.file, x.end)}})
		},
		snapshotEvery: 400,
		show:          func(phase) {},
	}, 0, w.m)
	return w
}

// TestRepliesSayWhatIsCommitted whatever happens to the log. Each command is
// answered exactly once; the machine is at any time what the log says, with
// what is accepted and not written on top; and a reply never tells a value
// that a later life does not know.
func TestRepliesSayWhatIsCommitted(t *testing.T) {
	met := map[string]int{}
	for seed := range uint64(300) {
		w := newWorld(t, seed)
		w.lead()
		for range 200 {
			w.step()
			w.land()
			w.compare()
		}
		w.c.resign(errIdle)
		if w.asked != w.heard {
			t.Errorf("seed %d: %d commands, %d replies", seed, w.asked, w.heard)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		for k, n := range w.passed {
			met[k] += n
		}
	}
	for _, what := range []string{"NOT_COORDINATOR", "NOT_ENOUGH_REPLICAS", "KAFKA_STORAGE_ERROR", "answered", "snapshot", "lazy"} {
		if met[what] < 100 {
			t.Errorf("%s was met %d times only", what, met[what])
		}
	}
}

func (w *world) step() {
	switch w.rnd.IntN(14) {
	case 0:
		w.log.small = w.rnd.IntN(3) == 0
	case 1:
		w.log.refuse = nil
		if w.rnd.IntN(3) == 0 {
			w.log.refuse = wire.KafkaStorageError
		}
	case 2:
		if w.rnd.IntN(4) == 0 {
			w.log.lose(wire.NotLeaderOrFollower)
			w.land()
			w.lead()
		}
	case 3:
		if w.rnd.IntN(6) == 0 {
			w.lead()
		}
	case 4, 5, 6, 7:
		w.log.commit()
	default:
		w.turn()
	}
	w.now = w.now.Add(time.Second)
}

func (w *world) lead() {
	w.epoch++
	w.log.cleaned = w.rnd.IntN(3) == 0
	if n := len(w.log.file); n > 0 && w.rnd.IntN(4) == 0 {
		w.log.file[w.rnd.IntN(n)] ^= 1 << w.rnd.IntN(8)
	}
	w.c.lead(context.Background(), w.now, w.log.tail(w.epoch))
}

func (w *world) turn() {
	var calls []*call
	for range w.rnd.IntN(8) {
		k := fmt.Sprint("k", w.rnd.IntN(3))
		line, value := "get "+k, -1
		if w.rnd.IntN(2) == 0 {
			w.next[k]++
			value = w.next[k]
			line = fmt.Sprintf("put %s %d", k, value)
			if w.rnd.IntN(3) == 0 {
				line, value = "l"+line, -1 // which tells nothing
				w.passed["lazy"]++
			}
		}
		w.asked++
		answered := false
		calls = append(calls, &call{ctx: context.Background(), body: line, done: func(body any, err error) {
			w.heard++
			if answered {
				w.t.Errorf("%s is answered twice", line)
			}
			answered = true
			w.hear(k, value, body, err)
		}})
	}
	results := w.results
	w.results = nil
	w.c.turn(w.now, results, calls)
}

// hear notes a reply: of a put that it is there, of a get what it said.
func (w *world) hear(key string, value int, body any, err error) {
	if err != nil {
		w.passed[wire.CodeOf(err).Name()]++
		return
	}
	w.passed["answered"]++
	if value < 0 {
		value, _ = strconv.Atoi(body.(string))
	}
	w.told[key] = max(w.told[key], value)
}

// land gives the core what the log has told it.
func (w *world) land() {
	for len(w.flights) > 0 {
		f := w.flights[0]
		w.flights = w.flights[1:]
		w.c.committedTo(w.now, f)
	}
}

// compare holds the machine against the log, and what was told against what is
// committed.
func (w *world) compare() {
	w.t.Helper()
	if w.c.phase != active {
		return
	}
	fresh, committed := newToy(), newToy()
	replayInto := func(m *toy, to int64) {
		c := newCore(w.c.coreOptions, 0, m)
		if err := w.log.tail(w.epoch).Replay(context.Background(), 0, to, c.replay); err != nil {
			w.t.Fatal(err)
		}
	}
	replayInto(fresh, w.log.end)
	replayInto(committed, w.log.high)
	waiting := w.c.builder.Len() > 0
	if waiting && (w.c.hurry || w.c.lazyBy.IsZero()) {
		w.t.Errorf("%d records are accepted and not written after a turn", w.c.builder.Len())
	}
	if !waiting && fresh.String() != w.m.String() {
		w.t.Errorf("the machine says %s, the log %s", w.m, fresh)
	}
	for k, least := range w.told {
		if got, _ := strconv.Atoi(committed.data[k]); got < least {
			w.t.Errorf("a reply said that %s is %d, the committed log has %d", k, least, got)
		}
	}
}
