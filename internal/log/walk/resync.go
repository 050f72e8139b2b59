package walk

import (
	"encoding/binary"
	"errors"
	"io"

	"ottla/internal/record"
)

// Where magic lies in a batch, and the only one there is.
const (
	magicAt = 16
	magicV2 = 2
)

// Resync looks for the next batch after Pos whose base offset lies in
// [low, high) and whose checksum holds, and moves to it. It returns false
// when there is none below the limit; an error only when the disk fails.
//
// Where the header at Pos can be read, the place after its batch is tried
// first: the bytes of a record may look like a batch.
func (r *Reader) Resync(h *record.Header, low, high int64) (bool, error) {
	if r.Header(h) == nil {
		next := r.pos + int64(h.Size())
		if next == r.limit {
			return false, nil
		}
		ok, err := r.valid(h, next)
		if err != nil || ok && h.BaseOffset >= low && h.BaseOffset < high {
			return ok, err
		}
	}
	return r.scan(h, r.pos+1, low, high)
}

func (r *Reader) scan(h *record.Header, from, low, high int64) (bool, error) {
	back := r.pos
	window := make([]byte, bufSize)
	for at := from; r.limit-at >= record.HeaderSize; {
		n := int(min(int64(len(window)), r.limit-at))
		got, err := r.src.ReadAt(window[:n], at)
		if got < record.HeaderSize {
			if err != nil && !errors.Is(err, io.EOF) {
				return false, err
			}
			return false, nil
		}
		for i := 0; i+record.HeaderSize <= got; i++ {
			if window[i+magicAt] != magicV2 {
				continue
			}
			if o := int64(binary.BigEndian.Uint64(window[i:])); o < low || o >= high {
				continue
			}
			r.pos = back
			ok, err := r.valid(h, at+int64(i))
			if ok || err != nil {
				return ok, err
			}
		}
		at += int64(got - record.HeaderSize + 1)
	}
	return false, nil
}

// valid tells whether a whole, sound batch begins at pos, and stays there if so.
func (r *Reader) valid(h *record.Header, pos int64) (bool, error) {
	back := r.pos
	r.pos = pos
	err := r.Header(h)
	if err == nil {
		err = r.Check(h)
	}
	if err == nil {
		return true, nil
	}
	r.pos = back
	if bad := (*Bad)(nil); errors.As(err, &bad) {
		return false, nil
	}
	return false, err
}
