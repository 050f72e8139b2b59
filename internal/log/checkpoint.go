package log

import (
	"slices"
	"sync/atomic"
	"time"

	"ottla/internal/log/book"
	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/log/mark"
)

// due is when a checkpoint should be written before its time.
type due struct {
	textAt time.Time     // when Kafka's text files were written last
	grown  atomic.Int64  // bytes that became durable since the last checkpoint
	token  chan struct{} // there is enough of them
}

// textEvery is how often Kafka's text files are brought up to date: for its
// tools, not for us.
const textEvery = 5 * time.Second

// checkpointBytes of new durable data are reason enough for a checkpoint before
// its time: it bounds what a restart reads where a disk writes gigabytes a second.
const checkpointBytes = 64 << 20

// grown counts bytes that became durable.
func (d *Dir) grown(n int64) {
	if d.due.grown.Add(n) < checkpointBytes {
		return
	}
	select {
	case d.due.token <- struct{}{}:
	default:
	}
}

// CheckpointDue carries a token when so much became durable since the last
// Checkpoint that the next should not wait for its time.
func (d *Dir) CheckpointDue() <-chan struct{} { return d.due.token }

// HighWatermark is what Kafka's replication-offset-checkpoint said of a log
// when the directory was opened.
func (d *Dir) HighWatermark(id Ident) (int64, bool) {
	o, ok := d.book.Highs[layout.DirName(id.Topic, id.Partition)]
	return o, ok
}

// Checkpoint writes recovery points, log start offsets and producer states, so
// that a restart reads only what came after. high gives the high watermark of
// a log for Kafka's replication-offset-checkpoint; it may be nil. Nothing is
// written when nothing changed. Without room on the disk it tries again the
// next time.
func (d *Dir) Checkpoint(high func(Ident) int64) error {
	if err := d.Err(); err != nil {
		return err
	}
	d.due.grown.Store(0)
	for _, l := range d.all() {
		if l.changed.Swap(false) || l.epochs.Version() != l.epochsSaved.Load() {
			if err := d.putEntry(l); err != nil && !l.renamed(err) {
				l.changed.Store(true)
				return d.passing(err)
			}
		}
		l.wantMark.Store(true)
	}
	if err := d.book.Persist(); err != nil {
		return d.passing(err)
	}
	if now := d.o.Now(); now.Sub(d.due.textAt) >= textEvery {
		d.due.textAt = now
		if err := d.writeText(high, false); err != nil {
			return d.passing(err)
		}
	}
	return nil
}

// passing lets a checkpoint wait when there is no room; a failed sync is final.
func (d *Dir) passing(err error) error {
	if soft(err) {
		d.room.Full()
		d.log.Warn("no room for the checkpoint; a restart would read more", "err", err)
		d.book.Touch()
		return nil
	}
	return d.fail(err)
}

// putEntry encodes a log's entry for the next write of the file, after it has
// saved what the entry relies on.
func (d *Dir) putEntry(l *Log) error {
	if err := l.saveAborted(); err != nil {
		return err
	}
	e := l.checkpointEntry()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.logs[l.name] != l || e == nil {
		return nil
	}
	d.book.Put(l.name, checkpoint.Entry{Topic: l.id.Topic, Partition: l.id.Partition, Body: checkpoint.AppendLog(nil, e)})
	return nil
}

// putAndPersist writes the checkpoint with the log as it is now.
func (d *Dir) putAndPersist(l *Log) error {
	if err := d.putEntry(l); err != nil {
		return err
	}
	return d.book.Persist()
}

