package share

import "container/heap"

// maxFiled bounds the records whose keys are remembered. When so many wait for
// earlier ones of their keys, nothing new is read until some are done.
const maxFiled = 20_000

// lanes keep the order of keys: of each key, the records that are not done, in
// order. Only the first of a lane may be given out.
type lanes struct {
	known int64 // the keys of everything below were filed
	byKey map[uint64]*lane
	of    map[int64]*lane // by offset of a filed record that is not done
	// ready are offsets that may be given out; some may not be any more, which
	// next finds out.
	ready offsets
}

// lane is a key's records that are not done.
type lane struct {
	key     uint64
	waiting []int64
}

func newLanes(start int64) *lanes {
	return &lanes{known: start, byKey: map[uint64]*lane{}, of: map[int64]*lane{}}
}

// next is the first offset that may be given out, else the first whose key is
// not known, if there is room for it.
func (l *lanes) next(p *Partition, nowMs int64) (int64, bool) {
	for len(l.ready) > 0 {
		if l.free(p, l.ready[0], nowMs) {
			return l.ready[0], true
		}
		heap.Pop(&l.ready)
	}
	return l.known, len(l.of) < maxFiled && len(p.spans) < maxSpans
}

// free tells whether a filed record may be given out.
func (l *lanes) free(p *Partition, offset, nowMs int64) bool {
	if offset < p.start || offset >= p.end {
		return false
	}
	s := &p.spans[p.spans.index(offset)]
	lane := l.of[offset]
	return s.state == Available && s.atMs <= nowMs && (lane == nil || lane.waiting[0] == offset)
}

// offer says that an offset may be given out.
func (l *lanes) offer(offset int64) {
	if offset < l.known {
		heap.Push(&l.ready, offset)
	}
}

// note follows a span into a state.
func (l *lanes) note(s *span, state State) {
	for at := s.first; at <= s.last && at < l.known; at++ {
		if state == Available {
			l.offer(at)
		} else if lane := l.of[at]; lane != nil && state != Acquired {
			l.done(lane, at)
		}
	}
}

// done takes a record out of its lane and offers the next.
func (l *lanes) done(k *lane, offset int64) {
	delete(l.of, offset)
	for i, at := range k.waiting {
		if at == offset {
			k.waiting = append(k.waiting[:i], k.waiting[i+1:]...)
			break
		}
	}
	if len(k.waiting) == 0 {
		delete(l.byKey, k.key)
		return
	}
	l.offer(k.waiting[0])
}

// lock is the hash of the key that a filed record keeps locked, 0 for none.
func (l *lanes) lock(offset int64) uint64 {
	if k := l.of[offset]; k != nil && k.waiting[0] == offset {
		return k.key
	}
	return 0
}

// put files a record's key.
func (l *lanes) put(r Record) {
	if !r.Keyed {
		return
	}
	k := l.byKey[r.Key]
	if k == nil {
		k = &lane{key: r.Key}
		l.byKey[r.Key] = k
	}
	k.waiting = append(k.waiting, r.Offset)
	l.of[r.Offset] = k
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
	switch s := &p.spans[p.spans.index(r.Offset)]; s.state {
	case Available, Acquired:
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
