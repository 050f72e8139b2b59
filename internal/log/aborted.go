package log

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"sort"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// Aborted lists the transaction-index entries whose range meets [from, to),
// ordered by first offset.
func (l *Log) Aborted(from, to int64) ([]producer.Aborted, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	var out []producer.Aborted
	for base := l.floorBase(from); ; {
		s := l.nextAborting(base)
		if s == nil {
			break
		}
		entries, err := l.abortedOf(s)
		if err != nil {
			return nil, err
		}
		enough := false
		for _, a := range entries {
			if a.LastOffset >= from && a.FirstOffset < to {
				out = append(out, a)
			}
			// Once everything below to was decided, no later entry reaches
			// down to it.
			enough = enough || a.LastStableOffset >= to
		}
		if enough {
			break
		}
		base = s.base + 1
	}
	slices.SortFunc(out, func(a, b producer.Aborted) int {
		return cmp.Or(cmp.Compare(a.FirstOffset, b.FirstOffset), cmp.Compare(a.ProducerID, b.ProducerID))
	})
	return out, nil
}

// floorBase is the base of the segment that holds offset.
func (l *Log) floorBase(offset int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.floorSegment(offset); i >= 0 {
		return l.segs[i].base
	}
	return offset
}

// addAborted notes an aborted transaction in the active segment; Log.mu is
// held.
func (l *Log) addAborted(s *segment, a producer.Aborted) {
	s.aborted = append(s.aborted, a)
	if !s.hasAborted {
		s.hasAborted = true
		l.aborting = append(l.aborting, s)
	}
}

// nextAborting is the first segment with aborted transactions whose base is
// not below base; nil when there is none.
func (l *Log) nextAborting(base int64) *segment {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := sort.Search(len(l.aborting), func(i int) bool { return l.aborting[i].base >= base })
	if i == len(l.aborting) {
		return nil
	}
	return l.aborting[i]
}

// abortedOf gives the entries of one segment, from its file or, when that is
// damaged or gone, from the batches.
func (l *Log) abortedOf(s *segment) ([]producer.Aborted, error) {
	l.mu.Lock()
	entries, loaded, size, want := s.aborted, s.abortedLoaded, s.size, s.abortedWant
	l.mu.Unlock()
	if loaded {
		return entries, nil
	}
	b, err := checkpoint.Read(l.dir.fs, s.file(suffixAborted))
	if err == nil {
		entries, err = index.ParseAborted(b, s.base, math.MaxInt64)
	}
	if err == nil && !s.abortedAsSaved(entries) {
		err = errors.New("it does not hold the entries that the checkpoint knows")
	}
	if missing(err) && want <= 0 {
		entries, err = nil, nil
	}
	if err != nil {
		l.dir.log.Warn("transaction index is made again", "file", s.file(suffixAborted), "err", err)
		if entries, err = l.rebuildAborted(s, size); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.abortedLoaded {
		s.aborted, s.abortedLoaded, s.savedTxns = entries, true, len(entries)
	}
	return s.aborted, nil
}

// rebuildAborted replays a segment on the producer state that stood before it.
func (l *Log) rebuildAborted(s *segment, size int64) ([]producer.Aborted, error) {
	state := producer.NewState()
	var out []producer.Aborted
	err := l.replay(state, s.base, s, size, func(a producer.Aborted) { out = append(out, a) })
	return out, err
}

// replay brings state to byte size of segment s: from the newest snapshot at or
// below snapBase, through the segments after it. fn is told what s itself adds to its
// transaction index.
func (l *Log) replay(state *producer.State, snapBase int64, s *segment, size int64, fn func(producer.Aborted)) error {
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
		tell := func(producer.Aborted) {}
		if each == s {
			to, tell = size, fn
		}
		if err := l.replaySegment(state, each, to, tell); err != nil {
			return err
		}
	}
	return nil
}

// restoreAt restores the snapshot file that goes with a segment's base.
func (l *Log) restoreAt(state *producer.State, base int64) bool {
	b, err := checkpoint.Read(l.dir.fs, l.path()+"/"+fileName(base, suffixSnapshot))
	return err == nil && state.Restore(b) == nil
}

func (l *Log) replaySegment(state *producer.State, s *segment, to int64, fn func(producer.Aborted)) error {
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
	var head record.Header
	for {
		err := r.Header(&head)
		if err == io.EOF {
			return nil
		}
		if bad := (*walk.Bad)(nil); errors.As(err, &bad) {
			ok, rerr := r.Resync(&head, s.base, math.MaxInt64)
			if rerr != nil {
				return l.readError(s, rerr)
			}
			if !ok {
				return nil
			}
		} else if err != nil {
			return l.readError(s, err)
		}
		if head.ProducerID >= 0 {
			var b []byte
			if head.Control() {
				if b, err = r.Batch(&head); err != nil {
					return l.readError(s, err)
				}
			}
			if a, ok, err := state.Apply(&head, b); err == nil && ok {
				fn(a)
			}
		}
		r.Skip(&head)
	}
}
