package cluster

import (
	"fmt"
	"math/rand/v2"
	"time"

	"ottla/internal/uuid"
	"ottla/test/simulation/event"
)

// World is one simulation: nodes, network, clients, and what goes wrong.
type World struct {
	seed uint64
	o    Options
	loop *event.Loop

	net, chaos, work, disks, ids *rand.Rand

	nodes   []*node // by id, from 1
	blocked map[[2]int32]bool
	slow    map[[2]int32]time.Duration // links that take longer
	calm    bool                       // faults are over
	clients []client
	rules   *rules
	hits    map[string]int
	broken  string // the first thing found wrong

	rotter   int32     // the node whose disk rots
	guest    *node     // that joined later, and leaves again
	ruined   bool      // all copies of something are damaged
	lostDisk uuid.UUID // the directory that was lost last

	sabotage Sabotage
}

// client is a workload: what it has begun it ends once it is told to.
type client interface {
	// start begins.
	start()
	// finish asks it to begin nothing new; idle tells what is still open, nothing
	// when all is done.
	finish()
	idle() string
}

// Failure is what ends a simulation.
type Failure string

// epoch is the time at which a simulation begins.
var epoch = time.UnixMilli(1_700_000_000_000)

func newWorld(seed uint64, o Options) *World {
	w := &World{
		seed: seed, o: o, loop: event.NewLoop(),
		net: event.Stream(seed, "net"), chaos: event.Stream(seed, "chaos"), work: event.Stream(seed, "work"),
		disks: event.Stream(seed, "disks"), ids: event.Stream(seed, "ids"),
		nodes: make([]*node, 1), blocked: map[[2]int32]bool{}, slow: map[[2]int32]time.Duration{}, hits: map[string]int{},
	}
	w.rules = newRules(w)
	w.rotter = 1 + int32(event.Stream(seed, "rot").IntN(o.Nodes))
	return w
}

// hit counts something that happened.
func (w *World) hit(what string) { w.hits[what]++ }

// fail ends the simulation with what is wrong. Only the first counts: a part of the
// product may have swallowed the panic.
func (w *World) fail(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
	}
	panic(Failure(w.broken))
}

// failed tells that something was found.
func (w *World) failed() bool { return w.broken != "" }

// note puts a line into the trace.
func (w *World) note(format string, args ...any) { w.loop.Note(format, args...) }

// live is the clock of time-outs, which no fault moves.
func (w *World) live() time.Time { return epoch.Add(w.loop.Now()) }

// newID draws an identifier.
func (w *World) newID() uuid.UUID {
	var id uuid.UUID
	(event.Bytes{R: w.ids}).Read(id[:])
	return id
}

// node finds one by its id.
func (w *World) node(id int32) *node {
	if id < 1 || int(id) >= len(w.nodes) {
		return nil
	}
	return w.nodes[id]
}

// someone draws a node for somebody who may ask any.
func (w *World) someone() int32 { return 1 + int32(w.work.IntN(len(w.nodes)-1)) }

// each gives all nodes in order.
func (w *World) each(do func(n *node)) {
	for _, n := range w.nodes[1:] {
		do(n)
	}
}
