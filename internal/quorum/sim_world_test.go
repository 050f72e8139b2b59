package quorum

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"ottla/internal/uuid"
	"ottla/test/simulation/event"
)

// The simulation: members of a quorum, each on a simulated disk, in one
// goroutine on one heap of events. One seed decides everything: sizes, the
// network, the disks, the clocks, what clients and operators do. In the safety
// phase faults come; then they stop, and the quorum must come to life.

// simulating guards the process's random source, which the Raft library draws
// its election jitter from: one simulation at a time.
var simulating sync.Mutex

// world is one simulation.
type world struct {
	t    testing.TB
	seed uint64
	loop *event.Loop
	sent int64 // counts frames on their way

	net, chaos, work, disks *mrand.Rand
	hints                   *mrand.Rand // nil where nobody says who has ended
	o                       simOptions
	nodes                   []*simNode // by node id, from 1
	blocked                 map[[2]int32]bool
	calm                    bool // faults are over
	checker                 *simChecker
	hits                    map[string]int
	nextTopic               int
	lastLeader              int32
	lastWipe                int64
	ops                     []*simOp
	ids                     uint64
	failure                 string // the first: a member may swallow the panic
}

// simOptions are sizes and which faults this seed has.
type simOptions struct {
	Nodes, AutoVoters                     int
	SnapshotBytes                         int64
	Loss, Duplicate                       float64
	MinDelay, MaxDelay                    int64
	Partitions, Crashes, Full, IOErrors   bool
	Members, Wipes, Pauses, Jumps, Resign bool
	ChaosMs, OpMs                         int64
	SafetyMs                              int64
}

func pick1(r *mrand.Rand, of ...int64) int64 { return of[r.IntN(len(of))] }

// choose draws the sizes and faults of a seed: tiny, so that rare paths come
// often, and each fault is off in some.
func chooseOptions(r *mrand.Rand) simOptions {
	some := func(p float64) bool { return r.Float64() < p }
	o := simOptions{
		Nodes: int(pick1(r, 3, 3, 4, 5, 5)), AutoVoters: int(pick1(r, 3, 3, 5)),
		SnapshotBytes: pick1(r, 300, 600, 1500, 5000, 1<<20),
		MinDelay:      pick1(r, 0, 1, 5), MaxDelay: pick1(r, 2, 20, 150, 600),
		Partitions: some(.7), Crashes: some(.8), Full: some(.4), IOErrors: some(.4),
		Members: some(.6), Wipes: some(.5), Pauses: some(.4), Jumps: some(.4), Resign: some(.5),
		ChaosMs: pick1(r, 300, 1000, 3000), OpMs: pick1(r, 20, 100, 400), SafetyMs: pick1(r, 10_000, 30_000),
	}
	if some(.6) {
		o.Loss = r.Float64() * .3
	}
	if some(.5) {
		o.Duplicate = r.Float64() * .2
	}
	o.MaxDelay = max(o.MaxDelay, o.MinDelay+1)
	return o
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, seed: seed, net: event.Stream(seed, "net"), chaos: event.Stream(seed, "chaos"), work: event.Stream(seed, "work"), disks: event.Stream(seed, "disks"),
		o: chooseOptions(event.Stream(seed, "options")), blocked: map[[2]int32]bool{}, hits: map[string]int{},
		loop: event.NewLoop(), nodes: make([]*simNode, 1),
	}
	w.checker = newSimChecker(w)
	return w
}

// simEpoch is the time at which a simulation begins, in ms.
const simEpoch = 1_700_000_000_000

// now is the virtual time in ms.
func (w *world) now() int64 { return simEpoch + w.loop.Now().Milliseconds() }

// note puts something that happened into the trace.
func (w *world) note(format string, args ...any) { w.loop.Note(format, args...) }

func (w *world) hit(what string) { w.hits[what]++ }

// fail ends the simulation with what is wrong and how to see it again.
func (w *world) fail(format string, args ...any) {
	if w.failure == "" {
		w.failure = fmt.Sprintf(format, args...) + fmt.Sprintf(" (at %d ms, options %+v)", w.loop.Now().Milliseconds(), w.o)
	}
	panic(simFailure(w.failure))
}

type simFailure string

// at has do happen in so many ms.
func (w *world) at(delay int64, do func()) { w.loop.After(time.Duration(delay)*time.Millisecond, do) }

// run lets the time pass.
func (w *world) run(ms int64) { w.loop.Run(w.loop.Now()+time.Duration(ms)*time.Millisecond, nil) }

