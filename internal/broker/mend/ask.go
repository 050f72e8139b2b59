package mend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/wire"
)

// patience is how long a node may take to answer.
const patience = 10 * time.Second

// atLeast is how much is asked for at once, where less is damaged.
const atLeast = 64 << 10

// errNothing: another replica has nothing committed at the offset.
var errNothing = errors.New("it has nothing there")

// batches gets what another replica has for a damaged range: whole batches from its
// first offset on, as many bytes as it has or fewer.
func (k *Keeper) batches(node int32, at *standing, d log.Damage) ([]byte, error) {
	var out []byte
	for next := d.Offset; next < d.Next; {
		b, err := k.fetch(node, at, next, int32(min(max(d.Bytes-int64(len(out)), atLeast), 1<<30)))
		if err != nil {
			return nil, err
		}
		got := len(out)
		for len(b) > 0 && next < d.Next {
			h, batch, rest, err := record.Next(b)
			if err == record.ErrShort {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("its batch at offset %d: %w", next, err)
			}
			if h.BaseOffset < next || int64(len(out)+len(batch)) > d.Bytes {
				return nil, fmt.Errorf("its batch at offset %d of %d bytes: %w", h.BaseOffset, len(batch), log.ErrMisfit)
			}
			out, b, next = append(out, batch...), rest, h.NextOffset()
		}
		if len(out) == got {
			return nil, fmt.Errorf("no whole batch at offset %d: %w", next, errNothing)
		}
	}
	return out, nil
}

// fetch reads from another replica as a consumer does (KIP-392): up to its high
// watermark, and nothing that is damaged there too.
func (k *Keeper) fetch(node int32, at *standing, offset int64, bytes int32) ([]byte, error) {
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxBytes, req.MaxWaitMillis = -1, bytes, 0
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.TopicID = at.key.Topic, at.key.ID
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = at.key.Index, offset, bytes
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	ctx, cancel := context.WithTimeout(k.ctx, patience)
	defer cancel()
	got, err := k.o.Ask(ctx, node, req)
	if err != nil {
		return nil, err
	}
	resp, ok := got.(*kmsg.FetchResponse)
	switch {
	case !ok:
		return nil, fmt.Errorf("it answers a fetch with %T", got)
	case resp.ErrorCode != 0:
		return nil, wire.Code(resp.ErrorCode)
	case len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1:
		return nil, fmt.Errorf("it answers for %d topics, and was asked about one partition", len(resp.Topics))
	}
	row := &resp.Topics[0].Partitions[0]
	if code := wire.Code(row.ErrorCode); code == wire.OffsetOutOfRange {
		return nil, fmt.Errorf("%w: %w", errNothing, code)
	}
	if row.ErrorCode != 0 {
		return nil, wire.Code(row.ErrorCode)
	}
	return row.RecordBatches, nil
}
