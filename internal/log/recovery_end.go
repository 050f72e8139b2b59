package log

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/log/mark"
	"ottla/internal/log/ring"
	"ottla/internal/vfs"
)

// cutAt ends the log at byte at of segment i, whose file has size bytes.
func (r *recovery) cutAt(i int, at, size int64, reason string) error {
	if err := r.doubt(); err != nil {
		return err
	}
	s := r.segs[i]
	s.size = at
	if err := r.save(s, at, size); err != nil {
		return err
	}
	if err := r.l.removeIndexes(s); err != nil {
		return r.l.dir.fail(err)
	}
	f, err := r.l.dir.open(s.file(layout.Log), os.O_RDWR)
	if err != nil {
		return r.l.refuse(r.l.cfg.Load(), err)
	}
	err = f.Truncate(at)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return r.l.dir.fail(fmt.Errorf("cut %s: %w", s.file(layout.Log), err))
	}
	s.allocated = at
	return r.setAside(i+1, size-at, fmt.Sprintf("%s: byte %d: %s", s.file(layout.Log), at, reason))
}

// setAside ends the log before segment i: it and all after it are renamed out
// of the way.
func (r *recovery) setAside(i int, already int64, reason string) error {
	l := r.l
	if err := r.doubt(); err != nil {
		return err
	}
	r.cut = true
	r.report.CutBytes += already
	if r.report.Reason == "" || already > 0 {
		r.report.Reason = reason
	}
	for j := len(r.segs) - 1; j >= i; j-- {
		s := r.segs[j]
		to := layout.FreeName(l.dir.fs, s.file(layout.Log)+layout.Cut)
		if err := l.dir.fs.Rename(s.file(layout.Log), to); err != nil {
			return l.dir.fail(fmt.Errorf("set %s aside: %w", s.file(layout.Log), err))
		}
		for _, suffix := range []string{layout.Index, layout.Times, layout.Aborted, layout.Snapshot, layout.Gap} {
			_ = l.dir.fs.Remove(s.file(suffix))
		}
		if h := s.handle; h != nil {
			s.handle = nil
			h.release()
		}
		r.report.CutBytes += s.size
		r.report.SavedTo = to
	}
	r.segs = r.segs[:i]
	return nil
}

// save copies the bytes [at, size) of a segment into a file beside it. They
// are not lost: somebody may want to look.
func (r *recovery) save(s *segment, at, size int64) error {
	l := r.l
	in, err := l.dir.open(s.file(layout.Log), os.O_RDONLY)
	if err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	defer in.Close()
	name := layout.FreeName(l.dir.fs, fmt.Sprintf("%s.%d%s", s.file(layout.Log), at, layout.Cut))
	out, err := l.dir.open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	err = copyRange(out, in, at, size)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = l.dir.fs.Remove(name)
		if soft(err) { // without room the bytes stay where they are, and so does the log
			return l.refuse(l.cfg.Load(), fmt.Errorf("keep the %d bytes after a bad batch: %w", size-at, err))
		}
		return l.dir.fail(fmt.Errorf("keep the bytes after a bad batch: %w", err))
	}
	r.report.SavedTo = name
	return nil
}

