package txns

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// AddPartitionsToTxn (24), versions 0-5.
//
// v2 knows PRODUCER_FENCED. From v4 on it is what nodes ask each other
// (KIP-890): many transactions at once, each added to or only verified; v5
// knows TRANSACTION_ABORTABLE. Clients stay at v3.
//
// When one partition of a transaction cannot be added, none is: the others hear
// OPERATION_NOT_ATTEMPTED.
func (f *Family) addPartitionsToTxnRow() api.API { return api.Late(0, 5, f.addPartitionsToTxn) }

// addition is one transaction of a request.
type addition struct {
	id         string
	cmd        any
	partitions []txn.TopicPartition
	// unknown tells which of them are not there; refused is that one is not.
	unknown []bool
	refused bool
	codes   []wire.Code
}

func (f *Family) addPartitionsToTxn(_ *api.Conn, req *kmsg.AddPartitionsToTxnRequest, finish api.Finish) {
	all := f.additions(req)
	start := func(i int, done func(any, error)) {
		if a := all[i]; a.refused {
			done(nil, nil)
		} else {
			f.ask(a.id, a.cmd, done)
		}
	}
	api.Gather(len(all), start, func(said []api.Said) {
		finish(func() kmsg.Response {
			for i := range all {
				all[i].judge(said[i], req.Version)
			}
			return addedAnswer(req, all)
		})
	})
}

// additions are the transactions of a request: before v4 there is one.
func (f *Family) additions(req *kmsg.AddPartitionsToTxnRequest) []*addition {
	if req.Version < 4 {
		a := f.newAddition(req.TransactionalID)
		for i := range req.Topics {
			f.add(a, req.Topics[i].Topic, req.Topics[i].Partitions)
		}
		a.cmd = txn.Add{ID: a.id, ProducerID: req.ProducerID, Epoch: req.ProducerEpoch, Version: txn.V0, Partitions: a.partitions}
		return []*addition{a}
	}
	var all []*addition
	for i := range req.Transactions {
		t := &req.Transactions[i]
		a := f.newAddition(t.TransactionalID)
		for j := range t.Topics {
			f.add(a, t.Topics[j].Topic, t.Topics[j].Partitions)
		}
		if t.VerifyOnly {
			a.cmd = txn.Verify{ID: a.id, ProducerID: t.ProducerID, Epoch: t.ProducerEpoch, Partitions: a.partitions}
		} else {
			a.cmd = txn.Add{ID: a.id, ProducerID: t.ProducerID, Epoch: t.ProducerEpoch, Version: txn.V2, Partitions: a.partitions}
		}
		all = append(all, a)
	}
	return all
}

func (f *Family) newAddition(id string) *addition { return &addition{id: id} }

// add takes the partitions of one topic up.
func (f *Family) add(a *addition, topic string, partitions []int32) {
	t := f.o.Cluster.Image().TopicByName(topic)
	for _, p := range partitions {
		missing := t == nil || p < 0 || int(p) >= len(t.Partitions)
		a.partitions = append(a.partitions, txn.TopicPartition{Topic: topic, Partition: p})
		a.unknown = append(a.unknown, missing)
		a.refused = a.refused || missing
	}
}

// judge finds the code of each partition.
func (a *addition) judge(s api.Said, version int16) {
	a.codes = make([]wire.Code, len(a.partitions))
	verified, _ := s.Body.(txn.VerifyReply)
	for i := range a.codes {
		switch {
		case a.refused && a.unknown[i]:
			a.codes[i] = wire.UnknownTopicOrPartition
		case a.refused:
			a.codes[i] = wire.OperationNotAttempted
		case s.Err != nil:
			a.codes[i] = codeOf(s.Err, version >= 2)
		case i < len(verified.Codes):
			a.codes[i] = verified.Codes[i]
		}
	}
}

// addedAnswer puts the codes together, topic by topic as they were asked.
func addedAnswer(req *kmsg.AddPartitionsToTxnRequest, all []*addition) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	for _, a := range all {
		topics := a.topics()
		if req.Version >= 4 {
			resp.Transactions = append(resp.Transactions, kmsg.AddPartitionsToTxnResponseTransaction{TransactionalID: a.id, Topics: topics})
			continue
		}
		for _, t := range topics {
			row := kmsg.NewAddPartitionsToTxnResponseTopic()
			row.Topic = t.Topic
			for _, p := range t.Partitions {
				row.Partitions = append(row.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p.Partition, ErrorCode: p.ErrorCode})
			}
			resp.Topics = append(resp.Topics, row)
		}
	}
	return resp
}

func (a *addition) topics() []kmsg.AddPartitionsToTxnResponseTransactionTopic {
	var out []kmsg.AddPartitionsToTxnResponseTransactionTopic
	for i, tp := range a.partitions {
		if n := len(out); n == 0 || out[n-1].Topic != tp.Topic {
			row := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
			row.Topic = tp.Topic
			out = append(out, row)
		}
		row := &out[len(out)-1]
		row.Partitions = append(row.Partitions, kmsg.AddPartitionsToTxnResponseTransactionTopicPartition{
			Partition: tp.Partition, ErrorCode: int16(a.codes[i]),
		})
	}
	return out
}
