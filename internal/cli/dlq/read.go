package dlq

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
)

// Reader makes a client that reads with these options; the caller of Reader
// closes it.
type Reader func(ctx context.Context, opts ...kgo.Opt) (*kgo.Client, error)

// atOnce is how many records are looked at before progress is kept.
const atOnce = 500

// read reads from each partition what is given in ends, from From up to, not
// including, that offset, and hands the records on in runs of at most most, in
// the order of each partition; markers are among them. It stops when visit gives
// false. within bounds how long it waits for the next records.
func (q *Queue) read(ctx context.Context, open Reader, ends map[int32]int64, most int, within time.Duration, visit func([]*kgo.Record) (bool, error)) error {
	from := map[int32]kgo.Offset{}
	for _, p := range q.Parts {
		if end, ok := ends[p.Partition]; ok && p.From() < end {
			from[p.Partition] = offset(p.From())
		}
	}
	if len(from) == 0 {
		return nil
	}
	c, err := open(ctx, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{q.Topic: from}),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return err
	}
	defer c.Close()
	for len(from) > 0 {
		waited, cancel := context.WithTimeout(ctx, within)
		fetches := c.PollRecords(waited, most)
		cancel()
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("read dead letters of %s: %w", q.Topic, err)
		}
		for _, e := range fetches.Errors() {
			return fmt.Errorf("read dead letters of %s-%d: %w", e.Topic, e.Partition, e.Err)
		}
		var run []*kgo.Record
		fetches.EachRecord(func(r *kgo.Record) {
			if _, open := from[r.Partition]; !open {
				return
			}
			if r.Offset+1 >= ends[r.Partition] {
				delete(from, r.Partition)
				c.PauseFetchPartitions(map[string][]int32{q.Topic: {r.Partition}})
			}
			run = append(run, r)
		})
		if goOn, err := visit(run); err != nil || !goOn {
			return err
		}
	}
	return nil
}

func (q *Queue) ends() map[int32]int64 {
	out := map[int32]int64{}
	for _, p := range q.Parts {
		out[p.Partition] = p.End
	}
	return out
}

func (q *Queue) part(n int32) *Part {
	for _, p := range q.Parts {
		if p.Partition == n {
			return p
		}
	}
	return nil
}

// Oldest gives the time of the oldest letter that waits; zero without one.
func (q *Queue) Oldest(ctx context.Context, open Reader, within time.Duration) (oldest time.Time, err error) {
	ends := map[int32]int64{}
	for _, p := range q.Parts {
		if p.Waiting() > 0 {
			ends[p.Partition] = min(p.From()+1, p.End)
		}
	}
	err = q.read(ctx, open, ends, 1, within, func(run []*kgo.Record) (bool, error) {
		for _, r := range run {
			if !r.Attrs.IsControl() && (oldest.IsZero() || r.Timestamp.Before(oldest)) {
				oldest = r.Timestamp
			}
		}
		return true, nil
	})
	return oldest, err
}

// Letters gives letters that f takes, at most most (0: all), oldest first in
// each partition. With all, those that were put back are among them.
func (q *Queue) Letters(ctx context.Context, open Reader, f Filter, most int, all bool, within time.Duration) (out []*letter.Letter, err error) {
	look := *q
	if all {
		look.Parts = nil
		for _, p := range q.Parts {
			look.Parts = append(look.Parts, &Part{Partition: p.Partition, Start: p.Start, End: p.End, Progress: new(Progress)})
		}
	}
	err = look.read(ctx, open, look.ends(), atOnce, within, func(run []*kgo.Record) (bool, error) {
		for _, r := range run {
			l := letter.Read(r)
			if !r.Attrs.IsControl() && f.Takes(l) && !look.part(r.Partition).Progress.Has(r.Offset) {
				if out = append(out, l); len(out) == most {
					return false, nil
				}
			}
		}
		return true, nil
	})
	return out, err
}

// Letter gives one letter that waits; nil when there is none there.
func (q *Queue) Letter(ctx context.Context, open Reader, partition int32, at int64, within time.Duration) (*letter.Letter, error) {
	found, err := q.Only(&letter.Letter{Partition: partition, Offset: at}).Letters(ctx, open, func(l *letter.Letter) bool { return l.Offset == at }, 1, false, within)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// original reads the record that a bare letter speaks of; nil when it is gone.
func original(ctx context.Context, open Reader, l *letter.Letter, within time.Duration) (*kgo.Record, error) {
	c, err := open(ctx, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.OriginTopic: {l.OriginPartition: offset(l.OriginOffset)}}),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	fetches := c.PollRecords(ctx, 1)
	for _, e := range fetches.Errors() {
		return nil, fmt.Errorf("read %s: %w", l.Origin(), e.Err)
	}
	for _, r := range fetches.Records() {
		if r.Offset == l.OriginOffset && !r.Attrs.IsControl() {
			return r, nil
		}
	}
	return nil, nil
}

// Count counts the letters that a redrive would put back, by the topic that
// each would go to ("": it does not say which).
func (q *Queue) Count(ctx context.Context, open Reader, f Filter, to string, within time.Duration) (map[string]int64, error) {
	n := map[string]int64{}
	err := q.read(ctx, open, q.ends(), atOnce, within, func(run []*kgo.Record) (bool, error) {
		for _, r := range run {
			if l := letter.Read(r); !r.Attrs.IsControl() && f.Takes(l) && !q.part(r.Partition).Progress.Has(r.Offset) {
				n[cmp.Or(to, l.OriginTopic)]++
			}
		}
		return true, nil
	})
	return n, err
}
