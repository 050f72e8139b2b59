package log

import (
	"sync"

	"ottla/internal/log/derive"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/producer"
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
	src := derive.Source{FS: l.dir.fs, Path: s.path, File: h.f, Base: s.base, Size: to}
	b, err := derive.Make(src, l.cfg.Load().IndexIntervalBytes, l.sparse.Load())
	if err != nil {
		return l.readError(s, err)
	}
	l.mu.Lock()
	l.merge(s, b, to, closed)
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
func (l *Log) merge(s *segment, b *derive.Indexes, to int64, closed bool) {
	rest := s.offsets[len(s.offsets.Cut(to)):]
	s.offsets = append(b.Offsets, rest...)
	times := b.Times
	for _, t := range s.times {
		times = times.Add(t)
	}
	s.times, s.indexFrom = times, 0
	if !s.maxKnown || b.MaxMs >= s.maxMs {
		s.maxMs, s.maxLast = b.MaxMs, b.MaxLast
	}
	s.maxKnown = true
	if s.last < 0 {
		s.last = b.Last
	}
	if closed && s.firstMaxMs < 0 {
		s.firstMaxMs = b.FirstMs
	}
}
