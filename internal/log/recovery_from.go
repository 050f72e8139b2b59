package log

import (
	"math"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// producers sets the producer state, the epochs and the place to walk from.
func (r *recovery) producers() error {
	l := r.l
	l.freshProducers()
	if r.saved != nil {
		l.epochs.Replace(r.saved.Epochs)
		r.known.Replace(r.saved.Epochs)
		if r.resume() {
			return nil
		}
	} else if b, err := checkpoint.Read(l.dir.fs, l.path()+"/"+checkpoint.LeaderEpochs); err == nil {
		if e, err := checkpoint.ParseEpochs(b); err == nil {
			l.epochs.Replace(e)
		}
	}
	if !r.checks() {
		r.from = len(r.segs) - 1 // stopped cleanly by Kafka
	}
	r.from = r.restore(r.from)
	if err := r.widen(); err != nil {
		return err
	}
	r.next, r.epoch = r.segs[r.from].base, -1
	if r.from == 0 {
		r.next = min(r.next, l.start)
	}
	if e, ok := l.epochs.EpochOf(r.next - 1); ok && r.from > 0 {
		r.epoch = e
	}
	return nil
}

// restore sets the producer state to what Kafka's snapshot says of the beginning
// of segment i, or of the newest one before it that has a snapshot, and tells
// which that is.
func (r *recovery) restore(i int) int {
	for ; i > 0; i-- {
		if r.snapshot(r.segs[i].base) {
			return i
		}
	}
	r.l.freshProducers()
	r.snapshot(r.segs[0].base)
	return 0
}

// widest bounds how far back duplicate windows are looked for.
const widest = 1 << 30

// widen takes the walk back to where the duplicate windows begin: a snapshot has
// one batch of each producer, which may send five again. A producer that wrote
// nothing in so much of the log keeps the one.
func (r *recovery) widen() error {
	left := map[int64]int{}
	for _, p := range r.l.Producers().List() {
		left[p.ProducerID] = producer.WindowSize
	}
	at := r.from
	for bytes := int64(0); at > 0 && bytes < widest && len(left) > 0; {
		at--
		bytes += r.segs[at].size
		if err := r.countBatches(r.segs[at], left); err != nil {
			return err
		}
	}
	if at < r.from {
		r.from = r.restore(at)
	}
	return nil
}

// countBatches takes the batches of a segment off what is left of each producer's
// window. Of a segment that can not be read it counts the beginning.
func (r *recovery) countBatches(s *segment, left map[int64]int) error {
	f, err := r.l.acquire(s)
	if err != nil {
		return err
	}
	defer f.release()
	w := walk.Get(f.f, 0, s.size)
	defer w.Put()
	var h record.Header
	for w.Header(&h) == nil {
		if n, ok := left[h.ProducerID]; ok && !h.Control() {
			if left[h.ProducerID] = n - 1; n == 1 {
				delete(left, h.ProducerID)
			}
		}
		w.Skip(&h)
	}
	return nil
}

// snapshot restores the producer state from a segment's .snapshot file.
func (r *recovery) snapshot(base int64) bool {
	b, err := checkpoint.Read(r.l.dir.fs, r.l.path()+"/"+layout.FileName(base, layout.Snapshot))
	if err == nil {
		err = r.l.Producers().Restore(b)
	}
	if err != nil && !missing(err) {
		r.l.dir.log.Warn("producer snapshot can not be read", "topic", r.l.id.Topic, "partition", r.l.id.Partition, "offset", base, "err", err)
	}
	return err == nil
}

// resume takes up the walk where the checkpoint's state stands, if that place
// is still there.
func (r *recovery) resume() bool {
	at := r.saved.State
	i := r.find(at.Segment)
	if i < 0 || at.Byte > r.segs[i].size || at.Offset < at.Segment {
		return false
	}
	if len(r.saved.Producers) > 0 {
		if err := r.l.Producers().RestoreFull(r.saved.Producers); err != nil {
			r.l.dir.log.Warn("producer state in the checkpoint can not be read; the log is walked from its start", "topic", r.l.id.Topic, "partition", r.l.id.Partition, "err", err)
			return false
		}
	}
	s := r.segs[i]
	r.from, r.at, r.next, r.epoch = i, at.Byte, at.Offset, -1
	if e, ok := r.l.epochs.EpochOf(at.Offset - 1); ok {
		r.epoch = e
	}
	s.indexFrom, s.last = at.Byte, at.Offset
	m := r.saved.Segment
	s.createdMs, s.firstMaxMs, s.maxMs, s.maxLast = m.CreatedMs, m.FirstMaxMs, m.MaxTimestampMs, m.MaxLastOffset
	s.maxKnown = true
	r.readAborted(s, at.Offset)
	return true
}

// readAborted takes over the transaction-index entries below offset; the walk
// finds those above it again. A damaged file is found out when it is asked.
func (r *recovery) readAborted(s *segment, offset int64) {
	b, err := checkpoint.Read(r.l.dir.fs, s.file(layout.Aborted))
	if missing(err) && s.abortedWant <= 0 {
		s.abortedLoaded = true
		return
	}
	if err != nil {
		return
	}
	all, err := index.ParseAborted(b, s.base, math.MaxInt64)
	if err != nil || !s.abortedAsSaved(all) {
		return
	}
	n := 0
	for n < len(all) && all[n].LastOffset < offset {
		n++
	}
	s.aborted, s.abortedLoaded = all[:n:n], true
	if s.savedTxns = n; n < len(all) {
		s.savedTxns = -1
	}
}

// abortedAsSaved tells whether entries of a .txnindex begin with those that the
// checkpoint knows of.
func (s *segment) abortedAsSaved(entries []producer.Aborted) bool {
	return s.abortedWant < 0 || len(entries) >= int(s.abortedWant) && index.AbortedCRC(entries[:s.abortedWant]) == s.abortedCRC
}
