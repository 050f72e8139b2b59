package log

import (
	"errors"
	"io"
	"math"
	"sync"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// segment is one .log file and what is known about it.
//
// Log.mu guards every field that readers see; those under "writer" belong to
// whoever holds Log.w. A segment has no lock of its own.
type segment struct {
	base int64
	path string // directory and name without suffix

	size   int64 // bytes of whole batches
	handle *handle

	// offsets and times cover the bytes [indexFrom, size); load makes them
	// cover all.
	offsets   index.Offsets
	times     index.Times
	indexFrom int64
	// last is the offset after the last batch, -1 while unknown (a closed
	// segment that was not loaded yet).
	last int64
	// maxMs is the largest timestamp and maxLast the last offset of the first
	// batch that has it; -1 when empty. Good when maxKnown.
	maxMs, maxLast int64
	maxKnown       bool

	aborted       []producer.Aborted
	abortedLoaded bool
	hasAborted    bool  // there are entries, or a file that may hold some
	abortedWant   int32 // how many the checkpoint says there must be; -1 unknown
	abortedCRC    uint32

	// held: a swap is about to take the segment's files away; what is in memory
	// of it (its handle, its indexes) must stay. replaced: they are gone, the
	// segment lives on for those who still hold it. cleaned: it came out of a
	// swap, so that a byte that was noted in a segment of its base means nothing.
	held, replaced, cleaned bool

	// trust says per chunk when its bytes were last checked, or written by
	// this process: seconds since Dir.epoch, 0 never.
	trust   []uint32
	ownFrom int64 // bytes from here on were written by this process

	// writer
	sinceIndex  int64 // bytes since the last index entry
	createdMs   int64
	firstMaxMs  int64 // largest timestamp of the first batch, -1 when empty
	allocated   int64 // bytes reserved on disk, at least size
	savedTxns   int   // entries of aborted that are in the .txnindex file
	unfinished  bool  // rolled, its indexes not written yet
	snapshotted []byte
}

func newSegment(dir string, base int64) *segment {
	return &segment{
		base: base, path: dir + "/" + layout.FileName(base, ""),
		last: base, maxMs: -1, maxLast: -1, maxKnown: true,
		abortedLoaded: true, abortedWant: -1, firstMaxMs: -1,
	}
}

func (s *segment) file(suffix string) string { return s.path + suffix }

// whole tells whether the in-memory indexes cover the segment.
func (s *segment) whole() bool { return s.indexFrom == 0 && s.maxKnown && s.last >= 0 }

// boundary is the end of a batch: the offset after it and the byte after it.
type boundary struct{ next, byte int64 }

// tailSize is how many batch boundaries the active segment remembers. A reader
// within so many batches of the end needs no look-up on disk.
const tailSize = 32

// tail is a ring of the last batch boundaries of the active segment.
type tail struct {
	at [tailSize]boundary
	n  int // boundaries ever put in
}

func (t *tail) reset(next, pos int64) { t.at[0], t.n = boundary{next, pos}, 1 }

func (t *tail) push(next, pos int64) {
	t.at[t.n%tailSize] = boundary{next, pos}
	t.n++
}

// find gives the byte where the batch that holds offset begins, and where that
// batch ends (-1 when offset is the end itself).
func (t *tail) find(offset int64) (start, end int64, ok bool) {
	end = -1
	for i := t.n - 1; i >= 0 && i >= t.n-tailSize; i-- {
		b := t.at[i%tailSize]
		if b.next <= offset {
			return b.byte, end, true
		}
		end = b.byte
	}
	return 0, 0, false
}

// indexMemory bounds the indexes of closed segments that are kept in memory.
const indexMemory = 32 << 20

// loadedIndexes lists the closed segments whose indexes are in memory, oldest
// first.
type loadedIndexes struct {
	mu    sync.Mutex
	queue []loadedIndex
	bytes int
}

type loadedIndex struct {
	l     *Log
	s     *segment
	bytes int
}

// add notes a loaded index and returns those that must go for it.
func (x *loadedIndexes) add(e loadedIndex) (out []loadedIndex) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.queue = append(x.queue, e)
	x.bytes += e.bytes
	n := 0
	for x.bytes > indexMemory && n < len(x.queue)-1 {
		x.bytes -= x.queue[n].bytes
		n++
	}
	out = append(out, x.queue[:n]...)
	x.queue = append(x.queue[:0], x.queue[n:]...)
	return out
}

