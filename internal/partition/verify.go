package partition

import (
	"ottla/internal/log"
	"ottla/internal/partition/replica"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// A partition must not take batches of a transaction that it is not part of
// (KIP-890): one that came after the end marker would hold the last stable
// offset back for ever. Who knows is the transaction's coordinator, and it is
// asked before the first batch of each transaction. An end marker may come
// between its answer and the append; so the question gets a guard, which the
// marker makes void.

// Guard tells whether the coordinator must vouch for a transactional batch of a
// producer before it is appended, and gives the guard to append it with; 0 when
// nobody need be asked: the transaction is open here, or Append will refuse
// anyway. firstSeq is the batch's first sequence, -1 when it has none; bumps
// says that the producer gets another epoch with each transaction (KIP-890 part
// 2): asking then puts the partition into the transaction, and so it is done
// even when verification is turned off.
func (p *Partition) Guard(producerID int64, epoch int16, firstSeq int32, bumps bool) producer.Guard {
	if producerID < 0 || !bumps && !p.config.Load().VerifyTransactions {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.log.Load()
	if l == nil || p.core.Role() != replica.Leader || l.Producers().HasOpenTxn(producerID, epoch) {
		return 0
	}
	return p.guards.Ask(producerID, epoch, firstSeq, bumps, p.now().UnixMilli())
}

// vouched judges by the guard a transactional batch that the producer state has
// judged. In Kafka's order: a duplicate is one whatever its guard says; without
// a good guard nothing else matters; then what the state says against it. mu
// held.
func (p *Partition) vouched(l *log.Log, h *record.Header, given producer.Guard, verdict producer.Verdict) producer.Verdict {
	if !h.Transactional() || verdict == producer.Duplicate || !p.config.Load().VerifyTransactions ||
		l.Producers().HasOpenTxn(h.ProducerID, h.ProducerEpoch) {
		return verdict
	}
	guarded := p.guards.Check(h, given, l.Producers().Remembers(h.ProducerID))
	if guarded == producer.InvalidTxnState || verdict == producer.Accept {
		return guarded
	}
	return verdict
}

// authorized refuses transactional batches of requests that name no
// transactional id.
func authorized(h *record.Header, a *AppendArgs) error {
	if h.Transactional() && !a.Internal && !a.Transactional {
		return wire.TransactionalIDAuthorizationFailed
	}
	return nil
}
