package share

import (
	"crypto/sha256"
	"encoding/binary"
)

// DedupID stands for a deduplication id: a hash of it that nobody makes collide.
type DedupID [16]byte

// DedupOf makes one of an id within a scope, the same in every process.
func DedupOf(scope, id []byte) DedupID {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(scope))))
	h.Write(scope)
	h.Write(id)
	var sum [sha256.Size]byte
	return DedupID(h.Sum(sum[:0])[:16])
}

// maxIDs bounds what a window remembers; beyond, the oldest are forgotten.
const maxIDs = 1 << 20

// Window remembers which deduplication ids came within a time. It is asked of
// records in the order of the log.
type Window struct {
	ms    int64
	seen  map[DedupID]First
	queue []arrival // of seen, in order of arrival; from first on
	first int
	newMs int64 // the latest time there was
}

// First is the record that began the window of an id.
type First struct{ AtMs, Offset int64 }

type arrival struct {
	id   DedupID
	atMs int64
}

// NewWindow makes an empty one of so many milliseconds.
func NewWindow(ms int64) *Window { return &Window{ms: ms, seen: map[DedupID]First{}} }

// Repeats tells whether the record at an offset, of the id, that came at a time
// came within the window of an earlier one; if not, it begins one.
func (w *Window) Repeats(id DedupID, atMs, offset int64) bool {
	w.newMs = max(w.newMs, atMs)
	w.forget()
	if _, ok := w.Before(id, atMs, offset); ok {
		return true
	}
	w.seen[id] = First{atMs, offset}
	w.queue = append(w.queue, arrival{id, atMs})
	return false
}

// Before finds the record that a record repeats; false when it repeats none that
// was asked of.
func (w *Window) Before(id DedupID, atMs, offset int64) (First, bool) {
	f, ok := w.seen[id]
	return f, ok && f.Offset < offset && atMs-f.AtMs < w.ms
}

// Len tells how many ids are remembered.
func (w *Window) Len() int { return len(w.seen) }

// forget drops what is older than the window.
func (w *Window) forget() {
	for w.first < len(w.queue) {
		a := w.queue[w.first]
		if w.newMs-a.atMs < w.ms && len(w.queue)-w.first < maxIDs {
			break
		}
		if w.seen[a.id].AtMs == a.atMs {
			delete(w.seen, a.id)
		}
		w.first++
	}
	if w.first > 64 && w.first > len(w.queue)/2 {
		w.queue = append([]arrival(nil), w.queue[w.first:]...)
		w.first = 0
	}
}

// Drop has nobody given a record that was never given out: it is a repeat of
// another. Of others it changes nothing.
func (p *Partition) Drop(offset int64) {
	if offset < p.start {
		return
	}
	p.reach(offset)
	if s := &p.spans[p.spans.index(offset)]; s.state != Available || s.count > 0 {
		return
	}
	p.bury(offset, offset)
	p.settle()
}
