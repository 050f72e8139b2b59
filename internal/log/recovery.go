package log

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/log/mark"
	"ottla/internal/log/walk"
	"ottla/internal/record"
)

// recovery opens a log that has files. It walks the batches from where the
// checkpoint's producer state stands (or from the start) to the end.
//
// Two regions are treated apart. Below the floor, the recovery point, bytes
// were synced and may have been answered for: nothing there is cut, what can
// not be read is rot, and the log never ends below the floor. From the floor
// on the first batch that is not whole, sound and in order ends the log; what
// follows is set aside in files of its own. What is accepted there is synced
// before it counts: after a crash of the process the page cache holds bytes
// that no disk has.
type recovery struct {
	l      *Log
	saved  *checkpoint.Log
	report Recovery
	segs   []*segment
	floor  int64
	next   int64        // offset after the last batch accepted
	epoch  int32        // of the last batch accepted, -1 none
	rot    bool         // something below the floor is missing or unreadable
	cut    bool         // something was set aside
	from   int          // index of the first segment that is walked
	at     int64        // and the byte in it
	broken bool         // the last segment ends in bytes that can not be read
	late   []EpochEntry // epochs that were known to begin in what is walked
	known  Epochs       // epochs that the checkpoint knew
	last   *mark.Mark   // at the beginning of the last segment, when the walk came to it
}

func (r *recovery) run(f *files) error {
	if err := r.plan(f); err != nil {
		return err
	}
	if len(r.segs) == 0 {
		return r.empty()
	}
	if err := r.producers(); err != nil {
		return err
	}
	if err := r.walkAll(); err != nil {
		return err
	}
	return r.finish()
}

// plan decides where the log starts, where the floor lies and from where to
// walk, and makes the segments.
func (r *recovery) plan(f *files) error {
	r.bounds()
	if err := r.readGaps(f); err != nil {
		return err
	}
	if err := r.dropOrphans(f); err != nil {
		return err
	}
	bases, err := r.dropBelowStart(f.bases)
	if err != nil {
		return err
	}
	if len(bases) > 0 && r.saved == nil && r.l.dir.book.Foreign {
		r.trust(bases)
	}
	for _, base := range bases {
		s := newSegment(r.l.path(), base)
		s.size, s.allocated = f.sizes[base], f.sizes[base]
		s.indexFrom, s.last, s.maxKnown, s.abortedLoaded = s.size, -1, false, false
		s.ownFrom = s.size
		s.createdMs = r.l.dir.o.Now().UnixMilli()
		r.segs = append(r.segs, s)
	}
	for _, base := range f.other[layout.Aborted] {
		if i := r.find(base); i >= 0 {
			r.segs[i].hasAborted = true
		}
	}
	if r.saved != nil {
		for _, a := range r.saved.Aborted {
			if i := r.find(a.Segment); i >= 0 {
				r.segs[i].abortedWant, r.segs[i].abortedCRC, r.segs[i].hasAborted = a.Count, a.CRC, true
			}
		}
	}
	return nil
}

// bounds takes start and floor from the checkpoint, or from Kafka's where there
// is none of ours; with one, Kafka's could be those of an older topic.
func (r *recovery) bounds() {
	l, c := r.l, r.l.dir.book
	r.floor = -1
	switch {
	case r.saved != nil:
		l.start, r.floor, l.gaps = r.saved.Start, r.saved.Recovery.Offset, r.saved.Gaps
		l.sparse.Store(l.sparse.Load() || r.saved.Sparse)
		l.loose.Store(r.saved.Loose)
	case c.Foreign:
		l.start = c.Starts[l.name]
		if o, ok := c.Floors[l.name]; ok {
			r.floor = o
		}
	}
	if l.start > 0 {
		r.floor = max(r.floor, l.start)
	}
}

// trust decides what counts as synced where no checkpoint says so: all of it if
// Kafka stopped cleanly, else all segments but the last. They were synced long
// ago, unless the crash came within a second of the first start.
func (r *recovery) trust(bases []int64) {
	l := r.l
	r.floor = max(r.floor, bases[len(bases)-1])
	if l.dir.book.Clean {
		r.floor = math.MaxInt64
		l.sparse.Store(true) // Kafka's word that this is all
		l.loose.Store(true)
	}
	l.start = max(l.start, bases[0])
}

