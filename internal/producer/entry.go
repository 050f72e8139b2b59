package producer

import "math"

// entry is one producer of the partition.
type entry struct {
	id              int64
	lastTimestampMs int64 // of its last batch or marker
	txnFirst        int64 // first offset of its open transaction, -1 when none
	prev, next      *entry
	window          [WindowSize]batchMeta // ring: oldest at window[at]
	// coordinatorEpoch is that of the last transaction marker, -1 before one.
	coordinatorEpoch int32
	epoch            int16 // -1 only until the first batch or marker
	at, n            uint8
}

// batchMeta is what is remembered of a batch.
type batchMeta struct {
	lastOffset  int64
	timestampMs int64 // the batch's maximum
	lastSeq     int32 // -1: a coordinator's write without sequence
	offsetDelta int32 // last offset minus base offset
}

func (b *batchMeta) baseOffset() int64 { return b.lastOffset - int64(b.offsetDelta) }

// firstSeq undoes the wrap from 2^31-1 to 0 that LastSequence did.
func (b *batchMeta) firstSeq() int32 { return (b.lastSeq - b.offsetDelta) & math.MaxInt32 }

// noBatch is what last answers for a producer without batches: Kafka's -1s.
var noBatch = batchMeta{lastOffset: -1, timestampMs: -1, lastSeq: -1}

func newEntry(id int64) *entry {
	return &entry{id: id, lastTimestampMs: -1, txnFirst: -1, coordinatorEpoch: -1, epoch: -1}
}

// setEpoch takes a new epoch, which forgets the batches of the old one.
func (e *entry) setEpoch(epoch int16) {
	if e.epoch != epoch {
		e.epoch, e.at, e.n = epoch, 0, 0
	}
}

// push remembers a batch and forgets the oldest beyond the window.
func (e *entry) push(b batchMeta) {
	if e.n < WindowSize {
		e.window[(e.at+e.n)%WindowSize] = b
		e.n++
		return
	}
	e.window[e.at] = b
	e.at = (e.at + 1) % WindowSize
}

// batch is the i-th remembered batch, oldest first.
func (e *entry) batch(i uint8) *batchMeta { return &e.window[(e.at+i)%WindowSize] }

// last is the newest batch, or noBatch.
func (e *entry) last() *batchMeta {
	if e.n == 0 {
		return &noBatch
	}
	return e.batch(e.n - 1)
}
