package log

import (
	"errors"
	"fmt"
	"io"
	"time"

	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/record"
)

// chunkSize is the grain in which it is remembered what was checked. A chunk
// stands for the batches that begin in it.
const chunkSize = 1 << 20

// trustWritten notes that this process wrote the bytes [from, to) of s. A chunk
// whose beginning it did not write stays unchecked. Log.mu is held.
func (s *segment) trustWritten(from, to int64, now uint32) {
	for c := from / chunkSize; c <= (to-1)/chunkSize; c++ {
		if c*chunkSize >= s.ownFrom || s.trusted(c) != 0 {
			s.setTrust(c, now)
		}
	}
}

func (s *segment) trusted(c int64) uint32 {
	if c >= int64(len(s.trust)) {
		return 0
	}
	return s.trust[c]
}

func (s *segment) setTrust(c int64, now uint32) {
	for int64(len(s.trust)) <= c {
		s.trust = append(s.trust, 0)
	}
	s.trust[c] = now
}

// verify checks the checksums of the batches from a place up to byte to where that
// was not done within VerifyAge, and returns up to where the bytes are good: to, or
// less when a later batch is rotten. When the first batch is, it fails. The place's
// limit bounds the last batch, which to may cut.
func (l *Log) verify(p *place, to int64) (int64, error) {
	s, h, at, limit := p.s, p.h, p.at, p.limit
	if to <= at {
		return at, nil
	}
	if l.dir.o.VerifyAge <= 0 {
		return l.checkRange(p, to)
	}
	now := l.dir.seconds()
	age := uint32(l.dir.o.VerifyAge / time.Second)
	for c := at / chunkSize; c <= (to-1)/chunkSize; c++ {
		l.mu.Lock()
		t := s.trusted(c)
		l.mu.Unlock()
		if t != 0 && now-t <= age {
			continue
		}
		ok, err := l.checkChunk(s, h, c, limit)
		if err != nil {
			return at, err
		}
		if !ok {
			return l.checkRange(p, to)
		}
		l.mu.Lock()
		s.setTrust(c, now)
		l.mu.Unlock()
	}
	return to, nil
}

// checkRange checks batch by batch.
func (l *Log) checkRange(p *place, to int64) (int64, error) {
	s, at := p.s, p.at
	r := walk.Get(p.h.f, at, p.limit)
	defer r.Put()
	c := l.order(s, false)
	var head record.Header
	for r.Pos() < to {
		err := c.Check(r, &head)
		if err == io.EOF {
			break
		}
		if err == nil && r.Pos() == at && p.after >= 0 && head.NextOffset() != p.after {
			// No checksum covers the offset, and nothing before it was read.
			err = &walk.Bad{Byte: at, Reason: fmt.Sprintf("ends below offset %d, and did below %d when it was written", head.NextOffset(), p.after)}
		}
		if err != nil {
			if r.Pos() > at {
				return r.Pos(), nil // what comes before is good; the next read is told
			}
			return at, l.corrupt(s, r, -1, err)
		}
		r.Skip(&head)
	}
	return min(to, max(r.Pos(), at)), nil
}

// checkChunk checks the batches that begin in a chunk; false means that one is
// rotten.
func (l *Log) checkChunk(s *segment, h *handle, c, limit int64) (bool, error) {
	if err := l.loadIndex(s); err != nil {
		return false, err
	}
	l.mu.Lock()
	from, _ := s.offsets.FloorByte(c * chunkSize)
	limit = max(limit, s.size)
	l.mu.Unlock()
	r := walk.Get(h.f, from, limit)
	defer r.Put()
	k := l.order(s, from == 0)
	var head record.Header
	for r.Pos() < (c+1)*chunkSize {
		var err error
		if r.Pos() < c*chunkSize {
			if err = r.Header(&head); err == nil {
				k.Next, k.Exact = head.NextOffset(), true
			}
		} else {
			err = k.Check(r, &head)
		}
		if err == io.EOF {
			break
		}
		if bad := (*walk.Bad)(nil); errors.As(err, &bad) {
			return false, nil
		}
		if err != nil {
			return false, l.readError(s, err)
		}
		r.Skip(&head)
	}
	return true, nil
}

// order checks the batches of a segment from its base on; exact: from its first.
func (l *Log) order(s *segment, exact bool) walk.Order {
	o := l.rules.From(s.base, exact)
	o.End = l.endOfSegment(s)
	return o
}