// readGaps adds the gaps that files tell of; a mark whose segment never came goes.
func (r *recovery) readGaps(f *files) error {
	l := r.l
	for _, base := range f.other[layout.Gap] {
		if _, ok := f.sizes[base]; !ok {
			if err := l.dir.fs.Remove(l.path() + "/" + layout.FileName(base, layout.Gap)); err != nil && !missing(err) {
				return l.dir.fail(err)
			}
			continue
		}
		if l.gapBefore(math.MaxInt64, base) {
			continue // the checkpoint knows it
		}
		b, err := checkpoint.Read(l.dir.fs, l.path()+"/"+layout.FileName(base, layout.Gap))
		if err == nil {
			var g checkpoint.Gap
			if g, err = checkpoint.ParseGap(b); err == nil && g.To == base {
				l.gaps = append(l.gaps, g)
			}
		}
		if err != nil {
			l.dir.log.Warn("gap file can not be read", "topic", l.id.Topic, "partition", l.id.Partition, "offset", base, "err", err)
		}
	}
	slices.SortFunc(l.gaps, func(a, b checkpoint.Gap) int { return cmp.Compare(a.To, b.To) })
	return nil
}

// dropOrphans finishes a truncation that a kill cut short between a segment's log and
// its transaction index: one that begins there again would take that for its own.
func (r *recovery) dropOrphans(f *files) error {
	for _, base := range f.other[layout.Aborted] {
		if _, ok := f.sizes[base]; ok {
			continue
		}
		if err := r.l.dir.fs.Remove(r.l.path() + "/" + layout.FileName(base, layout.Aborted)); err != nil && !missing(err) {
			return r.l.dir.fail(err)
		}
	}
	return nil
}

// find is the index of the segment with the given base, -1 when there is none.
func (r *recovery) find(base int64) int {
	return slices.IndexFunc(r.segs, func(s *segment) bool { return s.base == base })
}

// dropBelowStart finishes a retention that a crash cut short: segments wholly
// below the log start offset go.
func (r *recovery) dropBelowStart(bases []int64) ([]int64, error) {
	n := 0
	for n+1 < len(bases) && bases[n+1] <= r.l.start {
		if err := r.l.dir.trashFiles(r.l.path()+"/"+layout.FileName(bases[n], ""), r.l.dir.o.Now()); err != nil {
			return nil, err
		}
		n++
	}
	return bases[n:], nil
}

// walkAll goes through the segments from the place to walk from.
func (r *recovery) walkAll() error {
	if r.at > 0 || r.from > 0 {
		r.first()
	}
	// The batches say which epochs there are from here on; an entry without
	// a batch counts only at the very end, where a leader began.
	for _, e := range r.l.epochs.All() {
		if e.Start >= r.next {
			r.late = append(r.late, e)
		}
	}
	r.l.epochs.TruncateEnd(r.next)
	r.report.From = r.next
	for i := r.from; i < len(r.segs); i++ {
		s := r.segs[i]
		if r.at == 0 {
			s.resetWalk()
			if ok := r.enter(s); !ok {
				return r.setAside(i, 0, fmt.Sprintf("segment %d begins above the end %d of the one before", s.base, r.next))
			}
			if i > 0 && i == len(r.segs)-1 && r.next == s.base {
				m := mark.At(s.base, s.createdMs, r.l.producerState())
				r.last = &m
			}
		}
		done, err := r.walkSegment(i, r.at)
		if err != nil || done {
			return err
		}
		r.at = 0
	}
	return nil
}

// resetWalk forgets what is guessed about a segment that is walked whole.
func (s *segment) resetWalk() {
	s.indexFrom, s.last, s.maxKnown = 0, s.base, true
	s.maxMs, s.maxLast, s.firstMaxMs = -1, -1, -1
	s.offsets, s.times, s.sinceIndex = nil, nil, 0
	s.aborted, s.abortedLoaded = nil, true
	if s.hasAborted {
		s.savedTxns = -1 // what the file says may be of batches that are gone
	}
}

// enter tells whether the walk may go from one segment to the next.
func (r *recovery) enter(s *segment) bool {
	if s.base <= r.next || r.l.sparse.Load() || r.l.gapBefore(r.next, s.base) {
		r.next = max(r.next, s.base)
		r.l.start = max(r.l.start, r.segs[0].base)
		return true
	}
	if r.next >= r.floor {
		return false
	}
	r.lost(fmt.Sprintf("offsets %d to %d are missing before segment %d", r.next, s.base-1, s.base))
	r.next = s.base
	r.first()
	return true
}

// first moves the log start offset up where the first segment begins above it:
// what lay between is lost, and was noticed.
func (r *recovery) first() {
	base := r.segs[0].base
	if r.l.start >= base {
		return
	}
	if !r.rot {
		r.lost(fmt.Sprintf("offsets %d to %d are missing before the first segment", r.l.start, base-1))
	}
	r.l.start = base
}

// lost notes that something durable is not there.
func (r *recovery) lost(reason string) {
	r.rot = true
	r.l.lost.Store(true)
	if r.report.Reason == "" {
		r.report.Reason = reason
	}
	r.l.dir.log.Error("durable data can not be read", "topic", r.l.id.Topic, "partition", r.l.id.Partition, "reason", reason)
}

