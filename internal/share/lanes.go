package share

import (
	"container/heap"
	"slices"
)

// maxFiled bounds the records whose keys are remembered. When so many wait for
// earlier ones of their keys, nothing new is read until some are done.
const maxFiled = 20_000

// lanes keep the order of keys: of each key, the records that are not done, in
// order. Only the first of a lane may be given out, and while one is out no
// other; one take (Begin) may get several, as they follow each other.
type lanes struct {
	known int64 // the keys of everything below were filed
	byKey map[uint64]*lane
	of    map[int64]*lane // by offset of a filed record that is not done
	// held counts, by key, the records that are out and were not filed yet: the
	// state was loaded, and the log is still to be read again.
	held map[uint64]int64
	// ready are offsets that may be given out; some may not be any more, which
	// next finds out.
	ready offsets
	take  uint64 // counts takes
	last  *lane  // that the take at hand got a record of
	// open counts, by key, the records that are done and may come back because
	// that is not stored: soon are those of the next write, flying those of the
	// write on its way. Meanwhile nobody gets another of the key. Key 0 stands for
	// all: of a record that was not filed the key may not be known.
	open         map[uint64]int
	soon, flying []uint64
}

// lane is a key's records that are not done.
type lane struct {
	key     uint64
	waiting []int64 // in order
	out     int     // of them, that somebody has
	take    uint64  // that got them, if it was one
}

func newLanes(start int64) *lanes {
	return &lanes{known: start, byKey: map[uint64]*lane{}, of: map[int64]*lane{}, held: map[uint64]int64{}, open: map[uint64]int{}}
}

// next is the first offset that may be given out, else the first whose key is
// not known, if there is room for it.
func (l *lanes) next(p *Partition, nowMs int64) (int64, bool) {
	if at, ok := l.peek(p, nowMs); ok {
		return at, true
	}
	return l.known, l.room(p)
}

// room tells whether more of the log can be filed.
func (l *lanes) room(p *Partition) bool { return len(l.of) < maxFiled && len(p.spans) < maxSpans }

// peek is the first offset that may be given out.
func (l *lanes) peek(p *Partition, nowMs int64) (int64, bool) {
	for len(l.ready) > 0 && l.open[0] == 0 {
		if l.free(p, l.ready[0], nowMs) {
			return l.ready[0], true
		}
		heap.Pop(&l.ready)
	}
	return 0, false
}

// follow is what comes next in the lane that the take at hand got a record of.
func (l *lanes) follow(p *Partition, nowMs int64) (int64, bool) {
	k := l.last
	if k == nil || k.take != l.take || k.out >= len(k.waiting) {
		return 0, false
	}
	at := k.waiting[k.out]
	return at, p.isFree(at, nowMs)
}

// free tells whether a filed record may be given out, and is the first of its
// lane.
func (l *lanes) free(p *Partition, offset, nowMs int64) bool {
	k := l.of[offset]
	return (k == nil || k.waiting[0] == offset && k.out == 0 && l.held[k.key] == 0 && l.open[k.key] == 0) && l.open[0] == 0 && p.isFree(offset, nowMs)
}

// isFree tells whether nobody has a known record and its time has come.
func (p *Partition) isFree(offset, nowMs int64) bool {
	if offset < p.start || offset >= p.end {
		return false
	}
	s := &p.spans[p.spans.index(offset)]
	return s.state == Available && s.atMs <= nowMs
}

// offer says that an offset may be given out.
func (l *lanes) offer(offset int64) {
	if offset < l.known {
		heap.Push(&l.ready, offset)
	}
}

// note follows a span into a state that nobody owns.
func (l *lanes) note(s *span, state State) {
	out := s.state == Acquired
	for at := s.first; at <= s.last && at < l.known; at++ {
		k := l.of[at]
		switch {
		case k == nil && state == Available:
			l.offer(at)
		case k == nil:
		default:
			if out {
				k.out--
			}
			if state != Available {
				l.done(k, at)
				l.opened(k.key, s)
			}
			l.offerHead(k)
		}
	}
	rest := max(s.first, l.known)
	if rest > s.last {
		return
	}
	if state != Available {
		l.opened(s.lock, s)
	}
	if out {
		l.release(s.lock, s.last-rest+1)
	}
}

// opened notes that a record of a key is done. One that nobody had cannot come
// back before another.
func (l *lanes) opened(key uint64, s *span) {
	if s.count > 0 {
		l.open[key]++
		l.soon = append(l.soon, key)
	}
}

// fly notes that a write takes along all that is done.
func (l *lanes) fly() {
	l.flying = append(l.flying, l.soon...)
	l.soon = l.soon[:0]
}

