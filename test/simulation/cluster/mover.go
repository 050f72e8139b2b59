package cluster

import (
	"fmt"
	"time"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/wire"
	"ottla/test/history"
	"ottla/test/simulation/event"
)

// mover consumes the main topic, and writes an effect of every input to another, in
// transactions with the offsets that it has read: exactly once. It lives again and
// again: another instance takes over while the one before may still run.
type mover struct {
	base
	txnID, group string
	from, to     string
	parts, outs  int32
	now          *instance
	all          []*instance
	lives        int
	salt         uint32
}

// outTopic is where effects go.
const outTopic = "out"

func (w *World) newMover(parts, outs int32) *mover {
	b := w.newBase()
	return &mover{base: b, txnID: fmt.Sprint("mover-", b.id), group: fmt.Sprint("group-", b.id), from: mainTopic, to: outTopic, parts: parts, outs: outs}
}

func (c *mover) start() { c.takeOver() }

// takeOver begins a new instance; after a while another follows, unless it ends.
func (c *mover) takeOver() {
	c.lives++
	x := &instance{c: c, process: c.id*1000 + int32(c.lives), seqs: map[int32]int32{}, pid: -1}
	if c.now != nil {
		c.w.hit("another instance takes over")
		c.now.zombie = true
	}
	c.now, c.all = x, append(c.all, x)
	x.init()
	if c.w.o.TakeOvers {
		c.after(event.Between(c.w.work, 3*time.Second, 12*time.Second), func() {
			if !c.ending {
				c.takeOver()
			}
		})
	}
}

func (c *mover) idle() string {
	if c.now.rests {
		return ""
	}
	return fmt.Sprintf("%s, life %d: %s", c.txnID, c.lives, c.now.doing)
}

// closeBooks writes down what is still open: an instance that another took over
// from may not have heard of it.
func (c *mover) closeBooks() {
	for _, x := range c.all {
		if x.open != nil {
			x.report(x.open, history.Info)
			x.open = nil
		}
	}
}

// instance is one life of a mover.
type instance struct {
	c       *mover
	process int32
	pid     int64
	epoch   int16
	at      []int64 // next offsets, by partition
	seqs    map[int32]int32
	zombie  bool // another has taken over
	dead    bool // it was told so
	rests   bool // it has nothing open, and shall not begin anything
	doing   string
	open    *turn
}

// turn is one transaction.
type turn struct {
	start  int64
	commit int64   // the start of what its offsets are told as
	next   []int64 // offsets after it
	sends  []history.Micro
	todo   []func(then func())
}

// try repeats something until it is answered for good: once answers true or the
// instance is dead.
func (x *instance) try(doing string, once func(again func())) {
	x.doing = doing
	if x.dead {
		return
	}
	once(func() {
		x.c.after(event.Between(x.c.w.work, 20*time.Millisecond, 200*time.Millisecond), func() { x.try(doing, once) })
	})
}

// init gets a producer id and epoch: whoever had it before is fenced.
func (x *instance) init() {
	c := x.c
	x.try("init", func(again func()) {
		c.coordinate(broker.TransactionsTopic, c.txnID, func(p *process, answer func(any)) {
			p.serveCoordinator(broker.TransactionsTopic, home(c.txnID), func(fresh int64) any {
				return txn.Init{ID: c.txnID, TimeoutMs: 8000, ProducerID: -1, Epoch: -1, FreshID: fresh}
			}, answer)
		}, func(s said, answered bool) {
			reply, ok := s.body.(txn.InitReply)
			if !answered || s.err != nil || !ok {
				again()
				return
			}
			x.pid, x.epoch = reply.ProducerID, reply.Epoch
			clear(x.seqs)
			x.locate()
		})
	})
}

// locate reads where the group stands.
func (x *instance) locate() {
	c := x.c
	x.try("fetch offsets", func(again func()) {
		t := c.img.TopicByName(c.from)
		if t == nil {
			c.refresh(again)
			return
		}
		var parts []int32
		for i := range c.parts {
			parts = append(parts, i)
		}
		cmd := group.Fetch{Group: c.group, Epoch: -1, RequireStable: true, Topics: []group.FetchTopic{{Name: c.from, ID: t.ID, Partitions: parts}}}
		start := c.w.rules.tick()
		c.coordinate(broker.OffsetsTopic, c.group, func(p *process, answer func(any)) {
			p.shards.groups.do(home(c.group), cmd, func(s said) { answer(s) })
		}, func(s said, answered bool) {
			reply, ok := s.body.(group.FetchReply)
			if !answered || s.err != nil || !ok || !x.located(start, reply) {
				again()
				return
			}
			x.next()
		})
	})
}

