package log

import (
	"ottla/internal/log/index"
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
		base: base, path: dir + "/" + fileName(base, ""),
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
