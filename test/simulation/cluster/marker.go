package cluster

import (
	"context"
	"time"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// markers writes the ends of transactions into partitions: what package marker
// does, as events. It implements txn.Markers.
type markers struct{ p *process }

// job is one Write: the partitions that still need the marker.
type job struct {
	p     *process
	ctx   context.Context
	m     txn.Marker
	pause time.Duration
	left  []txn.TopicPartition
	open  int // answers that are still to come
	done  func(error)
	stop  bool // a newer coordinator has a transaction open
}

// Write implements txn.Markers.
func (x markers) Write(ctx context.Context, m txn.Marker, done func(error)) {
	j := &job{p: x.p, ctx: ctx, m: m, pause: 10 * time.Millisecond, done: done}
	if x.p.w.sabotage == LostMarkers {
		x.p.after(0, func() { done(nil) })
		return
	}
	x.p.after(0, j.try)
}

// try asks every partition once.
func (j *job) try() {
	if err := j.ctx.Err(); err != nil {
		j.done(err)
		return
	}
	parts := j.m.Partitions
	j.left, j.open = nil, len(parts)
	for _, tp := range parts {
		j.p.mark(&j.m, tp, func(code wire.Code) { j.judge(tp, code) })
	}
	if len(parts) == 0 {
		j.over()
	}
}

// judge looks at what one partition said, as package marker does.
func (j *job) judge(tp txn.TopicPartition, code wire.Code) {
	switch code {
	case wire.None, wire.NotEnoughReplicasAfterAppend, wire.UnknownTopicOrPartition, wire.InvalidProducerEpoch:
	case wire.TransactionCoordinatorFenced:
		j.p.w.hit("marker of an older coordinator")
		j.p.whetherOpen(tp, j.m.ProducerID, func(open bool, code wire.Code) {
			if code != wire.None {
				j.left = append(j.left, tp)
			}
			j.stop = j.stop || open
			j.settled()
		})
		return
	default:
		j.left = append(j.left, tp)
	}
	j.settled()
}

func (j *job) settled() {
	if j.open--; j.open == 0 {
		j.over()
	}
}

// over ends the write, or tries again what is left.
func (j *job) over() {
	switch {
	case j.stop:
		j.done(wire.TransactionCoordinatorFenced)
	case len(j.left) == 0:
		j.done(nil)
	default:
		j.p.w.hit("marker tried again")
		j.m.Partitions = j.left
		j.p.after(j.pause, j.try)
		j.pause = min(2*j.pause, time.Second)
	}
}

// at runs serve at the leader of a partition, this node or another; then hears its
// answer, or nil.
func (p *process) at(tp txn.TopicPartition, serve func(q *process, answer func(any)), then func(any)) {
	t := p.broker.Image().TopicByName(tp.Topic)
	if t == nil || int(tp.Partition) >= len(t.Partitions) {
		serve(p, then)
		return
	}
	switch leader := t.Partitions[tp.Partition].Leader; leader {
	case -1:
		p.after(0, func() { then(nil) })
	case p.n.id:
		serve(p, then)
	default:
		p.ask(request{to: leader, timeout: 2 * time.Second, serve: serve, done: func(answer any, _ bool) { then(answer) }})
	}
}

// mark writes a marker into a partition, wherever it is led.
func (p *process) mark(m *txn.Marker, tp txn.TopicPartition, then func(wire.Code)) {
	copied := *m
	p.at(tp, func(q *process, answer func(any)) { q.serveMarker(&copied, tp, func(c wire.Code) { answer(c) }) }, func(answer any) {
		code, ok := answer.(wire.Code)
		switch {
		case !ok:
			code = wire.NetworkException
		case code == wire.UnknownTopicOrPartition && p.broker.Image().TopicByName(tp.Topic) != nil:
			code = wire.NotLeaderOrFollower // whether it is deleted this node's own metadata say
		}
		then(code)
	})
}

// serveMarker is WriteTxnMarkers for one partition.
func (p *process) serveMarker(m *txn.Marker, tp txn.TopicPartition, answer func(wire.Code)) {
	part, code := p.broker.ByName([]byte(tp.Topic), tp.Partition)
	if code != wire.None {
		answer(code)
		return
	}
	if tp.Topic == broker.OffsetsTopic {
		end := coordinator.TxnAbort
		if m.Commit {
			end = coordinator.TxnCommit
		}
		cmd := group.EndTxn{Txn: coordinator.Txn{ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, End: end, CoordinatorEpoch: m.CoordinatorEpoch, Version: m.Version}}
		p.shards.groups.do(tp.Partition, cmd, func(x said) {
			switch code := wire.CodeOf(x.err); code {
			case wire.CoordinatorNotAvailable, wire.CoordinatorLoadInProgress, wire.NotCoordinator:
				answer(wire.NotLeaderOrFollower)
			default:
				answer(code)
			}
		})
		return
	}
	made := record.EndTxnMarker(m.ProducerID, m.ProducerEpoch, m.Commit, m.CoordinatorEpoch, p.wall().UnixMilli())
	args := partition.AppendArgs{Acks: -1, Internal: true, TransactionVersion: m.Version}
	var got partition.Appended
	if err := part.Append(made, &args, &got); err != nil {
		answer(wire.CodeOf(err))
		return
	}
	w := waiter(func(err error) { p.after(0, func() { answer(wire.CodeOf(err)) }) })
	if done, err := part.Await(w, got.End, -1); done || err != nil {
		w(err)
	}
}

// open is whether a producer has a transaction open somewhere.
type open struct {
	open bool
	code wire.Code
}

// whetherOpen asks the leader of a partition whether a producer has a transaction
// open there.
func (p *process) whetherOpen(tp txn.TopicPartition, id int64, then func(bool, wire.Code)) {
	p.at(tp, func(q *process, answer func(any)) {
		part, code := q.broker.ByName([]byte(tp.Topic), tp.Partition)
		answer(open{code == wire.None && part.InTxn(id), code})
	}, func(answer any) {
		x, ok := answer.(open)
		if !ok {
			x.code = wire.NetworkException
		}
		then(x.open, x.code)
	})
}
