package vouch

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/outbox"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// version of AddPartitionsToTxn that is spoken: it knows TRANSACTION_ABORTABLE.
const version = 5

// request puts questions, each of another transaction.
func request(questions []*question) kmsg.Request {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.SetVersion(version)
	for _, q := range questions {
		row := kmsg.NewAddPartitionsToTxnRequestTransaction()
		row.TransactionalID, row.ProducerID, row.ProducerEpoch, row.VerifyOnly = q.id, q.producerID, q.epoch, q.verify
		for _, tp := range q.partitions {
			if n := len(row.Topics); n == 0 || row.Topics[n-1].Topic != tp.Topic {
				t := kmsg.NewAddPartitionsToTxnRequestTransactionTopic()
				t.Topic = tp.Topic
				row.Topics = append(row.Topics, t)
			}
			t := &row.Topics[len(row.Topics)-1]
			t.Partitions = append(t.Partitions, tp.Partition)
		}
		req.Transactions = append(req.Transactions, row)
	}
	return req
}

// took shares an answer out.
func (c *Coordinators) took(questions []*question, resp kmsg.Response, err error) {
	r, ok := resp.(*kmsg.AddPartitionsToTxnResponse)
	switch {
	case err != nil:
		err = wire.Errorf(outbox.CodeOf(err), "ask node %d, which coordinates the transaction: %w", questions[0].node, err)
	case !ok:
		err = wire.Errorf(wire.UnknownServerError, "node %d answered AddPartitionsToTxn with %T", questions[0].node, resp)
	case r.ErrorCode != 0:
		err = wire.Code(r.ErrorCode)
	}
	if err != nil {
		for _, q := range questions {
			c.answer(q, nil, err)
		}
		return
	}
	rows := make(map[string]*kmsg.AddPartitionsToTxnResponseTransaction, len(r.Transactions))
	for i := range r.Transactions {
		rows[r.Transactions[i].TransactionalID] = &r.Transactions[i]
	}
	for _, q := range questions {
		codes, err := q.codes(rows[q.id])
		c.answer(q, codes, err)
	}
}

// codes reads the code of each partition. What holds for all is an error, as
// the coordinator said it.
func (q *question) codes(row *kmsg.AddPartitionsToTxnResponseTransaction) ([]wire.Code, error) {
	said := map[txn.TopicPartition]wire.Code{}
	if row != nil {
		for i := range row.Topics {
			for _, p := range row.Topics[i].Partitions {
				said[txn.TopicPartition{Topic: row.Topics[i].Topic, Partition: p.Partition}] = wire.Code(p.ErrorCode)
			}
		}
	}
	codes := make([]wire.Code, len(q.partitions))
	alike := true
	for i, tp := range q.partitions {
		code, ok := said[tp]
		switch {
		case !ok:
			return nil, wire.Errorf(wire.UnknownServerError, "node %d said nothing of %s-%d in %q", q.node, tp.Topic, tp.Partition, q.id)
		case code == wire.UnknownTopicOrPartition || code == wire.OperationNotAttempted:
			// The partition is led here, so it is there: the other node is not as
			// far yet.
			return nil, wire.Errorf(wire.CoordinatorLoadInProgress, "node %d does not know %s-%d yet", q.node, tp.Topic, tp.Partition)
		}
		codes[i] = code
		alike = alike && code == codes[0]
	}
	if alike && len(codes) > 0 && codes[0] != wire.None {
		return nil, codes[0]
	}
	return codes, nil
}