// dropIndex forgets the in-memory indexes of a closed segment; they are loaded
// again when needed.
func (l *Log) dropIndex(s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active() == s || s.unfinished || s.held {
		return
	}
	s.offsets, s.times, s.indexFrom = nil, nil, s.size
}

// loadIndex makes the segment's indexes cover it: from its files as far as they
// are sound, by a walk of the headers for the rest. It is called without
// locks; readers and the writer may run beside it.
func (l *Log) loadIndex(s *segment) error {
	l.load.Lock()
	defer l.load.Unlock()
	l.mu.Lock()
	if s.whole() {
		l.mu.Unlock()
		return nil
	}
	to, closed := s.indexFrom, l.active() != s
	if !s.maxKnown || s.last < 0 {
		to = s.size
	}
	l.mu.Unlock()
	h, err := l.acquire(s)
	if err != nil {
		return l.readError(s, err)
	}
	defer h.release()
	b := indexBuilder{base: s.base, sparse: l.sparse.Load(), exact: true, interval: l.cfg.Load().IndexIntervalBytes, maxMs: -1, maxLast: -1, last: s.base}
	b.fromFiles(l, s, h, to)
	if err := b.walk(h.f, to); err != nil {
		return l.readError(s, err)
	}
	l.mu.Lock()
	l.merge(s, &b, to, closed)
	bytes := len(s.offsets)*8 + len(s.times)*16
	l.mu.Unlock()
	if closed {
		for _, e := range l.dir.indexes.add(loadedIndex{l, s, bytes}) {
			e.l.dropIndex(e.s)
		}
	}
	return nil
}

// merge puts what was built for the bytes [0, to) before what the segment has;
// Log.mu is held.
func (l *Log) merge(s *segment, b *indexBuilder, to int64, closed bool) {
	rest := s.offsets[len(s.offsets.Cut(to)):]
	s.offsets = append(b.offsets, rest...)
	times := b.times
	for _, t := range s.times {
		times = times.Add(t)
	}
	s.times, s.indexFrom = times, 0
	if !s.maxKnown || b.maxMs >= s.maxMs {
		s.maxMs, s.maxLast = b.maxMs, b.maxLast
	}
	s.maxKnown = true
	if s.last < 0 {
		s.last = b.last
	}
	if closed && s.firstMaxMs < 0 {
		s.firstMaxMs = b.firstMs
	}
}

// indexBuilder makes the indexes of a segment as Append would have made them.
type indexBuilder struct {
	base, interval int64
	sparse         bool // offsets may be left out
	exact          bool // last is known: an index entry does not tell where its batch begins
	offsets        index.Offsets
	times          index.Times
	maxMs, maxLast int64
	firstMs        int64
	last           int64
	from           int64 // where the walk begins
	since          int64
}

