package quorum

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"ottla/internal/wire"
)

func sum64(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

// simOp is a command of a client.
type simOp struct {
	topic int
	node  int32
	to    chan result
	run   int
	born  int64
}

// clientStep gives a command to the node that led last, or to any, and looks
// for answers.
func (w *world) clientStep() {
	w.collect()
	n := w.nodes[1+w.work.IntN(len(w.nodes)-1)]
	if l := w.lastLeader; l > 0 && w.work.Float64() < .8 {
		n = w.nodes[l]
	}
	if n.m != nil && !n.paused {
		var requests []request
		for range 1 + w.work.IntN(3) {
			op := &simOp{topic: w.nextTopic, node: n.id, to: make(chan result, 1), run: n.run, born: w.now()}
			w.nextTopic++
			w.ops = append(w.ops, op)
			requests = append(requests, request{create{op.topic}, op.to})
		}
		if w.work.IntN(4) == 0 {
			requests = append(requests, request{count{}, make(chan result, 1)})
		}
		n.m.turn(n.wall(), requests)
		n.after()
		w.collect()
	}
	pause := w.o.OpMs/2 + w.work.Int64N(w.o.OpMs)
	if w.nextTopic > 150 { // a long history is slow to look at, and no better
		pause += 600
	}
	w.at(pause, w.clientStep)
}

// collect takes the answers that are there. What a node promised before its
// power went is promised; what it did not say it does not say any more.
func (w *world) collect() {
	w.ops = slices.DeleteFunc(w.ops, func(op *simOp) bool {
		select {
		case r := <-op.to:
			w.checker.answered(op, r)
			return true
		default:
			return w.nodes[op.node].run != op.run // its process is gone
		}
	})
}

// joinStep asks for the nodes that wait to be taken in, as they would do.
func (w *world) joinStep() {
	for _, n := range w.nodes[1:] {
		if n.m == nil || !n.m.waiting || n.paused {
			continue
		}
		lead := w.nodes[1+w.work.IntN(len(w.nodes)-1)]
		if lead == n || lead.m == nil || lead.paused || w.blocked[[2]int32{n.id, lead.id}] || w.blocked[[2]int32{lead.id, n.id}] {
			continue
		}
		w.order(lead, MembershipChange{AddLearner, Voter{ID: n.id, DirectoryID: n.m.o.DirectoryID}})
	}
	w.at(200+w.work.Int64N(300), w.joinStep)
}

// order gives a node a change of the quorum.
func (w *world) order(n *simNode, c MembershipChange) {
	to := make(chan result, 1)
	until := w.now() + 3000
	n.m.order(n.wall(), &order{MembershipChange: c, to: to, abandoned: func() bool { return w.now() > until }})
	w.note("order %s of node %d to %s", c.Kind, c.Voter.ID, n)
	select {
	case r := <-to:
		if r.err == nil {
			w.hit("change " + c.Kind.String())
		}
	default:
		w.hit("change " + c.Kind.String())
	}
	n.after()
}

// chaosStep brings the next fault, of those that this seed has.
func (w *world) chaosStep() {
	if w.calm {
		return
	}
	var faults []func()
	add := func(on bool, what ...func()) {
		if on {
			faults = append(faults, what...)
		}
	}
	add(true, w.healNetwork)
	add(w.o.Partitions, w.split, w.isolate, w.oneWay, w.bridge, w.flap)
	add(w.o.Crashes, w.crashNow, w.crashSoon, w.crashSoon, w.killNow, w.stopNow, w.crashAll)
	add(w.o.Full, w.fillDisk)
	add(w.o.IOErrors, w.failSoon)
	add(w.o.Pauses, w.pause)
	add(w.o.Jumps, w.jump)
	add(w.o.Resign, w.resignNow)
	add(w.o.Members, w.removeOne, w.demoteOne, w.promoteOne, w.updateOne)
	add(w.o.Wipes, w.wipeOne, w.rotOne)
	faults[w.chaos.IntN(len(faults))]()
	w.at(w.o.ChaosMs/2+w.chaos.Int64N(w.o.ChaosMs), w.chaosStep)
}

func (w *world) anyNode() *simNode { return w.nodes[1+w.chaos.IntN(len(w.nodes)-1)] }

func (w *world) healNetwork() { clear(w.blocked) }

// split cuts the nodes in two groups.
func (w *world) split() {
	side := map[int32]bool{}
	for _, n := range w.nodes[1:] {
		side[n.id] = w.chaos.IntN(2) == 0
	}
	w.block(func(a, b int32) bool { return side[a] != side[b] }, "split")
}

func (w *world) isolate() {
	id := w.anyNode().id
	if w.lastLeader > 0 && w.chaos.IntN(2) == 0 {
		id = w.lastLeader
	}
	w.block(func(a, b int32) bool { return a == id || b == id }, "isolation")
}

func (w *world) oneWay() {
	id, out := w.anyNode().id, w.chaos.IntN(2) == 0
	w.block(func(a, b int32) bool { return out && a == id || !out && b == id }, "one-way")
}

// bridge leaves one node that reaches all, and the others in two groups.
func (w *world) bridge() {
	id := w.anyNode().id
	w.block(func(a, b int32) bool { return a != id && b != id && a%2 != b%2 }, "bridge")
}

// flap cuts a pair for a moment, again and again.
func (w *world) flap() {
	a, b := w.anyNode().id, w.anyNode().id
	for i := range int64(6) {
		on := i%2 == 0
		w.at(i*150, func() {
			if !w.calm {
				w.blocked[[2]int32{a, b}], w.blocked[[2]int32{b, a}] = on, on
			}
		})
	}
	w.hit("flapping")
}

func (w *world) block(cut func(a, b int32) bool, name string) {
	clear(w.blocked)
	for _, a := range w.nodes[1:] {
		for _, b := range w.nodes[1:] {
			if a != b && cut(a.id, b.id) {
				w.blocked[[2]int32{a.id, b.id}] = true
			}
		}
	}
	w.hit(name)
}

func (w *world) crashNow() {
	if n := w.anyNode(); n.m != nil {
		n.crash()
	}
}

func (w *world) crashSoon() {
	if n := w.anyNode(); n.m != nil {
		n.crashIn = 1 + w.chaos.IntN(40)
	}
}

func (w *world) killNow() {
	if n := w.anyNode(); n.m != nil {
		w.hit("kill")
		n.powerOff(false)
	}
}

func (w *world) stopNow() {
	if n := w.anyNode(); n.m != nil {
		n.stop()
	}
}

// crashAll is the coordinated power cut.
func (w *world) crashAll() {
	w.hit("power cut of all")
	for _, n := range w.nodes[1:] {
		if n.m != nil {
			n.crash()
		}
	}
}

func (w *world) fillDisk() {
	n := w.anyNode()
	w.hit("full disk")
	n.disk.SetCapacity(n.disk.Used() + w.chaos.Int64N(3000))
	disk := n.disk
	w.at(500+w.chaos.Int64N(6000), func() { disk.SetCapacity(1 << 40) })
}

func (w *world) failSoon() {
	if n := w.anyNode(); n.m != nil {
		n.failIn = 1 + w.chaos.IntN(40)
	}
}

func (w *world) pause() {
	n := w.anyNode()
	if n.m == nil || n.paused {
		return
	}
	w.hit("pause")
	n.paused = true
	run := n.run
	w.at(200+w.chaos.Int64N(5000), func() {
		if n.run == run {
			n.paused = false
		}
	})
}

func (w *world) jump() {
	w.hit("clock jump")
	w.anyNode().skew = pick1(w.chaos, -3_600_000, 3_600_000, 0, 31_536_000_000, -31_536_000_000)
}

func (w *world) resignNow() {
	for _, n := range w.nodes[1:] {
		if n.m != nil && !n.paused && n.m.leading {
			if n.m.resign(n.wall()) {
				w.hit("leadership handed on")
			}
			n.after()
		}
	}
}

// ended has some of the others hear that a node's process has ended, sooner or
// later: it may be up again then.
func (w *world) ended(node int32) {
	if w.hints == nil {
		return
	}
	for _, n := range w.nodes[1:] {
		if n.id == node || w.hints.IntN(5) == 0 {
			continue
		}
		w.at(w.hints.Int64N(pick1(w.hints, 5, 50, 400)), func() { w.hint(n, node) })
	}
}

func (w *world) hint(n *simNode, node int32) {
	if n.m == nil || n.paused {
		return
	}
	if n.m.leader == node && node != n.id {
		w.hit("leader said to have ended")
	}
	n.m.ended(n.wall(), node)
	n.after()
}

// hintStep says of some node that it has ended, whether that is true or not.
func (w *world) hintStep() {
	if w.calm {
		return
	}
	nodes := w.nodes[1:]
	w.hint(nodes[w.hints.IntN(len(nodes))], nodes[w.hints.IntN(len(nodes))].id)
	w.at(100+w.hints.Int64N(3000), w.hintStep)
}

// leader finds one that leads and is not paused.
func (w *world) leader() *simNode {
	for _, n := range w.nodes[1:] {
		if n.m != nil && n.m.leading && !n.paused {
			return n
		}
	}
	return nil
}

// oneOf draws a member that the leader knows.
func (w *world) oneOf(change ChangeKind, votes bool) {
	lead := w.leader()
	if lead == nil {
		return
	}
	list := lead.m.voters.observers()
	if votes {
		list = lead.m.voters.list()
	}
	if len(list) == 0 {
		return
	}
	v := list[w.chaos.IntN(len(list))]
	if change == Update {
		v.Endpoints = []VoterEndpoint{{"C", fmt.Sprint("h", w.chaos.IntN(9)), 1}}
	}
	w.order(lead, MembershipChange{change, v})
}

// A leader cannot know of a disk that was lost a moment ago: no order takes
// another vote then.
func (w *world) removeOne() { w.oneOf(Remove, w.now()-w.lastWipe > 2000 && w.chaos.IntN(2) == 0) }
func (w *world) demoteOne() {
	if w.now()-w.lastWipe > 2000 {
		w.oneOf(Demote, true)
	}
}
func (w *world) promoteOne() { w.oneOf(Promote, false) }
func (w *world) updateOne()  { w.oneOf(Update, true) }

// wipeOne loses a disk for good, where the others can do without: what is lost
// counts against the majority until the quorum has let go of it.
func (w *world) wipeOne() {
	n := w.anyNode()
	if n.m != nil && (n.m.waiting || n.m.removed || n.gone()) {
		n.wipe()
		return
	}
	if w.checker.canLose(n) {
		w.lastWipe = w.now()
		n.wipe()
	}
}

// rotOne stops a node and damages a file of its metadata log, where the others
// can do without it. Its start finds everything, or is refused; then it comes
// back as another member, by order.
func (w *world) rotOne() {
	n := w.anyNode()
	if n.paused || !w.checker.canLose(n) {
		return
	}
	w.lastWipe = w.now()
	n.stop()
	if n.broken || n.m != nil {
		return
	}
	var names []string
	for _, name := range n.disk.Files() {
		if strings.HasPrefix(name, rigPath+"/"+dirName+"/") {
			names = append(names, name)
		}
	}
	name := names[w.chaos.IntN(len(names))]
	content, err := n.disk.Content(name)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.chaos.IntN(3) == 0 || len(content) == 0 {
		err = n.disk.Delete(name)
	} else {
		_, err = n.disk.FlipAny(name, 0, int64(len(content)))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	n.rotten = true
	w.hit("rot")
	w.note("rot of %s at node %d", name, n.id)
}

// certain tells whether an answer says that the command was not carried out.
func certain(err error) bool {
	return err != nil && !errors.Is(err, ErrUndecided) && errors.Is(err, wire.NotController)
}
