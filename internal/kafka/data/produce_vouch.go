package data

import (
	"context"
	"time"

	"ottla/internal/record"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// Transactions are the coordinators of transactions: they know which
// partitions a transaction covers.
type Transactions interface {
	// Go gives a command of package txn to the machine of a transactional id;
	// done is called once, from any goroutine.
	Go(ctx context.Context, id string, cmd any, done func(any, error))
}

// vouchTimeout bounds the wait for a coordinator, as Kafka's
// request.timeout.ms does.
const vouchTimeout = 30 * time.Second

// versions of Produce that tell what a producer knows of transactions.
const (
	knowsAbortable = 11 // TRANSACTION_ABORTABLE (KIP-890)
	addsImplicitly = 12 // its first batch puts the partition into the transaction
)

// vouching is the question that a request must ask before its batches are
// appended.
type vouching struct {
	producerID int64
	epoch      int16
	partitions []txn.TopicPartition
	rows       []int // of the answer, for each partition
}

// vouch asks the coordinator of a transactional request, once, about the
// partitions that have no transaction of the producer yet (KIP-890); rows that
// it does not vouch for are refused. It waits: later requests of the connection
// must not overtake this one.
func (a *produceAnswer) vouch(id, body []byte) {
	q, code := a.unvouched(body)
	if code != wire.None {
		for i := range a.rows {
			a.rows[i].fail(code)
		}
		return
	}
	if len(q.rows) == 0 {
		return
	}
	codes, why := a.ask(string(id), &q)
	for i, at := range q.rows {
		if codes != nil {
			why = codes[i]
		}
		a.rows[at].refuse(why, a.head.Version)
	}
}

// unvouched lists the rows whose partitions need to hear of the coordinator,
// and gives those rows their guards. All transactional batches of a request
// are one producer's.
func (a *produceAnswer) unvouched(body []byte) (q vouching, code wire.Code) {
	some := false
	for i := range a.rows {
		row := &a.rows[i]
		h, err := record.ParseHeader(body[row.batchAt:][:max(row.batchLen, 0)])
		if err != nil || !h.Transactional() || h.ProducerID < 0 {
			continue // append will say what is wrong with it, or nothing is
		}
		if some && (h.ProducerID != q.producerID || h.ProducerEpoch != q.epoch) {
			return q, wire.InvalidProducerIDMapping
		}
		some, q.producerID, q.epoch = true, h.ProducerID, h.ProducerEpoch
		p, code := a.find(row)
		if code != wire.None {
			continue
		}
		if row.guard = p.Guard(h.ProducerID, h.ProducerEpoch, h.BaseSequence, a.head.Version >= addsImplicitly); row.guard != 0 {
			q.partitions = append(q.partitions, txn.TopicPartition{Topic: p.Topic(), Partition: row.index})
			q.rows = append(q.rows, i)
		}
	}
	return q, wire.None
}

// ask puts the question, and waits; it gives a code for each partition, or one
// for all.
func (a *produceAnswer) ask(id string, q *vouching) ([]wire.Code, wire.Code) {
	coordinators := a.family.o.Transactions
	if coordinators == nil {
		return nil, wire.CoordinatorNotAvailable
	}
	var cmd any = txn.Verify{ID: id, ProducerID: q.producerID, Epoch: q.epoch, Partitions: q.partitions}
	if a.head.Version >= addsImplicitly {
		cmd = txn.Add{ID: id, ProducerID: q.producerID, Epoch: q.epoch, Version: txn.V2, Partitions: q.partitions}
	}
	var got vouched
	a.conn.Wait(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, vouchTimeout)
		defer cancel()
		answers := make(chan vouched, 1)
		coordinators.Go(ctx, id, cmd, func(body any, err error) { answers <- vouched{body, err} })
		select {
		case got = <-answers:
		case <-ctx.Done():
			got.err = wire.RequestTimedOut
		}
	})
	return got.codes(len(q.rows))
}

// vouched is what a coordinator said.
type vouched struct {
	body any
	err  error
}

// codes gives a code for each of n partitions, or one for all.
func (v *vouched) codes(n int) ([]wire.Code, wire.Code) {
	if v.err != nil || v.body == nil {
		return nil, wire.CodeOf(v.err)
	}
	reply, ok := v.body.(txn.VerifyReply)
	if !ok || len(reply.Codes) != n {
		return nil, wire.UnknownServerError
	}
	return reply.Codes, wire.None
}

// refuse is how a producer hears that its coordinator did not vouch for a
// batch. What will pass becomes NOT_ENOUGH_REPLICAS, as in Kafka: every
// client's version tries again on it, and none looks for another leader.
func (r *produceRow) refuse(why wire.Code, version int16) {
	switch why {
	case wire.None:
		return
	case wire.ProducerFenced:
		r.fail(wire.InvalidProducerEpoch)
	case wire.TransactionAbortable:
		if version < knowsAbortable {
			r.unvouched(wire.InvalidTxnState, notAdded)
			return
		}
		r.fail(why)
	case wire.InvalidTxnState:
		r.unvouched(why, notAdded)
	case wire.ConcurrentTransactions, wire.NetworkException, wire.RequestTimedOut, wire.KafkaStorageError,
		wire.CoordinatorLoadInProgress, wire.CoordinatorNotAvailable, wire.NotCoordinator,
		wire.NotEnoughReplicas, wire.NotEnoughReplicasAfterAppend, wire.NotLeaderOrFollower, wire.FencedLeaderEpoch:
		r.unvouched(wire.NotEnoughReplicas, "the coordinator cannot say at the moment whether the partition is in the transaction ("+why.Name()+")")
	default:
		r.fail(why)
	}
}

// notAdded is what Kafka says with INVALID_TXN_STATE.
const notAdded = "Partition was not added to the transaction"

func (r *produceRow) unvouched(code wire.Code, text string) {
	r.fail(code)
	r.why = &rejection{message: text}
}