// located takes the committed offsets; false when some are not stable.
func (x *instance) located(start int64, reply group.FetchReply) bool {
	c := x.c
	at := make([]int64, c.parts)
	var pos []history.Position
	for _, t := range reply.Topics {
		for _, p := range t.Partitions {
			if p.Code != wire.None {
				return false
			}
			at[p.Index] = max(p.Offset, 0)
			pos = append(pos, history.Position{Partition: place(c.from, p.Index), Offset: p.Offset})
		}
	}
	x.at = at
	c.w.rules.add(history.Op{Process: x.process, Kind: history.Committed, Outcome: history.OK, Start: start, End: c.w.rules.tick(), Group: c.group, Positions: pos})
	return true
}

// next reads some input and begins a transaction with its effects.
func (x *instance) next() {
	c := x.c
	if x.dead {
		return
	}
	if c.ending && x.finished() {
		x.rests, x.doing = true, ""
		return
	}
	x.doing = "read"
	i := int32(c.w.work.IntN(int(c.parts)))
	to, from := c.leader(c.from, i), x.at[i]
	again := func() { c.after(event.Between(c.w.work, 20*time.Millisecond, 300*time.Millisecond), x.next) }
	if to < 0 {
		c.refresh(again)
		return
	}
	c.ask(request{
		to: to, timeout: 2 * time.Second,
		serve: func(p *process, answer func(any)) { answer(p.serveRead(c.from, i, from, 600, true)) },
		done: func(answer any, _ bool) {
			f, ok := answer.(fetched)
			if !ok || f.code != wire.None {
				c.refresh(again)
				return
			}
			r := &reader{base: c.base, topic: c.from, committed: true}
			recs, next := r.decode(&f, from)
			if len(recs) == 0 {
				x.at[i] = max(x.at[i], next)
				again()
				return
			}
			x.begin(i, recs, next)
		},
	})
}

// finished tells whether all input that there is has been moved, as far as the
// rules know: producers have ended by then.
func (x *instance) finished() bool {
	for _, other := range x.c.w.clients {
		if p, ok := other.(*producer); ok && p.idle() != "" {
			return false
		}
	}
	for i := range x.c.parts {
		if x.at[i] < x.c.w.endOf(x.c.from, i) {
			return false
		}
	}
	return true
}

// endOf is the log end of a partition at its leader, as the simulation sees it.
func (w *World) endOf(topic string, index int32) int64 {
	lead := w.controller()
	if lead == nil {
		return 1 << 60
	}
	t := lead.quorum.Image().TopicByName(topic)
	n := w.node(t.Partitions[index].Leader)
	if n == nil || n.p == nil {
		return 1 << 60
	}
	part, code := n.p.broker.ByName([]byte(topic), index)
	if code != wire.None {
		return 1 << 60
	}
	return part.Offsets().LogEnd
}

// begin is a transaction with the effects of records.
func (x *instance) begin(from int32, recs []history.Record, next int64) {
	c := x.c
	t := &turn{start: c.w.rules.tick(), commit: c.w.rules.tick(), next: append([]int64(nil), x.at...)}
	t.next[from] = next
	x.open = t
	outs := map[int32]*record.Builder{}
	values := map[int32][]int64{}
	for _, r := range recs {
		c.salt++
		v, out := history.Effect(1, r.Value(), c.salt), int32(r.Value())%c.outs
		if outs[out] == nil {
			b := record.NewBuilder()
			b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = x.pid, x.epoch, x.seqs[out], true
			outs[out] = b
		}
		outs[out].Add(c.w.live().UnixMilli(), nil, encode(v, 0))
		values[out] = append(values[out], v)
	}
	for out := range c.outs {
		if b := outs[out]; b != nil {
			batch, first := b.Build(0), len(t.sends)
			for _, v := range values[out] {
				t.sends = append(t.sends, history.Micro{
					Kind: history.Send, Partition: place(c.to, out), Records: []history.Record{{-1, v}}, // where it is not known yet
				})
			}
			sends := t.sends[first:len(t.sends):len(t.sends)]
			t.todo = append(t.todo, func(then func()) { x.send(t, out, batch, sends, then) })
		}
	}
	t.todo = append(t.todo, func(then func()) { x.commitOffsets(t, then) })
	x.step(t)
}

// step does the next thing of a transaction, then ends it.
func (x *instance) step(t *turn) {
	if len(t.todo) == 0 {
		x.end(t, !event.Chance(x.c.w.work, .15))
		return
	}
	do := t.todo[0]
	t.todo = t.todo[1:]
	do(func() { x.step(t) })
}

