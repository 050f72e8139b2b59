package cluster

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"ottla/internal/broker"
	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/test/history"
	"ottla/test/simulation/event"
)

// Result is what a simulation was.
type Result struct {
	Seed    uint64
	Hash    uint64
	Hits    map[string]int
	Failure string   // "" when all is well
	Tail    []string // the last of the trace, when it is not
	Options Options
	Steps   int
	Time    time.Duration // simulated
}

// Simulate runs one seed. trace, where set, is given every line. One simulation at
// a time may run in a process: the Raft library draws its jitter from the process's
// random source, which a simulation seeds.
func Simulate(seed uint64, trace func(line string)) Result { return SimulateBroken(seed, "", trace) }

// SimulateBroken is Simulate with something broken on purpose: what is wrong must be
// found.
func SimulateBroken(seed uint64, s Sabotage, trace func(line string)) Result {
	return simulate(seed, Choose(seed), s, trace, func(w *World) { w.run(w.o.Safety) })
}

// simulate runs a seed with options of one's own, and what is to happen between the
// cluster's forming and the end of all faults.
func simulate(seed uint64, o Options, s Sabotage, trace func(line string), meanwhile func(w *World)) (res Result) {
	source := rand.Reader
	rand.Reader = event.Bytes{R: event.Stream(seed, "raft")}
	defer func() { rand.Reader = source }()
	w := newWorld(seed, o)
	w.loop.Trace, w.sabotage = trace, s
	defer func() {
		if p := recover(); p != nil {
			if _, ours := p.(Failure); !ours {
				panic(p)
			}
		}
		res = w.result()
	}()
	w.begin()
	meanwhile(w)
	w.liveness()
	w.finish()
	return res
}

func (w *World) result() Result {
	for _, n := range w.nodes[1:] {
		n.countDisk()
		if n.p != nil && n.p.mender != nil {
			n.p.mender.close()
		}
	}
	res := Result{Seed: w.seed, Hash: w.loop.Hash(), Hits: w.hits, Failure: w.broken, Options: w.o, Steps: w.loop.Steps(), Time: w.loop.Now()}
	if w.failed() {
		res.Tail = w.loop.Tail()
	}
	return res
}

// run lets time pass.
func (w *World) run(d time.Duration) {
	w.loop.Run(w.loop.Now()+d, w.failed)
	if w.failed() {
		panic(Failure(w.broken))
	}
}

// copies is how many replicas every topic is made with.
const copies = 3

// mainTopic is where producers write.
const mainTopic = "main"

// begin founds the cluster on node 1; the others join.
func (w *World) begin() {
	w.note("options %+v", w.o)
	for id := int32(1); int(id) <= w.o.Nodes; id++ {
		n := &node{w: w, id: id, joining: id > 1}
		w.nodes = append(w.nodes, n)
		n.newDisk()
		n.start()
	}
	w.calm = true
	w.await("the cluster forms", 60*time.Second, w.formed)
	w.create(mainTopic, w.o.Partitions)
	if w.o.Mover || w.o.Crew {
		w.create(broker.OffsetsTopic, coordinatorParts, compacted)
	}
	if w.o.Mover {
		w.create(broker.TransactionsTopic, coordinatorParts, compacted)
		w.create(outTopic, outParts)
	}
	if w.o.Trims {
		w.create(trimTopic, 1)
	}
	w.calm = false
	for range w.o.Producers {
		w.enter(w.newProducer(mainTopic, w.o.Partitions))
	}
	w.enter(w.newReader(mainTopic, w.o.Partitions, false))
	w.enter(w.newReader(mainTopic, w.o.Partitions, true))
	if w.o.Mover {
		w.enter(w.newMover(w.o.Partitions, outParts))
		w.enter(w.newReader(outTopic, outParts, true))
	}
	if w.o.Crew {
		w.enter(w.newCrew(w.o.Partitions))
	}
	if w.o.Admin {
		w.enter(w.newAdmin())
	}
	if w.o.Trims {
		w.enter(w.newTrimmer())
	}
	w.loop.After(w.o.Pace, w.chaosStep)
}

