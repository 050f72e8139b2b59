package post

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/outbox"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// Batch names a batch that was put once.
type Batch struct {
	SinceMs    int64 // no record of it is dated before
	ProducerID int64
	Sequence   int32 // of its first record
}

// lookBytes is how much is read at a time to look for a batch.
const lookBytes = 1 << 20

// in tells whether the batch is among those of b, and where the last of them ends; -1
// when there is no whole one.
func (x *Batch) in(b []byte) (found bool, next int64, err error) {
	next = -1
	for len(b) > 0 {
		h, _, rest, err := record.Next(b)
		if errors.Is(err, record.ErrShort) {
			break
		}
		if err != nil {
			return false, next, fmt.Errorf("look for a batch: %w", err)
		}
		if h.ProducerID == x.ProducerID && h.ProducerEpoch == 0 && h.BaseSequence == x.Sequence {
			return true, h.NextOffset(), nil
		}
		b, next = rest, h.NextOffset()
	}
	return false, next, nil
}

// Has implements Box.
func (b near) Has(ctx context.Context, x Batch) (bool, error) {
	at, err := b.p.ListOffset(x.SinceMs, partition.ReadUncommitted, -1)
	if err != nil || at.Offset < 0 {
		return false, err
	}
	for offset := at.Offset; ; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		piece, err := b.read(offset)
		if err != nil || len(piece) == 0 {
			return false, err
		}
		found, next, err := x.in(piece)
		if found || err != nil {
			return found, err
		}
		offset = max(next, offset+1)
	}
}

// read gives what is committed from an offset on, a piece of it.
func (b near) read(offset int64) ([]byte, error) {
	var f partition.Fetched
	err := b.p.Fetch(&partition.FetchArgs{Offset: offset, MaxBytes: lookBytes, MinOne: true, CurrentLeaderEpoch: -1, LastFetchedEpoch: -1}, &f)
	if err != nil || f.Slice.Len == 0 {
		return nil, err
	}
	piece := make([]byte, f.Slice.Len)
	_, err = f.Slice.ReadAt(piece, 0)
	f.Slice.Release()
	return piece, err
}

// Has implements Box.
func (b *far) Has(ctx context.Context, x Batch) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, b.o.Timeout)
	defer cancel()
	offset, err := b.offsetAt(ctx, x.SinceMs)
	if err != nil || offset < 0 {
		return false, err
	}
	for {
		piece, high, err := b.fetch(ctx, offset)
		if err != nil {
			return false, err
		}
		found, next, err := x.in(piece)
		if found || err != nil {
			return found, err
		}
		if offset = max(next, offset+1); offset >= high {
			return false, nil
		}
	}
}

// offsetAt is the first offset of a record that is not dated before; -1 for none.
func (b *far) offsetAt(ctx context.Context, ms int64) (int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = b.index, ms
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = b.topic.Name
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := outbox.Call[*kmsg.ListOffsetsResponse](ctx, b.o.Peers, b.node, req)
	if err != nil {
		return -1, b.silent(err)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return -1, b.mute()
	}
	return resp.Topics[0].Partitions[0].Offset, b.said(resp.Topics[0].Partitions[0].ErrorCode)
}

// fetch reads a piece, and tells the high watermark.
func (b *far) fetch(ctx context.Context, offset int64) (piece []byte, high int64, err error) {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MinBytes, req.SessionEpoch = lookBytes, 0, -1
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = b.index, offset, lookBytes, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = b.topic.Name, b.topic.ID
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := outbox.Call[*kmsg.FetchResponse](ctx, b.o.Peers, b.node, req)
	if err != nil {
		return nil, 0, b.silent(err)
	}
	if resp.ErrorCode != 0 {
		return nil, 0, b.said(resp.ErrorCode)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, 0, b.mute()
	}
	got := &resp.Topics[0].Partitions[0]
	return got.RecordBatches, got.HighWatermark, b.said(got.ErrorCode)
}

// silent, mute and said are why a node cannot be told what it has.
func (b *far) silent(err error) error {
	return wire.Errorf(passing(outbox.CodeOf(err)), "ask node %d for %s-%d: %w", b.node, b.topic.Name, b.index, err)
}

func (b *far) mute() error {
	return wire.Errorf(wire.UnknownServerError, "node %d said nothing of %s-%d", b.node, b.topic.Name, b.index)
}

func (b *far) said(code int16) error {
	if c := wire.Code(code); c != wire.None {
		return wire.Errorf(passing(c), "node %d does not tell what %s-%d has: %w", b.node, b.topic.Name, b.index, c)
	}
	return nil
}
