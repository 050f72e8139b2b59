package cluster

import (
	"errors"
	"time"

	"ottla/internal/broker"
	"ottla/internal/controller"
	"ottla/internal/group"
	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// vouch has a transaction's coordinator put a partition into the transaction, as
// Produce from v12 and TxnOffsetCommit from v5 do (KIP-890).
func (p *process) vouch(id string, producerID int64, epoch int16, tp txn.TopicPartition, then func(wire.Code)) {
	cmd := txn.Add{ID: id, ProducerID: producerID, Epoch: epoch, Version: txn.V2, Partitions: []txn.TopicPartition{tp}}
	p.coordinate(broker.TransactionsTopic, home(id), cmd, func(x said) { then(wire.CodeOf(x.err)) })
}

// serveTxnProduce is a transactional Produce.
func (p *process) serveTxnProduce(id, topic string, index int32, batch []byte, answer func(any)) {
	part, code := p.broker.ByName([]byte(topic), index)
	h, err := record.ParseHeader(batch)
	if err != nil {
		p.w.fail("a client's batch is none: %v", err)
	}
	if code != wire.None {
		answer(produced{code: code})
		return
	}
	guard := part.Guard(h.ProducerID, h.ProducerEpoch, h.BaseSequence, true)
	if guard == 0 {
		p.serveProduce(topic, index, batch, true, guard, answer)
		return
	}
	p.vouch(id, h.ProducerID, h.ProducerEpoch, txn.TopicPartition{Topic: topic, Partition: index}, func(code wire.Code) {
		if code != wire.None {
			answer(produced{code: code, text: "the coordinator does not vouch for it"})
			return
		}
		p.serveProduce(topic, index, batch, true, guard, answer)
	})
}

// serveTxnCommit is TxnOffsetCommit.
func (p *process) serveTxnCommit(id string, cmd group.Commit, answer func(any)) {
	tp := txn.TopicPartition{Topic: broker.OffsetsTopic, Partition: home(cmd.Group)}
	part, code := p.broker.ByName([]byte(tp.Topic), tp.Partition)
	if code != wire.None {
		answer(said{err: code})
		return
	}
	t := *cmd.Txn
	cmd.Txn = &t
	if p.w.sabotage == ForgetfulGroups {
		answer(said{body: group.CommitReply{Codes: [][]wire.Code{make([]wire.Code, len(cmd.Topics[0].Partitions))}}})
		return
	}
	commit := func() { p.shards.groups.do(tp.Partition, cmd, func(x said) { answer(x) }) }
	if t.Guard = part.Guard(t.ProducerID, t.ProducerEpoch, -1, true); t.Guard == 0 {
		commit()
		return
	}
	p.vouch(id, t.ProducerID, t.ProducerEpoch, tp, func(code wire.Code) {
		if code != wire.None {
			answer(said{err: code})
			return
		}
		commit()
	})
}

// serveCoordinator is a request to a coordinator that this node should lead. One
// that needs a producer id gets it and is asked again.
func (p *process) serveCoordinator(topic string, partition int32, cmd func(freshID int64) any, answer func(any)) {
	p.shards.of(topic).do(partition, cmd(-1), func(x said) {
		if !errors.Is(x.err, txn.ErrNeedsProducerID) {
			answer(x)
			return
		}
		p.control.do(controller.AllocateProducerIDs{BrokerID: p.n.id}, 2*time.Second, func(reply any, err error) {
			ids, ok := reply.(controller.ProducerIDs)
			if err != nil || !ok {
				answer(said{err: wire.CoordinatorLoadInProgress})
				return
			}
			p.shards.of(topic).do(partition, cmd(ids.First), func(x said) { answer(x) })
		})
	})
}
