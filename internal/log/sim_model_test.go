package log_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"ottla/internal/log"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// twin is what the simulation knows of one log: what was written to it, what
// it promised, and between which bounds it may come back after a crash.
type twin struct {
	id  log.Ident
	cfg log.Config
	log *log.Log // nil while no process has it open

	// batches is every batch of the log in order, below the log start too.
	// The last may be under way: written is the end of those whose append
	// returned.
	batches []*batch
	written int64
	// olds are the logs that truncations cut: a crash may bring one back as
	// far as nothing was promised since.
	olds [][]*batch

	acked              int64 // everything below was called durable
	startMin, startMax int64 // the log start offset lies between them
	epoch              int32
	forgot             int64 // below, only the last batch of each producer must be recognised
	truncating         bool  // a truncation was begun and has not returned
	deleting, deleted  bool
}

// batch is one batch that was written.
type batch struct {
	h       record.Header
	raw     []byte
	times   []int64 // of its records, ms
	aborts  bool    // an abort marker
	commits bool
}

// end is the offset after the last batch, whether its append returned or not.
func (tw *twin) end() int64 { return endOf(tw.batches) }

// next is the offset of the next batch.
func (tw *twin) next() int64 { return max(tw.end(), tw.written) }

func endOf(bs []*batch) int64 {
	if len(bs) == 0 {
		return 0
	}
	return bs[len(bs)-1].h.NextOffset()
}

// below cuts a list of batches at an offset.
func below(bs []*batch, offset int64) []*batch {
	i := slices.IndexFunc(bs, func(b *batch) bool { return b.h.NextOffset() > offset })
	if i < 0 {
		return bs
	}
	return bs[:i:i]
}

// at lists the batches that are not wholly below an offset.
func at(bs []*batch, offset int64) []*batch {
	i := slices.IndexFunc(bs, func(b *batch) bool { return b.h.NextOffset() > offset })
	if i < 0 {
		return nil
	}
	return bs[i:]
}

// clone copies what a check of a cloned disk may change.
func (tw *twin) clone() *twin {
	c := *tw
	c.log = nil
	c.batches, c.olds = slices.Clone(tw.batches), slices.Clone(tw.olds)
	return &c
}

// writer is the naive twin of one producer's state.
type writer struct {
	epoch    int16
	window   []*batch // of its epoch, the last five
	txnFirst int64    // -1 when none is open
}

func (w *writer) nextSequence() int32 {
	if len(w.window) == 0 {
		return 0
	}
	return w.window[len(w.window)-1].h.LastSequence() + 1
}

// replay derives the producers and the aborted transactions from the batches.
func replay(bs []*batch) (map[int64]*writer, []producer.Aborted) {
	writers := make(map[int64]*writer)
	var aborted []producer.Aborted
	for _, b := range bs {
		if b.h.ProducerID < 0 {
			continue
		}
		w := writers[b.h.ProducerID]
		if w == nil {
			w = &writer{epoch: b.h.ProducerEpoch, txnFirst: -1}
			writers[b.h.ProducerID] = w
		}
		if w.epoch != b.h.ProducerEpoch {
			w.epoch, w.window = b.h.ProducerEpoch, nil
		}
		if b.h.Control() {
			if b.aborts && w.txnFirst >= 0 {
				aborted = append(aborted, producer.Aborted{
					ProducerID: b.h.ProducerID, FirstOffset: w.txnFirst, LastOffset: b.h.LastOffset(),
				})
			}
			w.txnFirst = -1
			continue
		}
		w.window = append(w.window, b)
		w.window = w.window[max(0, len(w.window)-producer.WindowSize):]
		if b.h.Transactional() && w.txnFirst < 0 {
			w.txnFirst = b.h.BaseOffset
		}
	}
	return writers, aborted
}

// draft is what a new batch is to be.
type draft struct {
	offset    int64
	epoch     int32
	nowMs     int64
	producer  int64 // -1 for none
	pepoch    int16
	sequence  int32
	txn       bool
	count     int
	valueSize int
	codec     record.Codec
}

// build makes a batch with random values.
func (d draft) build(r *rand.Rand) *batch {
	bd := record.NewBuilder()
	bd.LeaderEpoch, bd.Codec = d.epoch, d.codec
	if d.producer >= 0 {
		bd.ProducerID, bd.ProducerEpoch, bd.BaseSequence, bd.Transactional = d.producer, d.pepoch, d.sequence, d.txn
	}
	b := new(batch)
	for i := range d.count {
		ms := d.nowMs + r.Int64N(200) - 100
		value := make([]byte, r.IntN(d.valueSize+1))
		for j := range value {
			value[j] = byte(r.Uint32())
		}
		b.times = append(b.times, ms)
		bd.Add(ms, fmt.Appendf(nil, "%d+%d", d.offset, i), value)
	}
	b.seal(bd.Build(d.offset), d.offset, d.epoch)
	return b
}

// marker makes the control batch that ends a transaction.
func marker(d draft, commit bool) *batch {
	b := &batch{aborts: !commit, commits: commit, times: []int64{d.nowMs}}
	b.seal(record.EndTxnMarker(d.producer, d.pepoch, commit, 1, d.nowMs), d.offset, d.epoch)
	return b
}

func (b *batch) seal(raw []byte, offset int64, epoch int32) {
	record.SetBaseOffset(raw, offset)
	record.SetLeaderEpoch(raw, epoch)
	h, err := record.ParseHeader(raw)
	if err != nil {
		panic(err) // the test's own batch
	}
	b.h, b.raw = h, raw
}

// sameBatches tells whether two lists hold the same bytes.
func sameBatches(a, b []*batch) bool {
	return slices.EqualFunc(a, b, func(x, y *batch) bool { return bytes.Equal(x.raw, y.raw) })
}
