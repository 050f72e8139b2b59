package cluster

import (
	"context"
	"iter"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/broker/mend"
	"ottla/internal/controller"
	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// mender repairs what is damaged on a node: a mend.Keeper, whose rounds run as a
// coroutine that stands still while another node, or the controller, is asked.
type mender struct {
	p      *process
	keeper *mend.Keeper
	yield  func(wish) bool
	next   func() (wish, bool)
	end    func()
	heard  any
	err    error
	over   bool
	due    bool
}

// wish is what a round waits for: ask has it answered once.
type wish struct {
	ask func(then func(answer any, err error))
}

func newMender(p *process) *mender {
	m := &mender{p: p}
	m.keeper = mend.New(mend.Options{
		NodeID: p.n.id, Image: p.broker.Image, Ask: m.ask, Control: m.control, Logger: p.logger(), Stepped: true,
		Trust: m.trust,
	})
	return m
}

// trust takes a partition into service whose end was in doubt.
func (m *mender) trust(part *partition.Partition) {
	if m.over {
		return
	}
	m.p.w.hit("doubted end trusted")
	m.p.w.note("node %d: %s-%d is trusted", m.p.n.id, part.Topic(), part.Describe().Index)
	m.p.broker.Trust(part)
}

// run has a round every now and then.
func (m *mender) run() { m.p.every(mend.Pace, func() { m.round(true) }) }

// found is partition.Options.Rot.
func (m *mender) found(part *partition.Partition, offset int64) {
	if offset == partition.EndInDoubt {
		m.p.w.hit("end in doubt")
	} else {
		m.p.w.hit("damage found")
	}
	m.p.w.note("node %d: %s-%d is damaged, offset %d", m.p.n.id, part.Topic(), part.Describe().Index, offset)
	if offset == partition.EndInDoubt && m.p.w.sabotage == BlindTrust {
		m.p.after(0, func() { m.trust(part) })
		return
	}
	m.keeper.Found(part, offset)
	if !m.due {
		m.due = true
		m.p.after(0, func() {
			m.due = false
			m.round(false)
		})
	}
}

// round begins one, where none is under way.
func (m *mender) round(tick bool) {
	if m.next != nil || m.over || m.keeper.Waiting() == 0 {
		return
	}
	before := m.keeper.Waiting()
	m.next, m.end = iter.Pull(func(yield func(wish) bool) {
		m.yield = yield
		m.keeper.Round(tick)
		if m.keeper.Waiting() < before && !m.over {
			m.p.w.hit("damage mended")
		}
	})
	m.step()
}

// step lets the round go on until it waits again.
func (m *mender) step() {
	x, ok := m.next()
	if !ok {
		m.next = nil
		return
	}
	x.ask(func(answer any, err error) {
		m.heard, m.err = answer, err
		m.step()
	})
}

// await is how a round waits.
func (m *mender) await(ask func(then func(any, error))) (any, error) {
	if m.over || !m.yield(wish{ask}) {
		m.over = true
		return nil, context.Canceled
	}
	return m.heard, m.err
}

// close ends it with its process.
func (m *mender) close() {
	m.over = true
	m.keeper.Close()
	if m.next != nil {
		m.end()
	}
}

// heardOf counts what came of a command.
func (m *mender) heardOf(cmd any, err error) {
	if err != nil {
		return
	}
	switch x := cmd.(type) {
	case controller.RenewReplicas:
		m.p.w.hit("renewal answered")
	case controller.SettleEnd:
		what := "replica in doubt gives way"
		if x.Heir < 0 {
			what = "replica in doubt stands in for those that are away"
		}
		m.p.w.hit(what)
	}
}

func (m *mender) control(_ context.Context, cmd any) (any, error) {
	return m.await(func(then func(any, error)) {
		m.p.control.do(cmd, 10*time.Second, func(reply any, err error) {
			m.heardOf(cmd, err)
			then(reply, err)
		})
	})
}

func (m *mender) ask(_ context.Context, node int32, req kmsg.Request) (kmsg.Response, error) {
	answer, err := m.await(func(then func(any, error)) {
		m.p.ask(request{
			to: node, timeout: 2 * time.Second,
			serve: func(q *process, answer func(any)) {
				switch req := req.(type) {
				case *kmsg.FetchRequest:
					answer(q.serveAnyone(req))
				case *kmsg.OffsetForLeaderEpochRequest:
					q.w.hit("end told")
					answer(q.serveEnd(req))
				}
			},
			done: func(answer any, _ bool) {
				if answer == nil {
					then(nil, wire.NetworkException)
					return
				}
				then(answer, nil)
			},
		})
	})
	if err != nil {
		return nil, err
	}
	return answer.(kmsg.Response), nil
}

// serveEnd tells how far the log of one replica goes.
func (p *process) serveEnd(req *kmsg.OffsetForLeaderEpochRequest) *kmsg.OffsetForLeaderEpochResponse {
	resp := kmsg.NewPtrOffsetForLeaderEpochResponse()
	t, row := kmsg.NewOffsetForLeaderEpochResponseTopic(), kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
	tail, code := p.broker.TailByName([]byte(req.Topics[0].Topic), req.Topics[0].Partitions[0].Partition)
	row.ErrorCode, row.LeaderEpoch, row.EndOffset = int16(code), tail.Epoch, tail.End
	if tail.Doubted {
		own.SetDoubt(&row.UnknownTags)
	}
	t.Partitions = append(t.Partitions, row)
	resp.Topics = append(resp.Topics, t)
	return resp
}

// serveAnyone is a Fetch of one partition by somebody who asks any replica.
func (p *process) serveAnyone(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	resp := kmsg.NewPtrFetchResponse()
	t, row := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
	asked := &req.Topics[0].Partitions[0]
	part, code := p.broker.AnyByID(req.Topics[0].TopicID, asked.Partition)
	if code == wire.None {
		row.RecordBatches, code = readAnyone(part, asked.FetchOffset, int(asked.PartitionMaxBytes))
	}
	row.ErrorCode = int16(code)
	t.Partitions = append(t.Partitions, row)
	resp.Topics = append(resp.Topics, t)
	return resp
}

// readAnyone reads from a replica that leads or not.
func readAnyone(part *partition.Partition, offset int64, most int) ([]byte, wire.Code) {
	a := partition.FetchArgs{Offset: offset, MaxBytes: most, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1, Anyone: true}
	var f partition.Fetched
	if err := part.Fetch(&a, &f); err != nil || f.Slice.Len == 0 {
		return nil, wire.CodeOf(err)
	}
	b, err := contentOf(&f)
	return b, wire.CodeOf(err)
}
