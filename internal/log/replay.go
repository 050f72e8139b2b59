package log

import (
	"ottla/internal/log/checkpoint"
	"ottla/internal/log/derive"
	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
)

// replay brings state to byte size of segment s: from the newest snapshot at or
// below snapBase, through so many bytes of the segments after it, which way reads.
func (l *Log) replay(state *producer.State, snapBase int64, s *segment, size int64, way func(*producer.State, *segment, int64) error) error {
	l.mu.Lock()
	segs := append([]*segment(nil), l.segs[:max(l.floorSegment(s.base)+1, 0)]...)
	l.mu.Unlock()
	first := len(segs) - 1
	for ; first > 0; first-- {
		if segs[first].base <= snapBase && l.restoreAt(state, segs[first].base) {
			break
		}
	}
	if first <= 0 {
		first = 0
		if len(segs) == 0 || !l.restoreAt(state, segs[0].base) {
			state.Reset()
		}
	}
	for _, each := range segs[min(first, len(segs)):] {
		l.mu.Lock()
		to := each.size
		l.mu.Unlock()
		if each == s {
			to = size
		}
		if err := way(state, each, to); err != nil {
			return err
		}
	}
	return nil
}

// restoreAt restores the snapshot file that goes with a segment's base.
func (l *Log) restoreAt(state *producer.State, base int64) bool {
	b, err := checkpoint.Read(l.dir.fs, l.path()+"/"+layout.FileName(base, layout.Snapshot))
	return err == nil && state.Restore(b) == nil
}

// replaySegment steps over rot and tells fn what it adds to the transaction index.
func (l *Log) replaySegment(state *producer.State, s *segment, to int64, fn func(producer.Aborted)) error {
	if to == 0 {
		return nil
	}
	h, err := l.acquire(s)
	if err != nil {
		return l.readError(s, err)
	}
	defer h.release()
	if err := derive.Replay(state, h.f, s.base, to, fn); err != nil {
		return l.readError(s, err)
	}
	return nil
}

// replaySound checks every batch; a *CorruptError tells of the first that is damaged.
func (l *Log) replaySound(state *producer.State, s *segment, to int64) error {
	if to == 0 {
		return nil
	}
	h, err := l.acquire(s)
	if err != nil {
		return l.readError(s, err)
	}
	defer h.release()
	r := walk.Get(h.f, 0, to)
	defer r.Put()
	c := l.order(s, true)
	if err := derive.Sound(state, r, &c); err != nil {
		return l.corrupt(s, r, c.Next, err)
	}
	return nil
}
