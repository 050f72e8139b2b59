package timers

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/timer/schema"
	"ottla/internal/wire"
)

// Partitions finds a partition that this node leads, or says with a code why there
// is none.
type Partitions interface {
	ByName(topic []byte, index int32) (*partition.Partition, wire.Code)
}

// errNoPayload says that a record is not in the log: its timer is over.
var errNoPayload = errors.New("the timer's record is not in the log any more")

// payloads gives fn the records at some offsets, each once and in no order: its
// place in offsets, and key and value, borrowed for the call. A batch with several of
// them is read once.
func payloads(p *partition.Partition, offsets []int64, fn func(i int, key, value []byte)) error {
	order := make([]int, len(offsets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(offsets[a], offsets[b]) })
	r := reader{p: p, offsets: offsets, fn: fn}
	for len(order) > 0 {
		n, err := r.batch(order)
		if err != nil {
			return err
		}
		order = order[n:]
	}
	return nil
}

// keysAt are the keys of the timers whose records lie at some offsets, "" for those
// that are not in the log any more.
func keysAt(p *partition.Partition, offsets []int64) ([]string, error) {
	keys := make([]string, len(offsets))
	note := func(i int, key, _ []byte) {
		if kind, rest, err := schema.ParseKey(key); err == nil && kind == schema.KindTimer {
			keys[i] = string(rest)
		}
	}
	err := payloads(p, offsets, note)
	if !errors.Is(err, errNoPayload) {
		return keys, err
	}
	for i, offset := range offsets { // one was replaced meanwhile, and its log compacted
		err := payloads(p, []int64{offset}, func(_ int, key, value []byte) { note(i, key, value) })
		if err != nil && !errors.Is(err, errNoPayload) {
			return nil, err
		}
	}
	return keys, nil
}

// reader reads batches of the timers' topic.
type reader struct {
	p       *partition.Partition
	offsets []int64
	fn      func(i int, key, value []byte)
	buf     []byte
}

// batch reads the batch with the first of the records that are left, and tells how
// many of them it has.
func (r *reader) batch(order []int) (int, error) {
	first := r.offsets[order[0]]
	b, err := r.fetch(first)
	if err != nil {
		return 0, fmt.Errorf("read the timer at offset %d: %w", first, err)
	}
	h, batch, _, err := record.Next(b)
	switch {
	case err != nil:
		return 0, fmt.Errorf("read the timer at offset %d: %w", first, err)
	case !record.VerifyCRC(batch):
		return 0, wire.Errorf(wire.KafkaStorageError, "the batch with the timer at offset %d does not match its checksum", first)
	case first < h.BaseOffset:
		return 0, errNoPayload
	}
	n := 0
	err = record.Walk(batch, 0, func(x *record.Record) bool {
		at := h.BaseOffset + int64(x.OffsetDelta)
		for n < len(order) && r.offsets[order[n]] == at {
			r.fn(order[n], x.Key, x.Value)
			n++
		}
		return n < len(order) && r.offsets[order[n]] <= h.LastOffset()
	})
	if err != nil {
		return 0, fmt.Errorf("read the timer at offset %d: %w", first, err)
	}
	if n == 0 || n < len(order) && r.offsets[order[n]] <= h.LastOffset() {
		return 0, errNoPayload
	}
	return n, nil
}

// fetch reads the batch that an offset is in.
func (r *reader) fetch(offset int64) ([]byte, error) {
	var f partition.Fetched
	err := r.p.Fetch(&partition.FetchArgs{Offset: offset, MaxBytes: 1, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
	if err != nil {
		return nil, err
	}
	if f.Slice.Len == 0 {
		return nil, errNoPayload
	}
	if cap(r.buf) < f.Slice.Len {
		r.buf = make([]byte, f.Slice.Len)
	}
	b := r.buf[:f.Slice.Len]
	_, err = f.Slice.ReadAt(b, 0)
	f.Slice.Release()
	return b, err
}
