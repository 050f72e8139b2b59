package lead

import (
	"errors"
	"io"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/share"
)

// headAhead is how much is read at once to find headers: small batches are
// many to a read, of large ones only the header is read.
const headAhead = 4 << 10

// reader walks the batches of a slice, and reads of them no more than needed.
type reader struct {
	slice   *log.Slice
	at      int64 // of the next batch in the slice
	buf     []byte
	bufAt   int64
	aborted []producer.Aborted
	open    map[int64]bool // producers in the midst of an aborted transaction
	keys    bool
	dedup   bool
	byKey   bool
	marks   []mark // of the batch at hand, with dedup
	head    record.Header
	one     [1]share.Batch
}

func newReader(f *partition.Fetched, s *Settings) *reader {
	return &reader{slice: &f.Slice, aborted: f.Aborted, keys: s.KeyOrdered || s.Fair, dedup: s.DedupMs > 0, byKey: s.DedupByKey}
}

// next gives the next batch and where it ends in the slice; false at the end,
// or when only a part of a batch is left.
func (r *reader) next() (b share.Batch, end int, ok bool, err error) {
	head, err := r.view(r.at, record.HeaderSize)
	if head == nil || err != nil {
		return b, 0, false, err
	}
	h, err := record.ParseHeader(head)
	if err != nil {
		return b, 0, false, err
	}
	size := int64(h.Size())
	if r.at+size > int64(r.slice.Len) {
		return b, 0, false, nil
	}
	b = share.Batch{First: h.BaseOffset, Last: h.LastOffset(), Skip: r.skips(&h)}
	if r.marks = r.marks[:0]; (r.keys || r.dedup) && !b.Skip {
		whole, err := r.view(r.at, int(size))
		if err != nil {
			return b, 0, false, err
		}
		if b.Records, err = r.walk(&h, whole); err != nil {
			return b, 0, false, err
		}
	}
	r.head = h
	r.at += size
	return b, int(r.at), true, nil
}

// skips tells whether no member shall see a batch.
func (r *reader) skips(h *record.Header) bool {
	for len(r.aborted) > 0 && r.aborted[0].FirstOffset <= h.LastOffset() {
		if r.open == nil {
			r.open = map[int64]bool{}
		}
		r.open[r.aborted[0].ProducerID] = true
		r.aborted = r.aborted[1:]
	}
	if h.Control() {
		delete(r.open, h.ProducerID)
		return true
	}
	return h.Transactional() && r.open[h.ProducerID]
}

// view reads n bytes of the slice; nil at its end.
func (r *reader) view(at int64, n int) ([]byte, error) {
	if at+int64(n) > int64(r.slice.Len) {
		return nil, nil
	}
	if at < r.bufAt || at+int64(n) > r.bufAt+int64(len(r.buf)) {
		size := min(max(n, headAhead), int(int64(r.slice.Len)-at))
		if cap(r.buf) < size {
			r.buf = make([]byte, size)
		}
		r.buf, r.bufAt = r.buf[:size], at
		if m, err := r.slice.ReadAt(r.buf, at); err != nil && (!errors.Is(err, io.EOF) || m < size) {
			r.buf = r.buf[:0]
			return nil, err
		}
	}
	return r.buf[at-r.bufAt:][:n], nil
}

// piece is a copy of n bytes of the slice.
func (r *reader) piece(at int64, n int) ([]byte, error) {
	out := make([]byte, n)
	if at >= r.bufAt && at+int64(n) <= r.bufAt+int64(len(r.buf)) {
		copy(out, r.buf[at-r.bufAt:])
		return out, nil
	}
	if m, err := r.slice.ReadAt(out, at); err != nil && (!errors.Is(err, io.EOF) || m < n) {
		return nil, err
	}
	return out, nil
}

// keptBuffer bounds a buffer that is kept for other reads.
const keptBuffer = 256 << 10

// kept is the buffer, to be kept, nil when it is too large for that.
func (r *reader) kept() []byte {
	if cap(r.buf) > keptBuffer {
		return nil
	}
	return r.buf[:0]
}

// walk hashes the keys of a batch's records, and marks those that have a
// deduplication id.
func (r *reader) walk(h *record.Header, batch []byte) ([]share.Record, error) {
	var out []share.Record
	if r.keys {
		out = make([]share.Record, 0, min(int(h.Count), len(batch)))
	}
	err := record.Walk(batch, 0, func(x *record.Record) bool {
		if r.dedup {
			if m, ok := markOf(h, x, r.byKey); ok {
				r.marks = append(r.marks, m)
			}
		}
		if r.keys {
			row := share.Record{Offset: h.BaseOffset + int64(x.OffsetDelta)}
			if x.Key != nil {
				row.Key, row.Keyed = hashOf(x.Key), true
			}
			out = append(out, row)
		}
		return true
	})
	return out, err
}

// hashOf is FNV-1a of 64 bits, and never 0. It is the same in every process,
// for it is stored. Whoever makes keys collide gains nothing: the same key
// would hold the same records up.
func hashOf(key []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range key {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return max(h, 1)
}
