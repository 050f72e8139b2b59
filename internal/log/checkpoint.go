package log

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
)

// checkpoints is the directory's checkpoint: what the file holds, and what
// changed since. mu serialises the writing; entries is guarded by Dir.mu.
type checkpoints struct {
	mu       sync.Mutex
	sequence uint64
	written  uint64 // value of wanted that the file on disk covers
	textAt   time.Time
	buf      []byte

	entries map[string]checkpoint.Entry // by directory name
	floors  map[string]int64            // Kafka's recovery points, as read at start
	starts  map[string]int64            // Kafka's log start offsets
	highs   map[string]int64            // Kafka's high watermarks
	wanted  uint64                      // counts changes; guarded by Dir.mu
	clean   bool                        // the directory was closed cleanly before
	foreign bool                        // there was no checkpoint of ours
	cleaned cleanedOffsets
}

// textEvery is how often Kafka's text files are brought up to date: for its
// tools, not for us.
const textEvery = 5 * time.Second

// readCheckpoint reads what the last process left and takes away the mark of
// its clean stop, so that it can not vouch for what this process does.
func (d *Dir) readCheckpoint() error {
	c := &d.ckpt
	c.entries = map[string]checkpoint.Entry{}
	b, err := checkpoint.Read(d.fs, d.path+"/"+checkpoint.Name)
	if err == nil {
		var f *checkpoint.File
		if f, err = checkpoint.Parse(b); err == nil {
			c.sequence = f.Sequence
			for _, e := range f.Logs {
				c.entries[layout.DirName(e.Topic, e.Partition)] = e
			}
		}
	}
	switch {
	case errors.Is(err, checkpoint.ErrNewer):
		return fmt.Errorf("%s/%s: %w; run the release that wrote it", d.path, checkpoint.Name, err)
	case err != nil && !missing(err):
		d.log.Warn("checkpoint can not be read; every log is walked from its start", "err", err)
	}
	c.foreign = err != nil
	d.forgetDeleted()
	d.forgetFutures()
	c.floors = d.readOffsets(checkpoint.RecoveryPoints)
	c.starts = d.readOffsets(checkpoint.LogStarts)
	c.highs = d.readOffsets(checkpoint.HighWatermarks)
	c.cleaned.offsets = d.readOffsets(checkpoint.CleanerOffsets)
	if err := d.takeCleanMark(); err != nil {
		return err
	}
	if missing(err) && len(d.onDisk) == 0 {
		// A new directory says so: a checkpoint that is missing later on
		// was lost, and logs that it does not name are new.
		c.foreign = false
		return d.persist()
	}
	return nil
}

// forgetDeleted drops the entries of logs whose deleted directory is still there:
// the checkpoint was not written since. It must be before that goes. A log that
// is there all the same has moved back, and its entry came with it.
func (d *Dir) forgetDeleted() {
	left := map[string]bool{}
	for _, t := range d.trash {
		left[t.path] = true
	}
	for name, e := range d.ckpt.entries {
		l, err := checkpoint.ParseLog(e.Body)
		if err == nil && !d.onDisk[name] && left[d.path+"/"+layout.DeletedName(e.Topic, e.Partition, l.ID)] {
			delete(d.ckpt.entries, name)
			d.ckpt.wanted++
		}
	}
	for i := range d.trash {
		d.trash[i].after = d.ckpt.wanted
	}
}

func (d *Dir) takeCleanMark() error {
	name := d.path + "/" + checkpoint.CleanShutdown
	_, err := d.fs.Stat(name)
	if missing(err) {
		return nil
	}
	if err == nil {
		d.ckpt.clean = true
		if err = d.fs.Remove(name); err == nil {
			err = d.fs.SyncDir(d.path)
		}
	}
	if err != nil {
		return fmt.Errorf("take away the clean-shutdown mark %s: %w", name, err)
	}
	return nil
}

// readOffsets reads one of Kafka's text checkpoints. A damaged one says
// nothing.
func (d *Dir) readOffsets(name string) map[string]int64 {
	b, err := checkpoint.Read(d.fs, d.path+"/"+name)
	if err != nil {
		return nil
	}
	lines, err := checkpoint.ParseOffsets(b)
	if err != nil {
		d.log.Warn("checkpoint file is damaged and is passed by", "file", name, "err", err)
		return nil
	}
	out := make(map[string]int64, len(lines))
	for _, l := range lines {
		out[layout.DirName(l.Topic, l.Partition)] = l.Offset
	}
	return out
}

// entry decodes what the checkpoint knows of a log; nil when nothing, or
// nothing sound.
func (d *Dir) entry(name string) *checkpoint.Log {
	d.mu.Lock()
	e, ok := d.ckpt.entries[name]
	d.mu.Unlock()
	if !ok {
		return nil
	}
	l, err := checkpoint.ParseLog(e.Body)
	if err != nil {
		d.log.Warn("checkpoint entry is damaged and is passed by", "log", name, "err", err)
		return nil
	}
	return l
}