// corrupt describes what is wrong at the reader's place and finds where reading
// can go on. It returns other errors as they are.
func (l *Log) corrupt(s *segment, r *walk.Reader, offset int64, err error) error {
	bad := (*walk.Bad)(nil)
	if err != nil && !errors.As(err, &bad) {
		return l.readError(s, err)
	}
	e := &CorruptError{File: s.file(layout.Log), Byte: r.Pos(), Offset: offset, NextOffset: -1, Reason: "has another segment's offset"}
	if bad != nil {
		e.Reason = bad.Reason
	}
	next := l.endOfSegment(s)
	if offset < 0 {
		e.Offset = l.offsetAt(s, r.Pos())
	}
	var h record.Header
	ok, rerr := r.Resync(&h, max(e.Offset, s.base), next)
	switch {
	case rerr != nil:
	case ok:
		e.NextOffset, e.nextByte = h.BaseOffset, r.Pos()
	default:
		e.NextOffset = next
	}
	return e
}

// endOfSegment is where the segment after s begins, or the log's end.
func (l *Log) endOfSegment(s *segment) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := l.floorSegment(s.base); i >= 0 && i+1 < len(l.segs) {
		return l.segs[i+1].base
	}
	return l.end.Offset
}

// offsetAt is the offset that belongs at byte pos of s: the end of the batch
// before it.
func (l *Log) offsetAt(s *segment, pos int64) int64 {
	offset := s.base
	h, err := l.acquire(s)
	if err != nil {
		return offset
	}
	defer h.release()
	l.mu.Lock()
	from, _ := s.offsets.FloorByte(max(pos-1, 0))
	l.mu.Unlock()
	r := walk.Get(h.f, from, pos)
	defer r.Put()
	var head record.Header
	for r.Header(&head) == nil {
		offset = head.NextOffset()
		r.Skip(&head)
	}
	return offset
}

// Scrub checks every byte of the closed segments and reports rot: all of it,
// joined, each a *CorruptError.
func (l *Log) Scrub() error {
	if err := l.alive(); err != nil {
		return err
	}
	l.mu.Lock()
	segs := append([]*segment(nil), l.segs...)
	l.mu.Unlock()
	var found []error
	for i, s := range segs {
		if i == len(segs)-1 {
			break
		}
		if err := l.scrubSegment(s, segs[i+1].base); err != nil {
			found = append(found, err)
		}
	}
	return errors.Join(found...)
}

func (l *Log) scrubSegment(s *segment, next int64) error {
	h, err := l.acquire(s)
	if err != nil {
		if l.gone(s) {
			return nil
		}
		return l.readError(s, err)
	}
	defer h.release()
	l.mu.Lock()
	size := s.size
	l.mu.Unlock()
	r := walk.Get(h.f, 0, size)
	defer r.Put()
	c := l.order(s, true)
	var found []error
	var head record.Header
	for {
		err := c.Check(r, &head)
		if err == io.EOF {
			break
		}
		if err != nil {
			e := l.corrupt(s, r, c.Next, err)
			found = append(found, e)
			rot := (*CorruptError)(nil)
			if !errors.As(e, &rot) {
				break
			}
			if ok, rerr := r.Resync(&head, c.Next, next); rerr != nil || !ok {
				break
			}
			c.Next, c.Exact, c.Epoch = head.BaseOffset, true, -1
			continue
		}
		r.Skip(&head)
	}
	if len(found) == 0 && c.Next < next && !l.joined(c.Next, next) {
		found = append(found, l.hole(c.Next, next))
	}
	if len(found) == 0 && l.dir.o.VerifyAge > 0 {
		now := l.dir.seconds()
		l.mu.Lock()
		for k := int64(0); k <= (size-1)/chunkSize; k++ {
			s.setTrust(k, now)
		}
		l.mu.Unlock()
	}
	return errors.Join(found...)
}

// Scan calls fn for every batch from the one that holds offset up to the end,
// verifying CRCs. batch is valid during the call. It stops at fn's first
// error, which it returns as it is.
func (l *Log) Scan(offset int64, fn func(h *record.Header, batch []byte) error) error {
	if err := l.alive(); err != nil {
		return err
	}
	end := l.End()
	for offset < end.Offset {
		cuts := l.cutCount()
		p, err := l.locate(offset, end)
		if l.again(err, cuts) {
			continue
		}
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
	c := l.order(p.s, false)
	var h record.Header
	for {
		err := c.Check(r, &h)
		if err == io.EOF {
			return max(offset, c.Next), nil
		}
		if err != nil {
			return offset, l.corrupt(p.s, r, max(offset, c.Next), err)
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