func copyRange(out io.WriterAt, in io.ReaderAt, from, to int64) error {
	buf := make([]byte, min(max(to-from, 0), 1<<20))
	for at := from; at < to; {
		n, err := in.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
		if n == 0 {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if _, err := out.WriteAt(buf[:n], at-from); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// finish makes what was accepted durable and the log ready.
func (r *recovery) finish() error {
	l := r.l
	if r.next < r.floor0() && !r.gapped() {
		r.lost(fmt.Sprintf("the log ends at offset %d, below its recovery point %d", r.next, r.floor))
	}
	if r.cut || r.rot { // what was walked past may have told of producers and transactions
		l.doubted.Store(true)
	}
	if err := r.keepDoubts(); err != nil {
		return err
	}
	if !r.leaves() {
		if err := r.sync(); err != nil {
			return err
		}
	}
	l.mu.Lock()
	l.segs = r.segs
	for _, s := range l.segs {
		if s.hasAborted {
			l.aborting = append(l.aborting, s)
		}
	}
	l.tail = new(ring.Tail)
	l.end = Position{Offset: r.next}
	if s := l.active(); s != nil {
		l.end.Segment, l.end.Byte = s.base, s.size
	}
	l.dropGaps(max(r.next, r.floor0()))
	l.tail.Reset(l.end.Offset, l.end.Byte)
	l.start = min(l.start, max(r.next, r.floor0()))
	l.durable = l.end
	if r.leaves() {
		r.leave()
	}
	l.mu.Unlock()
	for _, e := range r.late {
		if latest, ok := l.epochs.Latest(); e.Start == max(r.next, r.floor0()) && (!ok || e.Epoch > latest.Epoch) {
			l.epochs.Assign(e.Epoch, e.Start)
		}
	}
	r.marks()
	if s := l.active(); s != nil && (r.next < r.floor0() || r.broken) {
		// What is behind the last batch is no log: go on in a new segment.
		base := max(r.next, r.floor0())
		if !r.gapped() {
			l.mu.Lock()
			l.end.Offset = base // the gap is loss, and stays one
			l.durable = l.end
			l.mu.Unlock()
		}
		if err := l.roll(base); err != nil {
			return l.refuse(l.cfg.Load(), err)
		}
		l.mu.Lock()
		l.end.Offset = base
		l.durable = l.end
		l.mu.Unlock()
	}
	if r.cut || r.rot || r.report.ScannedBytes > 0 && r.next > r.floor {
		r.report.End = l.end.Offset
		r.say()
	}
	return nil
}

// gapped tells that what lies between the end and the recovery point never was in the
// log: an empty segment stood behind a rightful gap, and another was to take its place.
func (r *recovery) gapped() bool {
	return slices.ContainsFunc(r.l.gaps, func(g checkpoint.Gap) bool { return g.From <= r.next && r.floor0() <= g.To })
}

// leaves tells whether what was found past the recovery point stays unsynced: of
// a log that answers before it syncs, whose files are as the checkpoint expects
// them. A power cut may take that, as it might have before the restart.
func (r *recovery) leaves() bool {
	return r.saved != nil && r.l.cfg.Load().durability() != Fsync && !r.cut && !r.rot && !r.broken &&
		r.next >= r.saved.End && r.next > r.floor && r.floor == r.saved.Recovery.Offset
}

// leave notes what is not durable, for the syncs to come. Log.mu is held.
func (r *recovery) leave() {
	l := r.l
	l.durable = Position(r.saved.Recovery)
	l.newDir = true // nothing says that its name is on the disk
	l.made++
	l.flow.dirtyAt = l.dir.o.Now()
	l.dir.markBackground(l)
	l.dir.markClosed(l)
}

// floor0 is the floor as an offset: 0 where there is none or all is sound.
func (r *recovery) floor0() int64 {
	if r.floor == math.MaxInt64 {
		return 0
	}
	return max(r.floor, 0)
}

// sync makes durable what was accepted past the floor. The bytes are written
// again in place first: when the process before this one met a failed sync, the
// kernel holds them as clean pages that no disk has, and a sync alone would
// write nothing.
func (r *recovery) sync() error {
	l := r.l
	// A log that ends below where the checkpoint saw it may have been cut and
	// the cut not synced: then the bytes could come back.
	short := r.saved != nil && r.next < r.saved.End
	if !r.cut && !short && r.next <= r.floor {
		// Nothing to sync; but an empty last segment, or a log that never
		// held anything durable, may have names that no disk has.
		if s := r.segs[len(r.segs)-1]; s.size == 0 {
			l.made++
		}
		l.newDir = r.saved == nil || r.saved.Recovery.Offset == 0
		return nil
	}
	if r.saved == nil {
		// The log is new to the checkpoint: its partition.metadata may be
		// as unsynced as its batches.
		err := checkpoint.Write(l.dir.fs, l.path(), checkpoint.PartitionMeta, checkpoint.AppendMetadata(nil, l.id.ID), true)
		if err != nil {
			return l.refuse(l.cfg.Load(), err)
		}
	}
	for i := min(r.from, len(r.segs)); i < len(r.segs); i++ {
		from := int64(0)
		if r.saved != nil && r.segs[i].base == r.saved.Recovery.Segment {
			from = r.saved.Recovery.Byte
		} else if r.saved != nil && r.segs[i].base < r.saved.Recovery.Segment {
			from = r.segs[i].size
		}
		if err := l.syncRecovered(r.segs[i], from); err != nil {
			return err
		}
	}
	for _, dir := range []string{l.path(), l.dir.path} {
		if err := l.dir.fs.SyncDir(dir); err != nil {
			err = fmt.Errorf("sync directory %s: %w", dir, err)
			if noDescriptors(err) {
				return l.refuse(l.cfg.Load(), err)
			}
			return l.dir.fail(err)
		}
	}
	return nil
}

// syncRecovered writes the bytes of s from byte from on again and syncs it.
func (l *Log) syncRecovered(s *segment, from int64) error {
	f, err := l.dir.open(s.file(layout.Log), os.O_RDWR)
	if err != nil {
		return l.refuse(l.cfg.Load(), err)
	}
	if s.size-from <= rewriteMost {
		err = rewrite(f, from, s.size)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return l.dir.fail(fmt.Errorf("sync %s: %w", s.file(layout.Log), err))
	}
	return nil
}

// rewriteMost bounds what is written again. A checkpoint is never that far
// behind; without one the log may be of any size.
const rewriteMost = 256 << 20

// rewrite writes the bytes [from, to) of a file over themselves.
func rewrite(f vfs.File, from, to int64) error {
	buf := make([]byte, min(max(to-from, 0), 1<<20))
	for at := from; at < to; {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
		if n == 0 {
			return err
		}
		if _, err := f.WriteAt(buf[:n], at); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// marks sets what the next checkpoint says of producers.
func (r *recovery) marks() {
	l := r.l
	l.mu.Lock()
	if r.saved != nil {
		l.marks.Reset(mark.Mark{Pos: r.saved.State, Producers: r.saved.Producers, Segment: r.saved.Segment})
	}
	if r.last != nil && !r.cut {
		l.marks.AddRolled(*r.last, l.durable.Offset)
	}
	l.mu.Unlock()
	if l.active() != nil && (r.saved == nil || l.end.Offset != r.saved.State.Offset) {
		l.takeMark()
		l.changed.Store(true)
	}
	if r.saved == nil {
		// Nothing was known before: what is known now holds from the start.
		l.mu.Lock()
		l.marks.Settle()
		l.mu.Unlock()
	}
}

// say notes what recovery found.
func (r *recovery) say() {
	l := r.l
	l.report = &r.report
	log := l.dir.log.Info
	if r.cut || r.rot || r.report.Reason != "" {
		log = l.dir.log.Warn
	}
	log("log recovered", "topic", l.id.Topic, "partition", l.id.Partition, "from", r.report.From, "offset", r.report.End,
		"scanned_bytes", r.report.ScannedBytes, "cut_bytes", r.report.CutBytes, "saved_to", r.report.SavedTo, "reason", r.report.Reason)
}

// empty opens a directory without segments: new, or robbed of its files.
func (r *recovery) empty() error {
	l := r.l
	l.newDir = true
	if r.saved == nil && r.floor <= 0 {
		return nil
	}
	end := max(r.floor, l.start, 0)
	if end == 0 { // nothing of it was ever durable
		return nil
	}
	held := r.saved == nil || r.saved.Recovery.Offset > r.saved.Start // anything durable
	if r.saved != nil && held {
		end = max(end, r.saved.End)
		l.epochs.Replace(r.saved.Epochs)
	}
	l.start, l.end = end, Position{end, end, 0}
	l.durable = l.end
	if !held {
		return nil
	}
	l.lost.Store(true)
	if err := r.doubt(); err != nil {
		return err
	}
	r.report.End, r.report.Reason = end, "all segments of this log are gone"
	r.say()
	return nil
}
