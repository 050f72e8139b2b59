package log

import (
	"io"

	"ottla/internal/log/walk"
	"ottla/internal/record"
)

// Scan calls fn for every batch from the one that holds offset up to the end,
// verifying CRCs. batch is valid during the call. It stops at fn's first
// error, which it returns as it is.
func (l *Log) Scan(offset int64, fn func(h *record.Header, batch []byte) error) error {
	if err := l.alive(); err != nil {
		return err
	}
	end := l.End()
	for offset < end.Offset {
		p, err := l.locate(offset, end)
		if err != nil || p.h == nil {
			return err
		}
		offset, err = l.scanSegment(p, offset, fn)
		p.h.release()
		if err != nil {
			return err
		}
	}
	return nil
}

// scanSegment goes from a place to its limit and returns the offset after it.
func (l *Log) scanSegment(p place, offset int64, fn func(h *record.Header, batch []byte) error) (int64, error) {
	r := walk.Get(p.h.f, p.at, p.limit)
	defer r.Put()
	c := checker{l: l, next: p.s.base, epoch: -1}
	var h record.Header
	for {
		err := c.check(r, &h)
		if err == io.EOF {
			return max(offset, c.next), nil
		}
		if err != nil {
			return offset, l.corrupt(p.s, r, max(offset, c.next), err)
		}
		b, err := r.Batch(&h)
		if err != nil {
			return offset, l.readError(p.s, err)
		}
		if err := fn(&h, b); err != nil {
			return offset, err
		}
		r.Skip(&h)
		offset = h.NextOffset()
	}
}
