package compact

import (
	"math"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// Pass is one cleaning of one log: first Index over the dirty batches, then
// Clean over all batches from the log's start.
type Pass struct {
	NowMs           int64
	DeleteRetention int64 // delete.retention.ms
	From            int64 // what lies below is not indexed
	To              int64 // bound of the pass: the batch that ends there stays
	// Producers are those still known, each with its last batch.
	Producers map[int64]producer.Last

	Dropped, Kept int64 // records that Clean saw

	keys    *Keys
	live    *live // nil: keys decide
	txns    Transactions
	sifting record.Sifting
	put     func(int64, []byte, bool) bool
	full    bool
	// tombstonesGo: the delete horizon of the batch at hand is passed.
	tombstonesGo bool
}

// NewPass begins a pass. keys is empty; aborted is what the transaction
// indexes know of [log start, to), by first offset.
func NewPass(keys *Keys, aborted []producer.Aborted) *Pass {
	p := &Pass{keys: keys, txns: NewTransactions(aborted)}
	p.sifting.Keep = p.keep
	p.put = func(offset int64, key []byte, _ bool) bool {
		if key != nil && offset >= p.From && !p.keys.Put(key, offset) {
			p.full = true
		}
		return !p.full
	}
	return p
}

// Index notes the keys of a batch. It returns true when the table is full: the
// pass covers what came before.
func (p *Pass) Index(h *record.Header, b []byte) (full bool, err error) {
	if h.Control() {
		if _, err = p.txns.Marker(h, b); err != nil {
			return false, err
		}
	} else if !p.txns.Batch(h) && h.Count > 0 {
		if err := record.Keys(b, p.put); err != nil || p.full {
			return p.full, err
		}
	}
	if h.LastOffset() >= p.From {
		p.keys.Passed(h.LastOffset())
	}
	return false, nil
}

// Turn ends the indexing and readies Clean, which begins at the log's first
// batch; aborted is as in NewPass. What lies below From was looked at by the
// passes before.
func (p *Pass) Turn(aborted []producer.Aborted) {
	p.keys.Passed(p.From - 1)
	p.live = liveOf(p.keys, p.From, p.keys.Latest()+1)
	p.txns = NewTransactions(aborted)
}

// Clean gives what stays of a batch: nothing (nil), b's own bytes, or others
// in dst[:0] or what it grew into. dst does not overlap b.
func (p *Pass) Clean(dst []byte, h *record.Header, b []byte) ([]byte, error) {
	if h.Control() {
		return p.marker(dst, h, b)
	}
	dead := p.txns.Batch(h)
	var out []byte
	if !dead && h.Count > 0 {
		p.sifting.HorizonMs, p.sifting.Always = p.horizon(), false
		p.tombstonesGo = h.HasDeleteHorizon() && h.BaseTimestamp <= p.NowMs
		var err error
		if out, err = record.Sift(dst, b, &p.sifting); err != nil {
			return nil, err
		}
	}
	p.count(h, out)
	if out == nil && p.stays(h) {
		if h.Count == 0 {
			return b, nil
		}
		return record.EmptyBatch(dst, h), nil
	}
	return out, nil
}

// Skip decides on a batch by its header alone where that is enough: none of its
// records stays. ok is false when Clean must see the batch; else out is what
// stays of it, nil or an empty batch in dst[:0] or what it grew into.
func (p *Pass) Skip(dst []byte, h *record.Header) (out []byte, ok bool) {
	if h.Control() || h.Count == 0 || !p.live.covers(h.BaseOffset, h.LastOffset()) || !p.live.none(h.BaseOffset, h.LastOffset()) {
		return nil, false
	}
	p.txns.Batch(h)
	p.Dropped += int64(h.Count)
	if p.stays(h) {
		out = record.EmptyBatch(dst, h)
	}
	return out, true
}

// TakeAborted hands over the entries of the transaction index for what Clean
// kept since the last call.
func (p *Pass) TakeAborted() []producer.Aborted { return p.txns.TakeKept() }

// marker decides on a control batch: it stays whole or goes.
func (p *Pass) marker(dst []byte, h *record.Header, b []byte) ([]byte, error) {
	spent, err := p.txns.Marker(h, b)
	switch {
	case err != nil:
		return nil, err
	case !spent:
		p.Kept += int64(h.Count)
		return b, nil
	case p.stays(h):
		p.Kept += int64(h.Count)
		return b, nil
	case h.Count == 0 || h.HasDeleteHorizon() && h.BaseTimestamp <= p.NowMs:
		p.Dropped += int64(h.Count)
		return nil, nil
	}
	p.Kept += int64(h.Count)
	return record.Sift(dst, b, &record.Sifting{HorizonMs: p.horizon(), Always: true})
}

// stays tells whether a batch stays even without its records.
func (p *Pass) stays(h *record.Header) bool {
	if h.NextOffset() == p.To {
		return true
	}
	last, ok := p.Producers[h.ProducerID]
	if !ok || h.ProducerID < 0 {
		return false
	}
	if last.Offset >= 0 {
		return h.LastOffset() == last.Offset
	}
	return h.Control() && h.ProducerEpoch == last.Epoch
}

// horizon is when what is found dead now may go.
func (p *Pass) horizon() int64 {
	if p.DeleteRetention > math.MaxInt64-max(p.NowMs, 0) {
		return math.MaxInt64
	}
	return p.NowMs + p.DeleteRetention
}

// keep decides on a record.
func (p *Pass) keep(offset int64, key []byte, tombstone bool) bool {
	if offset > p.keys.latest {
		return true
	}
	if p.live.covers(offset, offset) {
		return p.live.has(offset) && (!tombstone || !p.tombstonesGo)
	}
	if key == nil || offset < p.keys.Last(key) {
		return false
	}
	return !tombstone || !p.tombstonesGo
}

func (p *Pass) count(h *record.Header, out []byte) {
	kept := int32(0)
	if out != nil {
		if o, err := record.ParseHeader(out); err == nil {
			kept = o.Count
		}
	}
	p.Kept += int64(kept)
	p.Dropped += int64(h.Count - kept)
}