// fromFiles takes over the entries of the index files below to, when both are
// sound and their last entries agree with the batches they point to.
func (b *indexBuilder) fromFiles(l *Log, s *segment, h *handle, to int64) {
	ob, oerr := checkpoint.Read(l.dir.fs, s.file(layout.Index))
	tb, terr := checkpoint.Read(l.dir.fs, s.file(layout.Times))
	if oerr != nil || terr != nil {
		return
	}
	offsets, oerr := index.ParseOffsets(ob, to)
	times, terr := index.ParseTimes(tb)
	if oerr != nil || terr != nil || len(offsets) == 0 {
		return
	}
	if len(ob) != len(offsets)*index.OffsetSize || len(tb) != len(times)*index.TimeSize {
		return // zeros at the end: never finished, or damaged
	}
	r := walk.Get(h.f, 0, to)
	defer r.Put()
	last := offsets[len(offsets)-1]
	var head record.Header
	r.Move(int64(last.Pos))
	if r.Header(&head) != nil || head.LastOffset() != s.base+int64(last.Rel) {
		return
	}
	// Every offset entry came with the largest timestamp so far; where that of
	// the last one is missing, the time index has lost its end.
	times = times.Cut(int64(last.Rel) + 1) // the closing entry: the walk makes it again
	n := len(times)
	if n == 0 && timeOf(&head) >= 0 || n > 0 && (times[n-1].TimestampMs < timeOf(&head) || times[0].Rel > offsets[0].Rel) {
		return
	}
	if n > 0 {
		t := times[n-1]
		pos, _ := offsets.Floor(int64(t.Rel))
		r.Move(pos)
		if !findBatch(r, &head, s.base+int64(t.Rel)) || head.LastOffset() != s.base+int64(t.Rel) || timeOf(&head) != t.TimestampMs {
			return
		}
		b.maxMs, b.maxLast = t.TimestampMs, s.base+int64(t.Rel)
	}
	b.offsets, b.times, b.from, b.exact = offsets, times, int64(last.Pos), false
	b.since = 0
	r.Move(0)
	if r.Header(&head) == nil {
		b.firstMs = timeOf(&head)
	}
}

// findBatch moves to the batch that holds offset, or the first one after it.
func findBatch(r *walk.Reader, h *record.Header, offset int64) bool {
	for r.Header(h) == nil {
		if h.LastOffset() >= offset {
			return true
		}
		r.Skip(h)
	}
	return false
}

// walk goes through the headers up to byte to. Rot is stepped over: what it
// holds can not be indexed, and whoever reads there is told.
func (b *indexBuilder) walk(src io.ReaderAt, to int64) error {
	r := walk.Get(src, b.from, to)
	defer r.Put()
	var h record.Header
	for {
		err := r.Header(&h)
		if err == io.EOF {
			return nil
		}
		if bad := (*walk.Bad)(nil); errors.As(err, &bad) || err == nil && b.misplaced(&h) {
			ok, rerr := r.Resync(&h, b.last, math.MaxInt64)
			if rerr != nil {
				return rerr
			}
			if !ok {
				return nil
			}
		} else if err != nil {
			return err
		}
		b.add(&h, r.Pos())
		r.Skip(&h)
	}
}

// misplaced tells whether a batch's offset can not be right. It gets no entry: a
// reader would be led to the wrong batch.
func (b *indexBuilder) misplaced(h *record.Header) bool {
	return b.exact && (h.BaseOffset < b.last || h.BaseOffset > b.last && !b.sparse)
}

func (b *indexBuilder) add(h *record.Header, pos int64) {
	ms := timeOf(h)
	if pos == 0 {
		b.firstMs = ms
	}
	if ms > b.maxMs {
		b.maxMs, b.maxLast = ms, h.LastOffset()
	}
	if b.since > b.interval && fits32(h.LastOffset()-b.base) && fits32(pos) {
		b.offsets = append(b.offsets, index.Offset{Rel: int32(h.LastOffset() - b.base), Pos: int32(pos)})
		if b.maxMs >= 0 && fits32(b.maxLast-b.base) {
			b.times = b.times.Add(index.Time{TimestampMs: b.maxMs, Rel: int32(b.maxLast - b.base)})
		}
		b.since = 0
	}
	b.since += int64(h.Size())
	b.last, b.exact = h.NextOffset(), true
}

// timeOf is the largest timestamp of a batch's records, -1 where there are none:
// a batch that compaction emptied keeps its time for its producer's sake alone.
func timeOf(h *record.Header) int64 {
	if h.Count == 0 {
		return -1
	}
	return h.MaxTimestamp
}

func fits32(v int64) bool { return v >= 0 && v < 1<<31 }
