package model

import (
	"fmt"
	"math/rand/v2"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// Batch is one batch of a log.
type Batch struct {
	H   record.Header
	Raw []byte
}

// Parse makes a Batch of bytes that hold one.
func Parse(raw []byte) (Batch, error) {
	h, err := record.ParseHeader(raw)
	return Batch{h, raw}, err
}

// Record is a record as a consumer sees it.
type Record struct {
	Offset, TimeMs int64
	Key, Value     string
	NoKey, NoValue bool
}

// Options shape a history.
type Options struct {
	Keys      int // how many keys there are
	Producers int // of these half run transactions
	Codecs    bool
	NullKeys  bool
}

// History is everything that was ever written to a log, in order. Whoever makes
// one appends each batch that Next returns.
type History struct {
	o       Options
	r       *rand.Rand
	Batches []Batch
	NowMs   int64
	State   *producer.State    // after the last batch
	Aborted []producer.Aborted // entries of the transaction index, by marker
	writers []writer
	next    int64
}

type writer struct {
	id    int64
	epoch int16
	seq   int32
	txn   bool // uses transactions
	open  bool
}

// New begins an empty history; r is where all its chances come from.
func New(r *rand.Rand, o Options) *History {
	h := &History{o: o, r: r, NowMs: 1_700_000_000_000, State: producer.NewState()}
	for i := range o.Producers {
		h.writers = append(h.writers, writer{id: int64(100 + i), txn: i%2 == 1})
	}
	return h
}

// End is the offset after the last batch.
func (h *History) End() int64 { return h.next }

// Next writes one more batch: data, or the marker that ends a transaction.
func (h *History) Next() Batch {
	h.NowMs += h.r.Int64N(50)
	if len(h.writers) > 0 && h.r.IntN(4) > 0 {
		w := &h.writers[h.r.IntN(len(h.writers))]
		if w.open && h.r.IntN(3) == 0 {
			return h.endTxn(w, h.r.IntN(2) == 0)
		}
		return h.write(w)
	}
	return h.write(nil)
}

// Settle ends every open transaction and returns the markers.
func (h *History) Settle() []Batch {
	var out []Batch
	for i := range h.writers {
		if h.writers[i].open {
			out = append(out, h.endTxn(&h.writers[i], h.r.IntN(2) == 0))
		}
	}
	return out
}

// endTxn writes the marker of one writer; now and then it brings a new epoch
// (KIP-890).
func (h *History) endTxn(w *writer, commit bool) Batch {
	w.open = false
	if h.r.IntN(2) == 0 {
		w.epoch, w.seq = w.epoch+1, 0
	}
	return h.take(record.EndTxnMarker(w.id, w.epoch, commit, 1, h.NowMs))
}

func (h *History) write(w *writer) Batch {
	b := record.NewBuilder()
	if h.o.Codecs {
		b.Codec = record.Codec(h.r.IntN(5))
	}
	n := 1 + h.r.IntN(6)
	if w != nil {
		b.ProducerID, b.ProducerEpoch, b.BaseSequence, b.Transactional = w.id, w.epoch, w.seq, w.txn
		w.seq += int32(n)
		w.open = w.txn
	}
	for i := range n {
		key := fmt.Appendf(nil, "key-%d", h.r.IntN(h.o.Keys))
		if h.o.NullKeys && h.r.IntN(20) == 0 {
			key = nil
		}
		value := fmt.Appendf(nil, "value of offset %d, %0*d", h.next+int64(i), h.r.IntN(40), 0)
		if h.r.IntN(6) == 0 {
			value = nil
		}
		var headers []record.RecordHeader
		if h.r.IntN(5) == 0 {
			headers = append(headers, record.RecordHeader{Key: "trace", Value: []byte("1")})
		}
		b.Add(h.NowMs+h.r.Int64N(20)-10, key, value, headers...)
	}
	return h.take(b.Build(0))
}

// take gives a batch its place in the log.
func (h *History) take(raw []byte) Batch {
	record.SetBaseOffset(raw, h.next)
	record.SetLeaderEpoch(raw, 0)
	b, err := Parse(raw)
	if err != nil {
		panic(err) // the model's own batch
	}
	a, ok, err := h.State.Apply(&b.H, raw)
	if err != nil {
		panic(err)
	}
	if ok {
		h.Aborted = append(h.Aborted, a)
	}
	h.Batches = append(h.Batches, b)
	h.next = b.H.NextOffset()
	return b
}

// Stable is the last stable offset.
func (h *History) Stable() int64 {
	if o, ok := h.State.FirstUnstable(h.next); ok {
		return o
	}
	return h.next
}

// TruncateTo forgets the batches at or above offset, which is a batch boundary.
// Producers and transactions are as the rest tells.
func (h *History) TruncateTo(offset int64) {
	h.State, h.Aborted, h.next = producer.NewState(), nil, offset
	old := h.Batches
	h.Batches = nil
	for _, b := range old {
		if b.H.BaseOffset >= offset {
			break
		}
		if a, ok, err := h.State.Apply(&b.H, b.Raw); err == nil && ok {
			h.Aborted = append(h.Aborted, a)
		}
		h.Batches = append(h.Batches, b)
	}
}
