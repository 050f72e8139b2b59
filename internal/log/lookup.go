package log

import (
	"fmt"
	"io"

	"ottla/internal/log/walk"
	"ottla/internal/record"
)

// TimeOffset is an answer to a look-up by time.
type TimeOffset struct {
	TimestampMs int64
	Offset      int64
	LeaderEpoch int32
}

// LookupTime finds the first record with a timestamp at or above ms, below to
// and at or above the log start offset.
func (l *Log) LookupTime(ms int64, to Position) (TimeOffset, bool, error) {
	if err := l.alive(); err != nil {
		return TimeOffset{}, false, err
	}
	l.mu.Lock()
	segs := append([]*segment(nil), l.segs...)
	start, to := l.start, Position{Offset: min(to.Offset, l.end.Offset)}
	l.mu.Unlock()
	for i, s := range segs {
		if s.base >= to.Offset {
			break
		}
		if i+1 < len(segs) && segs[i+1].base <= start {
			continue
		}
		found, ok, err := l.lookupSegment(s, ms, start, to.Offset)
		if ok || err != nil {
			return found, ok, err
		}
	}
	return TimeOffset{}, false, nil
}

// lookupSegment looks in one segment, from where the time index says that
// nothing before can match.
func (l *Log) lookupSegment(s *segment, ms, start, to int64) (TimeOffset, bool, error) {
	if err := l.loadIndex(s); err != nil {
		return TimeOffset{}, false, err
	}
	l.mu.Lock()
	if s.maxMs < ms {
		l.mu.Unlock()
		return TimeOffset{}, false, nil
	}
	from := max(start, s.base)
	if t, ok := s.times.Floor(ms); ok {
		from = max(from, s.base+int64(t.Rel))
		if t.TimestampMs < ms {
			from = max(from, s.base+int64(t.Rel)+1)
		}
	}
	size := s.size
	l.mu.Unlock()
	p, _, err := l.find(s, from, size)
	if err != nil || p.h == nil {
		return TimeOffset{}, false, err
	}
	defer p.h.release()
	return l.firstAt(s, p, size, func(h *record.Header) bool { return h.MaxTimestamp >= ms }, ms, max(start, 0), to)
}

// firstAt walks batches from p on and, in those that want says may hold it,
// looks for the first record in [start, to) with a timestamp at or above ms.
func (l *Log) firstAt(s *segment, p place, size int64, want func(*record.Header) bool, ms, start, to int64) (TimeOffset, bool, error) {
	r := walk.Get(p.h.f, p.at, size)
	defer r.Put()
	var h record.Header
	for {
		err := r.Header(&h)
		if err == io.EOF || err == nil && h.BaseOffset >= to {
			return TimeOffset{}, false, nil
		}
		if err != nil {
			return TimeOffset{}, false, l.corrupt(s, r, -1, err)
		}
		if want(&h) {
			if err := r.Check(&h); err != nil {
				return TimeOffset{}, false, l.corrupt(s, r, h.BaseOffset, err)
			}
			b, err := r.Batch(&h)
			if err != nil {
				return TimeOffset{}, false, l.readError(s, err)
			}
			if t, ok, err := l.recordAt(&h, b, ms, start, to); ok || err != nil {
				return t, ok, err
			}
		}
		r.Skip(&h)
	}
}

// recordAt finds the record in one batch.
func (l *Log) recordAt(h *record.Header, b []byte, ms, start, to int64) (out TimeOffset, found bool, err error) {
	err = record.Walk(b, l.cfg.Load().MaxDecompressed, func(r *record.Record) bool {
		ts, offset := h.BaseTimestamp+r.TimestampDelta, h.BaseOffset+int64(r.OffsetDelta)
		if h.LogAppendTime() {
			ts = h.MaxTimestamp
		}
		if ts >= ms && offset >= start && offset < to {
			out, found = TimeOffset{ts, offset, h.LeaderEpoch}, true
		}
		return !found
	})
	if err != nil {
		return out, false, fmt.Errorf("read the batch at offset %d of %s: %w", h.BaseOffset, l.name, err)
	}
	return out, found, nil
}

// MaxTime finds the record with the largest timestamp (the first of them).
func (l *Log) MaxTime() (TimeOffset, bool, error) {
	if err := l.alive(); err != nil {
		return TimeOffset{}, false, err
	}
	l.mu.Lock()
	segs := append([]*segment(nil), l.segs...)
	start := l.start
	end := l.end.Offset
	l.mu.Unlock()
	var best *segment
	bestMs, bestLast := int64(-1), int64(-1)
	for i, s := range segs {
		if i+1 < len(segs) && segs[i+1].base <= start {
			continue
		}
		ms, last, err := l.maxOf(s)
		if err != nil {
			return TimeOffset{}, false, err
		}
		if ms > bestMs {
			best, bestMs, bestLast = s, ms, last
		}
	}
	if best == nil {
		return TimeOffset{}, false, nil
	}
	l.mu.Lock()
	size := best.size
	l.mu.Unlock()
	p, _, err := l.find(best, max(bestLast, start), size)
	if err != nil || p.h == nil {
		return TimeOffset{}, false, err
	}
	defer p.h.release()
	return l.firstAt(best, p, size, func(h *record.Header) bool { return h.MaxTimestamp >= bestMs }, bestMs, start, end)
}

// maxOf is the largest timestamp of a segment and where it is.
func (l *Log) maxOf(s *segment) (ms, last int64, err error) {
	l.mu.Lock()
	known := s.maxKnown
	l.mu.Unlock()
	if !known {
		if err := l.loadIndex(s); err != nil {
			return -1, -1, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.maxMs, s.maxLast, nil
}
