package timers

import (
	"errors"
	"fmt"

	"ottla/internal/partition"
	"ottla/internal/producer"
	"ottla/internal/record"
	"ottla/internal/timer"
	"ottla/internal/wire"
)

// taken is what was read of a line.
type taken struct {
	timers  []timer.Timer
	offsets []int64 // of their records
	sizes   []int   // about, of what stores them
	next    int64   // where reading goes on
	stable  int64   // the last stable offset
}

// lineBytes is how much of a line is read at a time; a larger batch comes whole.
const lineBytes = 1 << 20

// read reads what is committed from an offset on, or from where the log begins if
// that is later. What it gives shares no memory with the log.
func (r *line) read(p *partition.Partition, at int64) (*taken, error) {
	a := partition.FetchArgs{Offset: at, MaxBytes: lineBytes, MinOne: true, Isolation: partition.ReadCommitted, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}
	var f partition.Fetched
	err := p.Fetch(&a, &f)
	if start := p.Offsets().LogStart; errors.Is(err, wire.OffsetOutOfRange) && at < start {
		return &taken{next: start, stable: -1}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the delay line from offset %d: %w", at, err)
	}
	got := &taken{next: at, stable: f.LastStable}
	if f.Slice.Len == 0 {
		return got, nil
	}
	b := make([]byte, f.Slice.Len)
	_, err = f.Slice.ReadAt(b, 0)
	f.Slice.Release()
	if err != nil {
		return nil, fmt.Errorf("read the delay line from offset %d: %w", at, err)
	}
	return got, r.walk(b, f.Aborted, got)
}

// walk takes the batches of one read, but those of aborted transactions.
func (r *line) walk(b []byte, aborted []producer.Aborted, got *taken) error {
	open := map[int64]bool{}
	from := got.next
	for len(b) > 0 {
		h, batch, rest, err := record.Next(b)
		if errors.Is(err, record.ErrShort) {
			return nil // the rest of it comes with the next read
		}
		if err != nil {
			return fmt.Errorf("the delay line at offset %d: %w", got.next, err)
		}
		for len(aborted) > 0 && aborted[0].FirstOffset <= h.LastOffset() {
			open[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		switch {
		case h.Control():
			delete(open, h.ProducerID)
		case h.Transactional() && open[h.ProducerID]:
		case !record.VerifyCRC(batch):
			return wire.Errorf(wire.CorruptMessage, "the batch at offset %d of the delay line does not match its checksum", h.BaseOffset)
		default:
			if err := r.batch(&h, batch, from, got); err != nil {
				return err
			}
		}
		b, got.next = rest, h.NextOffset()
	}
	return nil
}

// batch makes timers of a batch's records.
func (r *line) batch(h *record.Header, batch []byte, from int64, got *taken) error {
	topic, _ := r.d.Topic(r.to)
	err := record.Walk(batch, 0, func(x *record.Record) bool {
		offset := h.BaseOffset + int64(x.OffsetDelta)
		if offset < from {
			return true
		}
		ms := h.BaseTimestamp + x.TimestampDelta
		if h.LogAppendTime() {
			ms = h.MaxTimestamp
		}
		t := r.timer(offset, ms, x, topic.Partitions)
		v := value(&t)
		if size := v.Size(); topic.MaxBatchBytes > 0 && size+record.HeaderSize > topic.MaxBatchBytes {
			r.giveUp(offset, size, nil)
			return true
		}
		got.timers, got.offsets = append(got.timers, t), append(got.offsets, offset)
		got.sizes = append(got.sizes, v.Size()+len(t.Key)+len(t.Topic))
		return true
	})
	if err != nil {
		return fmt.Errorf("the batch at offset %d of the delay line: %w", h.BaseOffset, err)
	}
	return nil
}

// timer is that of one record. A record without a key keeps its partition, where
// there is one of that number.
func (r *line) timer(offset, timestampMs int64, x *record.Record, partitions int32) timer.Timer {
	dueMs, headers, well := dueOf(x.Headers, timestampMs)
	if !well {
		r.d.Malformed.Inc()
	}
	t := timer.Timer{
		Key: fmt.Sprintf("line/%s/%d", r.name, offset), DueMs: dueMs, Topic: r.to, Partition: -1,
		RecordKey: clone(x.Key), Value: clone(x.Value),
	}
	if x.Key == nil && r.index < partitions {
		t.Partition = r.index
	}
	for i := range headers {
		t.Headers = append(t.Headers, timer.Header{Key: headers[i].Key, Value: clone(headers[i].Value)})
	}
	return t
}

// clone copies bytes that may be null.
func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}