// deliver sends a frame on its way.
func (w *world) deliver(from, to int32, frame []byte) {
	if int(to) >= len(w.nodes) || to < 1 {
		return
	}
	copies := 1
	if !w.calm {
		if w.net.Float64() < w.o.Loss {
			w.hit("loss")
			return
		}
		if w.net.Float64() < w.o.Duplicate {
			w.hit("duplicate")
			copies = 2
		}
	}
	for range copies {
		delay := w.o.MinDelay + w.net.Int64N(w.o.MaxDelay-w.o.MinDelay)
		if w.calm {
			delay = w.net.Int64N(5)
		}
		if delay > 100 {
			w.hit("delay")
		}
		w.sent++
		sent := w.sent
		w.at(delay, func() {
			if w.blocked[[2]int32{from, to}] && !w.calm {
				w.hit("cut")
				return
			}
			n := w.nodes[to]
			if last := n.lastFrom[from]; last > sent {
				w.hit("reorder")
			} else {
				n.lastFrom[from] = sent
			}
			n.deliver(from, frame)
		})
	}
}

// newID draws directory ids.
func (w *world) newID() uuid.UUID {
	w.ids++
	var id uuid.UUID
	for i := range 8 {
		id[i] = byte(w.ids >> (8 * i))
	}
	id[15] = 0xd
	return id
}

// simResult is what a simulation was.
type simResult struct {
	hash    uint64
	hits    map[string]int
	failure string
	ms      int64
}

// simulate runs one seed.
func simulate(t testing.TB, seed uint64, trace func(string)) simResult {
	return simulateWorld(t, seed, trace, func(w *world) {
		if hints := event.Stream(seed, "hints"); hints.IntN(4) > 0 {
			w.hints = hints
		}
	})
}

// simulateWorld runs one seed in a world that setUp changed.
func simulateWorld(t testing.TB, seed uint64, trace func(string), setUp func(*world)) (res simResult) {
	simulating.Lock()
	defer simulating.Unlock()
	source := rand.Reader
	rand.Reader = event.Bytes{R: event.Stream(seed, "raft")}
	defer func() { rand.Reader = source }()
	w := newWorld(t, seed)
	w.loop.Trace = trace
	setUp(w)
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(simFailure); !ok {
				panic(p)
			}
		}
		res.failure = w.failure
		for _, n := range w.nodes[1:] {
			n.countDisk()
		}
		res.hash, res.hits, res.ms = w.loop.Hash(), w.hits, w.loop.Now().Milliseconds()
	}()
	w.begin()
	w.run(w.o.SafetyMs)
	w.liveness()
	for _, n := range w.nodes[1:] {
		w.note("disk %x", n.disk.Trace())
	}
	return res
}

// begin founds the quorum on node 1; the others join.
func (w *world) begin() {
	w.note("options %+v", w.o)
	for id := int32(1); int(id) <= w.o.Nodes; id++ {
		n := &simNode{w: w, id: id, lastFrom: map[int32]int64{}, joining: id > 1}
		w.nodes = append(w.nodes, n)
		n.newDisk()
		n.start()
	}
	w.at(1, w.clientStep)
	w.at(500, w.chaosStep)
	w.at(50, w.joinStep)
	if w.hints != nil {
		w.at(300, w.hintStep)
	}
}

// liveness: the faults stop; within a minute there is a leader that all follow,
// it takes a command, and everyone has the same.
func (w *world) liveness() {
	w.calm = true
	w.checker.acksAtCalm = w.checker.acks
	clear(w.blocked)
	for _, n := range w.nodes[1:] {
		n.heal()
	}
	var why string
	for range 60 {
		w.run(1000)
		for _, n := range w.nodes[1:] {
			n.heal()
		}
		if why = w.agreed(); why == "" {
			break
		}
	}
	if why != "" {
		w.fail("a minute after the faults: %s", why)
	}
	w.checker.finish()
}

// agreed tells what is missing for everyone to be at one.
func (w *world) agreed() string {
	var lead *simNode
	for _, n := range w.nodes[1:] {
		if n.m == nil {
			return fmt.Sprintf("node %d is down", n.id)
		}
		if n.m.leading {
			if lead != nil {
				return "two lead"
			}
			lead = n
		}
	}
	if lead == nil {
		var all []string
		for _, n := range w.nodes[1:] {
			all = append(all, n.String())
		}
		return "nobody leads: " + strings.Join(all, "; ")
	}
	if w.checker.acks == w.checker.acksAtCalm {
		return "no command was acknowledged"
	}
	for _, n := range w.nodes[1:] {
		switch {
		case n.m.waiting || n.m.removed:
			return fmt.Sprintf("%s is not in the quorum", n)
		case n.m.leader != lead.id:
			return fmt.Sprintf("%s does not follow node %d", n, lead.id)
		case lead.m.applied-min(n.m.applied, lead.m.applied) > 20:
			return fmt.Sprintf("%s lags behind %s", n, lead)
		}
	}
	if voters, want := len(lead.m.voters.byID), min(w.o.AutoVoters, w.o.Nodes); voters < want && !w.noVotes(lead) {
		return fmt.Sprintf("%d voters, want %d: %s", voters, want, lead)
	}
	return ""
}

// noVotes tells whether an order keeps members from a vote.
func (w *world) noVotes(lead *simNode) bool {
	for _, l := range lead.m.voters.learners {
		if l.NoVote {
			return true
		}
	}
	return false
}

func simTime(ms int64) time.Time { return time.UnixMilli(ms) }
