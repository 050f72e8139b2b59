package partition

import (
	"ottla/internal/log"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// admit asks the producer state whether a batch may be written (KIP-98):
// it may, or it is a duplicate, or it is refused. mu held.
func (p *Partition) admit(l *log.Log, h *record.Header, b []byte, a *AppendArgs) (seen producer.Seen, duplicate bool, err error) {
	var verdict producer.Verdict
	switch {
	case h.ProducerID < 0:
	case h.Control():
		_, coordinatorEpoch, err := record.ParseEndTxnMarker(b)
		if err != nil {
			return seen, false, badBatch(err)
		}
		verdict = l.Producers().CheckMarker(h, coordinatorEpoch, a.TransactionVersion)
	default:
		verdict, seen = l.Producers().Check(h)
		verdict = p.vouched(l, h, a.Guard, verdict)
	}
	switch verdict {
	case producer.Accept:
		return seen, false, nil
	case producer.Duplicate:
		return seen, true, nil
	}
	return seen, false, badProducer(verdict)
}

// begin tells the core of a transaction before its first batch is written,
// for the batch may be durable before the append returns. It tells whether
// one begins. mu held.
func (p *Partition) begin(h *record.Header) bool {
	if !h.Transactional() || h.Control() {
		return false
	}
	p.st.Lock()
	defer p.st.Unlock()
	return p.core.Txns().Begin(h.ProducerID, h.BaseOffset)
}