// send writes effects to one partition.
func (x *instance) send(t *turn, out int32, batch []byte, sends []history.Micro, then func()) {
	c := x.c
	x.try("send effects", func(again func()) {
		c.produce(c.to, out, batch, c.txnID, func(p produced, answered bool) {
			switch {
			case answered && (p.code == wire.None || p.code == wire.NotEnoughReplicasAfterAppend || p.code == wire.DuplicateSequenceNumber):
				for i := range sends {
					sends[i].Records[0][0] = p.base + int64(i)
				}
				x.seqs[out] += int32(len(sends))
				then()
			case answered && x.over(p.code):
				x.give(t, p.code)
			default:
				again()
			}
		})
	})
}

// commitOffsets puts the offsets into the transaction.
func (x *instance) commitOffsets(t *turn, then func()) {
	c := x.c
	x.try("commit offsets", func(again func()) {
		topic := c.img.TopicByName(c.from)
		cmd := group.Commit{Group: c.group, Generation: -1, RetentionMs: -1, Version: 5, Txn: &coordinator.Txn{ProducerID: x.pid, ProducerEpoch: x.epoch}}
		row := group.CommitTopic{Name: c.from, ID: topic.ID}
		for i := range c.parts {
			row.Partitions = append(row.Partitions, group.CommitPartition{Index: i, Offset: t.next[i], LeaderEpoch: -1})
		}
		cmd.Topics = []group.CommitTopic{row}
		c.coordinate(broker.OffsetsTopic, c.group, func(p *process, answer func(any)) { p.serveTxnCommit(c.txnID, cmd, answer) },
			func(s said, answered bool) {
				code := wire.CodeOf(s.err)
				if reply, ok := s.body.(group.CommitReply); ok && s.err == nil {
					code = reply.Codes[0][0]
				}
				switch {
				case answered && code == wire.None:
					then()
				case answered && x.over(code):
					x.give(t, code)
				default:
					again()
				}
			})
	})
}

// over tells that a transaction cannot go on.
func (x *instance) over(c wire.Code) bool {
	switch c {
	case wire.InvalidProducerEpoch, wire.ProducerFenced, wire.InvalidTxnState, wire.TransactionAbortable, wire.InvalidProducerIDMapping,
		wire.OutOfOrderSequenceNumber, wire.UnknownProducerID:
		return true
	}
	return false
}

// give ends a transaction that cannot go on: what a fenced instance had open is
// aborted by who fenced it, or by the coordinator when its time ran out.
func (x *instance) give(t *turn, why wire.Code) {
	c := x.c
	c.w.hit("transaction given up: " + why.Name())
	x.report(t, history.Info)
	x.open = nil
	if x.zombie {
		x.dead = true
		c.w.hit("fenced instance ends")
		return
	}
	x.init()
}

// end commits or aborts.
func (x *instance) end(t *turn, commit bool) {
	c := x.c
	x.try("end", func(again func()) {
		c.coordinate(broker.TransactionsTopic, c.txnID, func(p *process, answer func(any)) {
			p.serveCoordinator(broker.TransactionsTopic, home(c.txnID), func(fresh int64) any {
				return txn.End{ID: c.txnID, ProducerID: x.pid, Epoch: x.epoch, Commit: commit, Version: txn.V2, FreshID: fresh}
			}, answer)
		}, func(s said, answered bool) {
			reply, ok := s.body.(txn.EndReply)
			switch {
			case answered && s.err == nil && ok:
				x.ended(t, commit, reply)
			case answered && x.over(wire.CodeOf(s.err)):
				x.give(t, wire.CodeOf(s.err))
			default:
				again()
			}
		})
	})
}

// ended goes on after a transaction.
func (x *instance) ended(t *turn, commit bool, reply txn.EndReply) {
	c := x.c
	x.pid, x.epoch = reply.ProducerID, reply.Epoch // another epoch, which begins at 0
	clear(x.seqs)
	x.open = nil
	if !commit {
		c.w.hit("transaction aborted")
		x.report(t, history.Fail)
		x.locate()
		return
	}
	c.w.hit("transaction committed")
	x.report(t, history.OK)
	x.at = t.next
	c.after(event.Between(c.w.work, 0, 300*time.Millisecond), x.next)
}

// report writes down what became of a transaction.
func (x *instance) report(t *turn, outcome history.Outcome) {
	r := x.c.w.rules
	r.add(history.Op{Process: x.process, Kind: history.Txn, Outcome: outcome, Start: t.start, End: r.tick(), Micro: t.sends})
	if outcome == history.Fail {
		return
	}
	op := history.Op{Process: x.process, Kind: history.Commit, Outcome: outcome, Start: t.commit, End: r.tick(), Group: x.c.group}
	for i, o := range t.next {
		op.Positions = append(op.Positions, history.Position{Partition: place(x.c.from, int32(i)), Offset: o})
	}
	r.add(op)
}