// HighWatermark is what Kafka's replication-offset-checkpoint said of a log
// when the directory was opened.
func (d *Dir) HighWatermark(id Ident) (int64, bool) {
	o, ok := d.ckpt.highs[layout.DirName(id.Topic, id.Partition)]
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
	for _, l := range d.all() {
		if l.changed.Swap(false) || l.epochs.Version() != l.epochsSaved.Load() {
			if err := d.putEntry(l); err != nil && !l.renamed(err) {
				l.changed.Store(true)
				return d.passing(err)
			}
		}
		l.wantMark.Store(true)
	}
	if err := d.persist(); err != nil {
		return d.passing(err)
	}
	if now := d.o.Now(); now.Sub(d.ckpt.textAt) >= textEvery {
		d.ckpt.textAt = now
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
		d.mu.Lock()
		d.ckpt.wanted++
		d.mu.Unlock()
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
	d.ckpt.entries[l.name] = checkpoint.Entry{Topic: l.id.Topic, Partition: l.id.Partition, Body: checkpoint.AppendLog(nil, e)}
	d.ckpt.wanted++
	return nil
}

// putAndPersist writes the checkpoint with the log as it is now.
func (d *Dir) putAndPersist(l *Log) error {
	if err := d.putEntry(l); err != nil {
		return err
	}
	return d.persist()
}

// checkpointEntry is the log's state as far as it is durable; nil for a log
// that never held anything.
func (l *Log) checkpointEntry() *checkpoint.Log {
	l.epochsSaved.Store(l.epochs.Version()) // before the entries: a change in between is saved again
	epochs := l.epochs.All()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.segs) == 0 && l.end.Offset == 0 {
		return nil
	}
	at := l.prior
	if l.state.pos.Offset <= l.durable.Offset {
		at = l.state
	}
	e := &checkpoint.Log{
		ID: l.id.ID, Start: l.start, End: l.end.Offset,
		Recovery: checkpoint.Position(l.durable), State: checkpoint.Position(at.pos),
		Producers: at.producers, Segment: at.segment, Epochs: epochs, Gaps: slices.Clone(l.gaps), Sparse: l.sparse.Load(), Loose: l.loose.Load(),
	}
	for _, s := range l.aborting {
		switch {
		case s.abortedLoaded && len(s.aborted) > 0:
			e.Aborted = append(e.Aborted, checkpoint.Aborted{Segment: s.base, Count: int32(len(s.aborted)), CRC: index.AbortedCRC(s.aborted)})
		case !s.abortedLoaded && s.abortedWant > 0:
			e.Aborted = append(e.Aborted, checkpoint.Aborted{Segment: s.base, Count: s.abortedWant, CRC: s.abortedCRC})
		}
	}
	return e
}

// persist writes the checkpoint file if anything changed since it was written
// last. Whoever comes while another writes is covered by the next write, so
// many callers share few writes.
func (d *Dir) persist() error {
	d.mu.Lock()
	want := d.ckpt.wanted
	d.mu.Unlock()
	c := &d.ckpt
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.written >= want && c.sequence > 0 {
		return nil
	}
	f := checkpoint.File{Sequence: c.sequence + 1}
	d.mu.Lock()
	covers := c.wanted
	for _, name := range slices.Sorted(maps.Keys(c.entries)) {
		f.Logs = append(f.Logs, c.entries[name])
	}
	d.mu.Unlock()
	c.buf = checkpoint.Append(c.buf[:0], &f)
	if err := checkpoint.Write(d.fs, d.path, checkpoint.Name, c.buf, true); err != nil {
		return err
	}
	c.sequence, c.written = f.Sequence, covers
	return nil
}

// writeText writes Kafka's own checkpoints.
func (d *Dir) writeText(high func(Ident) int64, durable bool) error {
	var points, starts, highs []checkpoint.Offset
	for _, l := range d.all() {
		l.mu.Lock()
		empty := len(l.segs) == 0
		point, start := l.durable.Offset, l.start
		l.mu.Unlock()
		if empty {
			continue
		}
		at := checkpoint.Offset{Topic: l.id.Topic, Partition: l.id.Partition, Offset: point}
		points = append(points, at)
		if start > 0 {
			at.Offset = start
			starts = append(starts, at)
		}
		if high != nil {
			at.Offset = max(high(l.id), 0)
			highs = append(highs, at)
		}
	}
	files := []struct {
		name  string
		lines []checkpoint.Offset
	}{{checkpoint.RecoveryPoints, points}, {checkpoint.LogStarts, starts}, {checkpoint.HighWatermarks, highs}}
	for _, f := range files {
		if f.lines == nil && f.name == checkpoint.HighWatermarks && high == nil {
			continue
		}
		if err := checkpoint.Write(d.fs, d.path, f.name, checkpoint.AppendOffsets(nil, f.lines), durable); err != nil {
			return err
		}
	}
	return nil
}

// takeMark notes everything that a restart needs, as of the log's end. Only a
// writer can: it alone sees the producer state still. Log.w is held.
func (l *Log) takeMark() {
	l.wantMark.Store(false)
	var producers []byte
	if l.producers != nil && l.producers.Len() > 0 {
		producers = l.producers.AppendFull(nil)
	}
	m := mark{pos: l.end, producers: producers, segment: checkpoint.Segment{FirstMaxMs: -1, MaxTimestampMs: -1, MaxLastOffset: -1}}
	if s := l.active(); s != nil {
		m.segment = checkpoint.Segment{CreatedMs: s.createdMs, FirstMaxMs: s.firstMaxMs, MaxTimestampMs: s.maxMs, MaxLastOffset: s.maxLast}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state.pos.Offset <= l.durable.Offset {
		l.prior = l.state
	}
	l.state = m
}
