package shares

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ottla/internal/kafka/post"
	"ottla/internal/kafka/queues"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// letters are the dead letters of a range on their way.
type letters struct {
	d       *lead.Dying
	to      post.Box
	origin  string // the topic that the records are of
	nowMs   int64
	builder *record.Builder
	written *metric.Counter
	offsets []int64        // of the letters so far
	buried  map[int64]bool // those that have a letter already
	// left is told of a record whose letter is left out.
	left func(offset int64, why error)
}

// readBytes is how much of the log is read at a time; a larger batch comes
// whole.
const readBytes = 1 << 20

// write writes them, one after the other, in batches that fit, and returns when
// all are committed.
func (w *letters) write(ctx context.Context) error {
	for at := w.d.Range.First; at <= w.d.Range.Last; {
		next, err := w.some(ctx, at)
		if err != nil {
			return err
		}
		at = next
	}
	return w.append(ctx)
}

// some takes the records of one read and tells where the next begins.
func (w *letters) some(ctx context.Context, at int64) (int64, error) {
	var f partition.Fetched
	err := w.d.Log.Fetch(&partition.FetchArgs{Offset: at, MaxBytes: readBytes, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
	if errors.Is(err, wire.OffsetOutOfRange) || err == nil && f.Slice.Len == 0 {
		return w.d.Range.Last + 1, nil // retention took them
	}
	if err != nil {
		return at, fmt.Errorf("read what was given up from offset %d: %w", at, err)
	}
	buf := make([]byte, f.Slice.Len)
	_, err = f.Slice.ReadAt(buf, 0)
	f.Slice.Release()
	if err != nil {
		return at, fmt.Errorf("read what was given up from offset %d: %w", at, err)
	}
	for at <= w.d.Range.Last {
		h, batch, rest, err := record.Next(buf)
		if errors.Is(err, record.ErrShort) {
			return at, nil // the rest of it comes with the next read
		}
		if err != nil {
			return at, fmt.Errorf("the batch at offset %d: %w", at, err)
		}
		if !h.Control() {
			if err := w.batch(ctx, &h, batch); err != nil {
				return at, err
			}
		}
		at, buf = max(at, h.NextOffset()), rest
	}
	return at, nil
}

// batch takes the records of one batch.
func (w *letters) batch(ctx context.Context, h *record.Header, batch []byte) error {
	var failed error
	err := record.Walk(batch, 0, func(r *record.Record) bool {
		offset := h.BaseOffset + int64(r.OffsetDelta)
		if offset >= w.d.Range.First && offset <= w.d.Range.Last && !w.buried[offset] {
			failed = w.add(ctx, h, offset, r)
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return err
}

// letterOverhead is more than a letter takes beside what is its record's.
const letterOverhead = 1024

// add gathers the letter of one record; what was gathered before is written
// first when both do not fit into a batch.
func (w *letters) add(ctx context.Context, h *record.Header, offset int64, r *record.Record) error {
	size := letterOverhead + len(w.origin) + len(w.d.Key.Group)
	headers := w.headers(offset)
	var key, value []byte
	if w.d.Settings.DeadWhole {
		own := r.Headers
		if w.d.Settings.Queue {
			own = w.kept(h, offset, r)
		}
		key, value, headers = r.Key, r.Value, append(headers, own...)
		size += len(key) + len(value)
		for i := range r.Headers {
			size += len(r.Headers[i].Key) + len(r.Headers[i].Value) + 10
		}
	}
	if w.builder.Len() > 0 && w.builder.Size()+size > w.to.MostBytes() {
		if err := w.append(ctx); err != nil {
			return err
		}
	}
	w.builder.Add(w.nowMs, key, value, headers...)
	w.offsets = append(w.offsets, offset)
	return nil
}

// append writes what was gathered and returns when it is committed. A letter of a
// share group that is too large by itself is left out: its record was given up, and
// others are not to be for it.
func (w *letters) append(ctx context.Context) error {
	if w.builder.Len() == 0 {
		return nil
	}
	n := w.builder.Len()
	batch := w.builder.Build(0)
	w.builder = record.NewBuilder()
	err := w.to.Put(ctx, batch)
	if n == 1 && !w.d.Settings.Queue && wire.CodeOf(err) == wire.MessageTooLarge {
		w.left(w.offsets[len(w.offsets)-1], err)
		return nil
	}
	if err != nil {
		return err
	}
	w.written.Add(n)
	return nil
}

// kept are the headers of a queue's message that its dead letter keeps, with its
// id and when it was sent. Its deduplication id is not that of another queue's
// message, and where it lay as a dead letter before, it does not any more.
func (w *letters) kept(h *record.Header, offset int64, r *record.Record) []record.RecordHeader {
	out := make([]record.RecordHeader, 0, len(r.Headers)+2)
	id, sent := queues.MessageID(w.d.Key.TopicID, w.d.Key.Partition, offset), strconv.FormatInt(r.TimeMs(h), 10)
	for _, x := range r.Headers {
		switch {
		case x.Key == queues.HeaderID:
			id = string(x.Value)
		case x.Key == queues.HeaderSent:
			sent = string(x.Value)
		case x.Key == queues.HeaderDedup, strings.HasPrefix(x.Key, "__dlq."):
		default:
			out = append(out, x)
		}
	}
	return append(out, record.RecordHeader{Key: queues.HeaderID, Value: []byte(id)}, record.RecordHeader{Key: queues.HeaderSent, Value: []byte(sent)})
}
