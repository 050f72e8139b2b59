package lead

import (
	"errors"

	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// lookBack is how many windows before a time ids are gathered from when a state is
// loaded: one alone would not know of an id that is sent again and again which
// of its records began the window.
const lookBack = 3

// remember gathers deduplication ids anew: those of the last windows, below the
// end of what the state knows. What is a repeat there and was never given out
// is dropped, should that not have been stored.
func (l *loaded) remember(nowMs int64) error {
	if l.set.DedupMs <= 0 {
		return nil
	}
	l.window = share.NewWindow(l.set.DedupMs)
	since, err := l.unjudgedSince(nowMs)
	if err != nil {
		return err
	}
	at, err := l.log.ListOffset(max(0, since-lookBack*l.set.DedupMs), partition.ReadUncommitted, -1)
	if err != nil {
		return err
	}
	for from := at.Offset; from >= 0 && from < l.core.End(); {
		var f partition.Fetched
		err := l.log.Fetch(&partition.FetchArgs{Offset: from, MaxBytes: surveyBytes, MinOne: true, Isolation: l.set.Isolation,
			CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
		if errors.Is(err, wire.OffsetOutOfRange) || err == nil && f.Slice.Len == 0 {
			return nil // retention took them
		}
		if err != nil {
			return err
		}
		next, err := l.digest(&f, from)
		f.Slice.Release()
		if err != nil || next == from {
			return err
		}
		from = next
	}
	return nil
}

// unjudgedSince is the time of the first record of which it may have to be told
// whether it is a repeat; now, when there is none. It may be long ago: the node was
// down, or nobody took anything.
func (l *loaded) unjudgedSince(nowMs int64) (int64, error) {
	var f partition.Fetched
	err := l.log.Fetch(&partition.FetchArgs{Offset: l.core.Unjudged(), MaxBytes: 1, MinOne: true, Isolation: l.set.Isolation,
		CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
	if errors.Is(err, wire.OffsetOutOfRange) || err == nil && f.Slice.Len == 0 {
		return nowMs, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Slice.Release()
	r := newReader(&f, &l.set)
	if _, _, ok, err := r.next(); err != nil || !ok {
		return nowMs, err
	}
	h := &r.head
	if h.LogAppendTime() {
		return min(nowMs, h.MaxTimestamp), nil
	}
	return min(nowMs, h.BaseTimestamp), nil
}

// digest takes the ids of what was read and tells where to read on.
func (l *loaded) digest(f *partition.Fetched, from int64) (int64, error) {
	r := newReader(f, &l.set)
	for {
		b, _, ok, err := r.next()
		if err != nil || !ok {
			return from, err
		}
		for _, m := range r.marks {
			if m.offset >= from && m.offset < l.core.End() && l.window.Repeats(m.id, m.atMs, m.offset) {
				l.core.Drop(m.offset)
			}
		}
		from = max(from, b.Last+1)
	}
}

// unrepeat drops the records of a batch whose ids were seen before. mu held.
func (p *Part) unrepeat(b *share.Batch, marks []mark) {
	if p.window == nil {
		return
	}
	p.see(marks, b.Last+1)
	for _, m := range marks {
		if _, ok := p.repeats[m.offset]; ok {
			delete(p.repeats, m.offset)
			p.core.Drop(m.offset)
		}
	}
}

// see takes the ids of a batch that ends before an offset. mu held.
func (p *Part) see(marks []mark, end int64) {
	for _, m := range marks {
		if m.offset >= p.seen && p.window.Repeats(m.id, m.atMs, m.offset) {
			p.repeats[m.offset] = struct{}{}
		}
	}
	p.seen = max(p.seen, end)
}

// mark is the deduplication id of one record.
type mark struct {
	offset, atMs int64
	id           share.DedupID
}

// markOf finds the deduplication id of a record; false when it has none.
func markOf(h *record.Header, r *record.Record, byKey bool) (m mark, ok bool) {
	for i := range r.Headers {
		if r.Headers[i].Key == DedupID {
			var scope []byte
			if byKey {
				scope = r.Key
			}
			m = mark{offset: h.BaseOffset + int64(r.OffsetDelta), atMs: r.TimeMs(h), id: share.DedupOf(scope, r.Headers[i].Value)}
			return m, true
		}
	}
	return m, false
}
