package log

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"ottla/internal/log/layout"
	"ottla/internal/log/walk"
	"ottla/internal/record"
)

// Damage is a range of a log that was durable and can not be read any more.
type Damage struct {
	// Offset is that of the first record in it, Next that of the first after it.
	Offset, Next int64
	// Bytes is how much of the segment's file it takes; 0 when the bytes are gone,
	// so that nothing could be put in their place.
	Bytes int64

	base int64  // of the segment
	from int64  // its first byte
	cuts uint64 // of the log when it was found
}

// ErrMisfit: what was given does not stand exactly where the damage is.
var ErrMisfit = errors.New("it does not fit the damaged range")

// SegmentBases lists the base offsets of the segments, in order.
func (l *Log) SegmentBases() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]int64, len(l.segs))
	for i, s := range l.segs {
		out[i] = s.base
	}
	return out
}

// Damages reads the segment that holds offset and lists what is damaged in it, in
// order; an error only when the disk fails. It runs beside everything else.
func (l *Log) Damages(offset int64) ([]Damage, error) {
	for {
		cuts := l.cutCount()
		out, err := l.damages(offset, cuts)
		if l.cutCount() == cuts {
			return out, err
		}
	}
}

func (l *Log) damages(offset int64, cuts uint64) ([]Damage, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	i := max(l.floorSegment(offset), 0)
	if i >= len(l.segs) {
		l.mu.Unlock()
		return nil, nil
	}
	s, next, last := l.segs[i], l.end.Offset, i+1 == len(l.segs)
	if !last {
		next = l.segs[i+1].base
	}
	size := s.size
	l.mu.Unlock()
	h, err := l.acquire(s)
	if err != nil {
		return nil, l.readError(s, err)
	}
	defer h.release()
	r := walk.Get(h.f, 0, size)
	defer r.Put()
	c := l.order(s, true)
	out, err := walkDamages(r, &c, size, next)
	if err != nil {
		return nil, l.readError(s, err)
	}
	if len(out) == 0 && !last && c.Next < next && !l.joined(c.Next, next) {
		out = append(out, Damage{Offset: c.Next, Next: next})
	}
	for i := range out {
		out[i].base, out[i].cuts = s.base, cuts
	}
	return out, nil
}

// walkDamages checks every batch of a segment of so many bytes, which ends at
// offset next.
func walkDamages(r *walk.Reader, c *walk.Order, size, next int64) ([]Damage, error) {
	var out []Damage
	var h record.Header
	for {
		err := c.Check(r, &h)
		if err == io.EOF {
			return out, nil
		}
		bad := (*walk.Bad)(nil)
		if err != nil && !errors.As(err, &bad) {
			return nil, err
		}
		if err == nil {
			r.Skip(&h)
			continue
		}
		d := Damage{Offset: c.Next, Next: next, from: r.Pos()}
		ok, err := r.Resync(&h, c.Next, next)
		if err != nil {
			return nil, err
		}
		if !ok {
			d.Bytes = size - d.from
			return append(out, d), nil
		}
		d.Next, d.Bytes = h.BaseOffset, r.Pos()-d.from
		out = append(out, d)
		c.Next, c.Exact, c.Epoch = h.BaseOffset, true, -1
	}
}

// Mend puts batches, as another replica has them, in the place of a damage: whole
// ones that take exactly its bytes and its offsets. They are durable on return. It
// fails with ErrMisfit when they are others, or the log has changed since the
// damage was found; then nothing is written. b is borrowed until return.
func (l *Log) Mend(d Damage, b []byte) error {
	l.w.Lock()
	defer l.w.Unlock()
	if err := l.alive(); err != nil {
		return err
	}
	l.mu.Lock()
	i := slices.IndexFunc(l.segs, func(s *segment) bool { return s.base == d.base })
	fits := i >= 0 && !l.segs[i].replaced && d.from+d.Bytes <= l.segs[i].size
	l.mu.Unlock()
	if !fits || l.cutCount() != d.cuts || d.Bytes == 0 || int64(len(b)) != d.Bytes {
		return fmt.Errorf("mend offsets %d to %d of %s with %d bytes: %w", d.Offset, d.Next-1, l.name, len(b), ErrMisfit)
	}
	if err := l.fits(d, b); err != nil {
		return err
	}
	s := l.segs[i]
	if err := l.overwrite(s, d.from, b); err != nil {
		return l.dir.fail(fmt.Errorf("mend %s: %w", s.file(layout.Log), err))
	}
	l.forget(s, d)
	l.cleaning.bad.Store(nil) // it may have been left out for this
	return nil
}

// fits holds batches against the place where they shall stand.
func (l *Log) fits(d Damage, b []byte) error {
	r := walk.Get(bytes.NewReader(b), 0, int64(len(b)))
	defer r.Put()
	c := l.rules.From(d.Offset, true)
	var h record.Header
	for {
		err := c.Check(r, &h)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("mend %s with a batch at byte %d: %w: %w", l.name, r.Pos(), ErrMisfit, err)
		}
		r.Skip(&h)
	}
	if c.Next > d.Next || c.Next < d.Next && !l.joined(c.Next, d.Next) {
		return fmt.Errorf("mend %s with batches up to offset %d, and the next one is %d: %w", l.name, c.Next-1, d.Next, ErrMisfit)
	}
	return nil
}

// overwrite replaces bytes of a segment's file.
func (l *Log) overwrite(s *segment, at int64, b []byte) error {
	f, err := l.dir.open(s.file(layout.Log), os.O_RDWR)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, at)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// forget drops what was derived while a range could not be read. Log.w is held.
func (l *Log) forget(s *segment, d Damage) {
	l.mu.Lock()
	for c := d.from / chunkSize; c <= (d.from+d.Bytes-1)/chunkSize; c++ {
		if s.trusted(c) != 0 {
			s.setTrust(c, 0)
		}
	}
	written := s == l.active() || s.unfinished || s.held // its indexes were made as it was written
	l.mu.Unlock()
	if written {
		return
	}
	_ = l.removeIndexes(s) // what stays is checked before it is used
	l.mu.Lock()
	defer l.mu.Unlock()
	s.offsets, s.times, s.indexFrom = nil, nil, s.size
	s.last, s.maxKnown = -1, false
}