// checkpointEntry is the log's state as far as it is durable; nil for a log
// that never held anything.
func (l *Log) checkpointEntry() *checkpoint.Log {
	l.epochsSaved.Store(l.epochs.Version()) // before the entries: a change in between is saved again
	epochs := l.epochs.All()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.segs) == 0 && l.end.Offset == 0 && !l.emptied {
		return nil
	}
	at := l.marks.Good(l.durable.Offset)
	e := &checkpoint.Log{
		ID: l.id.ID, Start: l.start, End: l.end.Offset,
		Recovery: checkpoint.Position(l.durable), State: at.Pos,
		Producers: at.Producers, Segment: at.Segment, Epochs: epochs, Gaps: slices.Clone(l.gaps), Sparse: l.sparse.Load(), Loose: l.loose.Load(),
		High: -1,
	}
	if l.high != nil {
		e.High = min(l.high(), e.Recovery.Offset)
	}
	for _, s := range l.aborting {
		switch {
		case s.abortedLoaded && len(s.aborted) > 0:
			if n := s.claimed(at.Pos.Offset); n > 0 {
				e.Aborted = append(e.Aborted, checkpoint.Aborted{Segment: s.base, Count: int32(n), CRC: index.AbortedCRC(s.aborted[:n])})
			}
		case !s.abortedLoaded && s.abortedWant > 0:
			e.Aborted = append(e.Aborted, checkpoint.Aborted{Segment: s.base, Count: s.abortedWant, CRC: s.abortedCRC})
		}
	}
	return e
}

// claimed is how many entries of the transaction index a checkpoint may count on
// from which a restart goes on at offset: those that are in the file. What was
// added since it was saved is found again by the walk, unless it lies below
// offset; then it counts, so that the file is known to be too short. Log.mu is
// held.
func (s *segment) claimed(offset int64) int {
	if n := s.savedTxns; n >= 0 && n < len(s.aborted) && s.aborted[n].LastOffset >= offset {
		return n
	}
	return len(s.aborted)
}

// writeText writes Kafka's own checkpoints.
func (d *Dir) writeText(high func(Ident) int64, durable bool) error {
	var logs []book.Stand
	for _, l := range d.all() {
		at := book.Stand{Topic: l.id.Topic, Partition: l.id.Partition, High: -1}
		l.mu.Lock()
		empty := len(l.segs) == 0
		at.Durable, at.Start = l.durable.Offset, l.start
		l.mu.Unlock()
		if empty {
			continue
		}
		if high != nil {
			at.High = high(l.id)
		}
		logs = append(logs, at)
	}
	return d.book.WriteText(logs, high != nil, durable)
}

// takeMark notes everything that a restart needs, as of the log's end. Only a
// writer can: it alone sees the producer state still. Log.w is held.
func (l *Log) takeMark() {
	l.wantMark.Store(false)
	m := mark.Mark{Pos: checkpoint.Position(l.end), Producers: l.producerState(), Segment: checkpoint.Segment{FirstMaxMs: -1, MaxTimestampMs: -1, MaxLastOffset: -1}}
	if s := l.active(); s != nil {
		m.Segment = checkpoint.Segment{CreatedMs: s.createdMs, FirstMaxMs: s.firstMaxMs, MaxTimestampMs: s.maxMs, MaxLastOffset: s.maxLast}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks.Add(m, l.durable.Offset)
}

// markRoll notes the same at the beginning of a new segment, for a log whose
// closed segments alone are synced: a restart goes on from there. Log.w is held.
func (l *Log) markRoll(s *segment) {
	if l.cfg.Load().durability() == Fsync || l.end.Offset != s.base {
		return // the end is durable in a moment, or the segment begins after a gap
	}
	m := mark.At(s.base, s.createdMs, l.producerState())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks.AddRolled(m, l.durable.Offset)
}

// committed is an offset below which nothing is taken back: the high watermark,
// or what is durable where the owner tells none.
func (l *Log) committed() int64 {
	if l.high != nil {
		if high := l.high(); high >= 0 {
			return high
		}
	}
	return l.Durable().Offset
}

// producerState is the whole state of the producers, nil when there are none.
func (l *Log) producerState() []byte {
	if l.producers == nil || l.producers.Len() == 0 {
		return nil
	}
	l.producers.Settled(l.committed())
	return l.producers.AppendFull(nil)
}
