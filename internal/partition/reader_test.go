package partition

import (
	"slices"
	"testing"

	"ottla/internal/producer"
	"ottla/internal/record"
)

// committedReader reads as Kafka's consumers do at read_committed: it skips
// control batches, and those of the transactions that answers say are aborted.
type committedReader struct {
	t    testing.TB
	next int64
	seen []seenRecord
}

type seenRecord struct {
	offset int64
	value  string
}

// take reads an answer to a fetch from next, and moves next.
func (c *committedReader) take(f *Fetched, b []byte) {
	c.t.Helper()
	if !slices.IsSortedFunc(f.Aborted, func(a, b producer.Aborted) int { return int(a.FirstOffset - b.FirstOffset) }) {
		c.t.Errorf("the aborted transactions are out of order: %+v", f.Aborted)
	}
	coming, hiding := f.Aborted, map[int64]bool{}
	for _, h := range split(c.t, b) {
		batch := b[:h.Size()]
		b = b[h.Size():]
		for len(coming) > 0 && coming[0].FirstOffset <= h.LastOffset() {
			hiding[coming[0].ProducerID] = true
			coming = coming[1:]
		}
		switch {
		case h.Control():
			if commit, _, err := record.ParseEndTxnMarker(batch); err == nil && !commit {
				delete(hiding, h.ProducerID)
			}
		case !h.Transactional() || !hiding[h.ProducerID]:
			c.show(&h, batch)
		}
		c.next = max(c.next, h.NextOffset())
	}
}

// show notes the records of a batch from next on.
func (c *committedReader) show(h *record.Header, batch []byte) {
	err := record.Walk(batch, 1<<20, func(r *record.Record) bool {
		if at := h.BaseOffset + int64(r.OffsetDelta); at >= c.next {
			c.seen = append(c.seen, seenRecord{at, string(r.Value)})
		}
		return true
	})
	if err != nil {
		c.t.Fatalf("batch at %d: %v", h.BaseOffset, err)
	}
}

// values are what was seen, without where.
func (c *committedReader) values() []string {
	var out []string
	for _, r := range c.seen {
		out = append(out, r.value)
	}
	return out
}

// readAll reads everything below the last stable offset from an offset on, no
// more than most bytes at a time.
func (r *rig) readAll(from int64, most int) *committedReader {
	r.t.Helper()
	c := &committedReader{t: r.t, next: from}
	for {
		a := committed(c.next)
		a.MaxBytes = most
		f, b := r.get(a)
		if len(b) == 0 {
			return c
		}
		was := c.next
		c.take(&f, b)
		if c.next == was {
			r.t.Fatalf("a fetch at %d brought %d bytes and no batch", was, len(b))
		}
	}
}