// outParts is how many partitions the topic of effects has.
const outParts = 2

// compacted is how internal topics are made.
var compacted = controller.ConfigEntry{Name: "cleanup.policy", Value: new("compact")}

func (w *World) enter(c client) {
	w.clients = append(w.clients, c)
	c.start()
}

// formed tells what is missing until all nodes serve.
func (w *World) formed() string {
	lead := w.controller()
	if lead == nil {
		return "nobody leads the quorum"
	}
	img := lead.quorum.Image()
	for _, n := range w.nodes[1:] {
		if b := img.Broker(n.id); b == nil || !b.Live() {
			return fmt.Sprintf("%v does not serve", n)
		}
	}
	if v := len(lead.quorum.Status().Voters); v < 3 {
		return fmt.Sprintf("the quorum has %d voters", v)
	}
	return ""
}

// await lets time pass until nothing is missing.
func (w *World) await(what string, most time.Duration, missing func() string) {
	until := w.loop.Now() + most
	why := missing()
	for ; why != "" && w.loop.Now() < until; why = missing() {
		w.run(100 * time.Millisecond)
	}
	if why != "" {
		w.fail("%s: not within %v: %s\n%s", what, most, why, w.standing())
	}
}

// standing is how the nodes stand, for a failure.
func (w *World) standing() string {
	var b strings.Builder
	for _, n := range w.nodes[1:] {
		if n.p == nil {
			fmt.Fprintf(&b, "%v is down\n", n)
			continue
		}
		s := n.p.quorum.Status()
		fmt.Fprintf(&b, "%v: leader %d epoch %d serves %v waiting %v removed %v, paused %v, fenced %v, retiring %v, metadata %d\n",
			n, s.Leader, s.Epoch, s.Serves, s.Waiting, s.Removed, n.paused, n.p.speaker.fenced, n.p.speaker.retiring, n.p.quorum.Image().Offset)
	}
	if lead := w.controller(); lead != nil {
		for x := range lead.quorum.Image().Brokers() {
			fmt.Fprintf(&b, "registered: %+v\n", *x)
		}
	}
	return b.String()
}

// create makes a topic.
func (w *World) create(name string, parts int32, configs ...controller.ConfigEntry) {
	made := false
	lead := w.controller()
	cmd := controller.CreateTopics{Topics: []controller.NewTopic{{Name: name, Partitions: parts, Replicas: copies, Configs: configs}}}
	lead.do(func() {
		lead.control.do(cmd, 30*time.Second, func(reply any, err error) {
			rows, _ := reply.([]controller.CreatedTopic)
			if err != nil || len(rows) != 1 || rows[0].Code != wire.None {
				w.fail("create %s: %v %+v", name, err, rows)
			}
			made = true
		})
	})
	w.await("topic "+name+" is made", 30*time.Second, func() string {
		if !made {
			return "no answer"
		}
		return ""
	})
}

// liveness: the faults stop, and within a while everything must be well.
func (w *World) liveness() {
	w.note("faults are over")
	w.calm = true
	w.healNetwork()
	w.each((*node).heal)
	w.enfranchise()
	w.run(3 * time.Second)
	for _, c := range w.clients {
		c.finish()
	}
	w.await("after the faults", 120*time.Second, w.well)
	w.farewell()
}

// well tells what is missing until all is well.
func (w *World) well() string {
	if why := w.formed(); why != "" {
		return why
	}
	for _, c := range w.clients {
		if why := c.idle(); why != "" {
			return why
		}
	}
	img := w.controller().quorum.Image()
	for _, n := range w.nodes[1:] {
		switch {
		case n.p == nil:
			return fmt.Sprintf("%v is down", n)
		case n.p.quorum.Image().Offset != img.Offset:
			return fmt.Sprintf("%v has metadata up to %d, the leader up to %d", n, n.p.quorum.Image().Offset, img.Offset)
		}
	}
	for t := range img.Topics() {
		for _, x := range t.Partitions {
			if why := w.whole(t, x); why != "" {
				return why
			}
		}
	}
	return w.scrub()
}