// walkSegment goes through one segment; done means that the log ends in it.
func (r *recovery) walkSegment(i int, from int64) (done bool, err error) {
	s := r.segs[i]
	if from >= s.size {
		return false, nil
	}
	h, err := r.l.acquire(s)
	if err != nil {
		return false, err
	}
	defer h.release()
	w := walk.Get(h.f, from, s.size)
	defer w.Put()
	limit := int64(math.MaxInt64)
	if i+1 < len(r.segs) {
		limit = r.segs[i+1].base
	}
	size := s.size
	s.size, s.ownFrom, r.broken = from, from, false
	for {
		var head record.Header
		err := r.read(w, &head, s, limit)
		if err == io.EOF {
			return false, nil
		}
		if bad := (*walk.Bad)(nil); errors.As(err, &bad) {
			if r.next >= r.floor {
				return true, r.cutAt(i, w.Pos(), size, bad.Reason)
			}
			r.lost(fmt.Sprintf("%s: %s", s.file(layout.Log), bad.Error()))
			ok, err := w.Resync(&head, r.next, limit)
			if err != nil || !ok {
				s.size, r.broken = size, true
				return false, err
			}
			s.size, r.next = w.Pos(), head.BaseOffset
		} else if err != nil {
			return false, err
		}
		if err := r.take(w, &head, s); err != nil {
			return false, err
		}
		w.Skip(&head)
	}
}

// read reads the next batch and holds it against everything that an appended
// batch keeps: its checksum covers neither its offset nor its epoch, so a
// stale or misdirected one shows only in these.
func (r *recovery) read(w *walk.Reader, h *record.Header, s *segment, limit int64) error {
	if err := w.Header(h); err != nil {
		return err
	}
	strict := !r.l.sparse.Load()
	bad := func(format string, args ...any) error {
		return &walk.Bad{Byte: w.Pos(), Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case h.BaseOffset < r.next, strict && h.BaseOffset != r.next:
		return bad("a batch with offset %d where %d is next", h.BaseOffset, r.next)
	case h.LastOffset() >= limit:
		return bad("a batch up to offset %d where the next segment begins at %d", h.LastOffset(), limit)
	case h.LastOffset()-s.base > math.MaxInt32:
		return bad("a batch up to offset %d, too far from the segment's base", h.LastOffset())
	case r.wrongEpoch(h):
		return bad("a batch of leader epoch %d, which its offset %d does not belong to", h.LeaderEpoch, h.BaseOffset)
	case h.LeaderEpoch < r.epoch:
		return bad("a batch of leader epoch %d after epoch %d", h.LeaderEpoch, r.epoch)
	}
	if !r.checks() {
		return nil
	}
	return w.Check(h)
}

// wrongEpoch holds a batch below the floor against the epochs that the
// checkpoint knew.
func (r *recovery) wrongEpoch(h *record.Header) bool {
	if r.saved == nil || h.NextOffset() > r.floor || r.l.loose.Load() || h.LeaderEpoch < 0 {
		return false
	}
	e, ok := r.known.EpochOf(h.LastOffset())
	return ok && e != h.LeaderEpoch
}

// checks tells whether checksums are verified: not where Kafka stopped
// cleanly, reads check as they come there.
func (r *recovery) checks() bool { return r.floor != math.MaxInt64 }

// take accepts a batch.
func (r *recovery) take(w *walk.Reader, h *record.Header, s *segment) error {
	l := r.l
	if h.ProducerID >= 0 {
		var b []byte
		if h.Control() {
			var err error
			if b, err = w.Batch(h); err != nil {
				return err
			}
		}
		a, ok, err := l.producers.Apply(h, b)
		if err != nil {
			l.dir.log.Warn("control batch can not be read", "topic", l.id.Topic, "partition", l.id.Partition, "offset", h.BaseOffset, "err", err)
		}
		if ok {
			s.aborted = append(s.aborted, a)
			s.hasAborted = true
		}
	}
	if latest, ok := l.epochs.Latest(); h.LeaderEpoch >= 0 && (!ok || h.LeaderEpoch > latest.Epoch) {
		l.epochs.Assign(h.LeaderEpoch, h.BaseOffset)
	}
	now := uint32(0)
	if r.checks() && l.dir.o.VerifyAge > 0 {
		now = l.dir.coarse.Load()
	}
	l.extend(l.cfg.Load(), s, h, now)
	r.next, r.epoch = h.NextOffset(), max(r.epoch, h.LeaderEpoch)
	r.report.ScannedBytes += int64(h.Size())
	return nil
}