// stored notes that the write on its way is stored, and tells whether that frees
// any key.
func (l *lanes) stored() bool {
	freed := len(l.flying) > 0
	for _, key := range l.flying {
		if l.open[key]--; l.open[key] > 0 {
			continue
		}
		delete(l.open, key)
		if k := l.byKey[key]; k != nil {
			l.offerHead(k)
		}
	}
	l.flying = l.flying[:0]
	return freed
}

// took notes that the take at hand got a span, or with alone some member.
func (l *lanes) took(s *span, alone bool) {
	for at := s.first; at <= s.last && at < l.known; at++ {
		if k := l.of[at]; k != nil {
			k.out++
			if k.take = 0; !alone {
				k.take, l.last = l.take, k
			}
		}
	}
}

// done takes a record out of its lane.
func (l *lanes) done(k *lane, offset int64) {
	delete(l.of, offset)
	if i, ok := slices.BinarySearch(k.waiting, offset); ok && i == 0 {
		k.waiting = k.waiting[1:] // what the front leaves goes when it grows
	} else if ok {
		k.waiting = slices.Delete(k.waiting, i, i+1)
	}
	if len(k.waiting) == 0 {
		delete(l.byKey, k.key)
	}
}

// offerHead offers the first of a lane, if there is one.
func (l *lanes) offerHead(k *lane) {
	if len(k.waiting) > 0 {
		l.offer(k.waiting[0])
	}
}

// hold counts records of a key that are out and not filed.
func (l *lanes) hold(key uint64, n int64) {
	if key != 0 {
		l.held[key] += n
	}
}

// release is the inverse of hold.
func (l *lanes) release(key uint64, n int64) {
	if key == 0 {
		return
	}
	if l.held[key] -= n; l.held[key] > 0 {
		return
	}
	delete(l.held, key)
	if k := l.byKey[key]; k != nil {
		l.offerHead(k)
	}
}

// lock is the hash of the key that a filed record keeps locked, 0 for none: it
// is the first of its lane, or out.
func (l *lanes) lock(offset int64, out bool) uint64 {
	if k := l.of[offset]; k != nil && (out || k.waiting[0] == offset) {
		return k.key
	}
	return 0
}

// put files a record's key.
func (l *lanes) put(r Record) *lane {
	k := l.byKey[r.Key]
	if k == nil {
		k = &lane{key: r.Key}
		l.byKey[r.Key] = k
	}
	k.waiting = append(k.waiting, r.Offset)
	l.of[r.Offset] = k
	return k
}

// file learns the keys of a batch from the offset at on, and gives what may be
// given.
func (g *giving) file(b *Batch, at int64) {
	p, l := g.p, g.p.lanes
	p.reach(b.Last)
	lowest := p.spans.index(at)
	for _, r := range b.Records {
		if r.Offset < at || r.Offset > b.Last {
			continue
		}
		if r.Offset >= l.known {
			g.learn(r)
		}
		at = r.Offset + 1
		if g.left > 0 && p.locked < p.s.MaxLocked && l.free(p, r.Offset, g.w.NowMs) {
			var i int
			p.spans, i, _ = p.spans.part(r.Offset, r.Offset)
			g.take(&p.spans[i])
		} else if r.Offset+1 == l.known {
			l.offer(r.Offset)
		}
	}
	if l.known <= b.Last { // the batch ends with holes
		p.bury(l.known, b.Last)
		l.known = b.Last + 1
	}
	p.spans = p.spans.join(lowest, len(p.spans))
}

// learn files one record, and buries the hole before it.
func (g *giving) learn(r Record) {
	p, l := g.p, g.p.lanes
	if r.Offset > l.known {
		p.bury(l.known, r.Offset-1)
	}
	switch s := &p.spans[p.spans.index(r.Offset)]; {
	case s.state != Available && s.state != Acquired, !r.Keyed:
	case s.state == Acquired:
		l.put(r).out++
		l.release(s.lock, 1)
	default:
		l.put(r)
	}
	l.known = r.Offset + 1
}

// offsets are a heap, the lowest first.
type offsets []int64

// Len is part of heap.Interface.
func (h offsets) Len() int { return len(h) }

// Less is part of heap.Interface.
func (h offsets) Less(i, j int) bool { return h[i] < h[j] }

// Swap is part of heap.Interface.
func (h offsets) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is part of heap.Interface.
func (h *offsets) Push(x any) { *h = append(*h, x.(int64)) }

// Pop is part of heap.Interface.
func (h *offsets) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