// whole tells what is missing until a partition is: all replicas in sync, and at the
// same end.
func (w *World) whole(t *metadata.Topic, x *metadata.Partition) string {
	if len(x.ISR) != len(x.Replicas) || len(x.Adding)+len(x.Removing) > 0 {
		why := fmt.Sprintf("%s-%d: in sync are %v of %v, adding %v, removing %v, leader %d, ELR %v", t.Name, x.Index, x.ISR, x.Replicas, x.Adding, x.Removing, x.Leader, x.ELR)
		if lead := w.node(x.Leader); lead != nil && lead.p != nil {
			if part, code := lead.p.broker.ByID(t.ID, x.Index); code == wire.None {
				why += fmt.Sprintf(", followers %+v", part.Standings())
			}
		}
		for _, id := range x.Replicas {
			if n := w.node(id); n.p != nil {
				if part, code := n.p.broker.AnyByID(t.ID, x.Index); code == wire.None {
					why += fmt.Sprintf(", node %d: %+v, synced up to %d", id, part.Offsets(), part.Synced())
				}
			}
		}
		return why
	}
	var first partition.Offsets
	for i, id := range x.Replicas {
		part, code := w.node(id).p.broker.AnyByID(t.ID, x.Index)
		if code != wire.None {
			return fmt.Sprintf("%s-%d at node %d: %s", t.Name, x.Index, id, code.Name())
		}
		o := part.Offsets()
		if i == 0 {
			first = o
		}
		if o.LogEnd != first.LogEnd || o.HighWatermark != o.LogEnd || o.LastStable != o.HighWatermark {
			return fmt.Sprintf("%s-%d at node %d stands at %+v, another at %+v", t.Name, x.Index, id, o, first)
		}
	}
	return ""
}

// finish reads everything once more and judges what clients saw.
func (w *World) finish() {
	for _, committed := range []bool{false, true} {
		w.readAll(mainTopic, w.o.Partitions, committed)
		if w.o.Mover {
			w.readAll(outTopic, outParts, committed)
		}
	}
	w.await("after the final reads", 60*time.Second, w.well) // leaders may move meanwhile
	w.compare()
	w.judgeTrims()
	for _, c := range w.clients {
		if m, ok := c.(*mover); ok {
			m.closeBooks()
		}
	}
	o := history.Options{Idempotent: true, ExactMarks: true}
	if w.o.Mover {
		o.Pipeline = &history.Pipeline{Source: mainTopic, Stages: 1}
	}
	report := history.Check(w.rules.ops, o)
	w.hits["effects, each once"] += int(report.Effects)
	w.note("history %d ops %d acked %d polled", report.Ops, report.Acked, report.Polled)
	if !report.OK() {
		w.fail("what clients saw breaks promises:\n%s", report)
	}
	if report.Acked == 0 {
		w.hit("nothing was acknowledged")
	}
	w.ruin()
}

// readAll reads a topic from its beginning to its end.
func (w *World) readAll(topic string, parts int32, committed bool) {
	r := w.newReader(topic, parts, committed)
	r.final, r.delay = true, 20*time.Millisecond
	w.enter(r)
	w.await("the final reads", 60*time.Second, r.idle)
}

// compare holds all replicas against each other, byte by byte; but each has compacted
// what is compacted as it came to it.
func (w *World) compare() {
	img := w.controller().quorum.Image()
	for t := range img.Topics() {
		if w.o.Compact && metadata.IsInternal(t.Name) {
			continue
		}
		for _, x := range t.Partitions {
			want := w.bytesOf(t, x.Index, x.Replicas[0])
			for _, id := range x.Replicas[1:] {
				got := w.bytesOf(t, x.Index, id)
				from := max(want.start, got.start)
				if string(want.from(from)) != string(got.from(from)) {
					w.fail("%s-%d: the replicas at nodes %d and %d differ", t.Name, x.Index, x.Replicas[0], id)
				}
			}
		}
	}
}
