package follow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// mostBytes is how much one fetch asks for unless another size is wanted.
const mostBytes = 1 << 20

// unknown is a leader, or an offset, that must be asked for.
const unknown = -1

// forget has the next fetch ask for the leader.
func (p *Partition) forget() { p.led.leader, p.stable = unknown, unknown }

// find asks who leads.
func (p *Partition) find(ctx context.Context) (lead, error) {
	req := kmsg.NewPtrMetadataRequest()
	row := kmsg.NewMetadataRequestTopic()
	row.Topic = &p.o.Topic
	req.Topics = append(req.Topics, row)
	resp, err := req.RequestWith(ctx, p.c)
	if err != nil {
		return lead{}, fmt.Errorf("ask who leads: %w", err)
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return lead{}, fmt.Errorf("ask who leads: %w", err)
		}
		for _, x := range t.Partitions {
			if x.Partition == p.o.Partition && x.Leader >= 0 {
				return lead{x.Leader, x.LeaderEpoch, t.TopicID}, nil
			}
		}
	}
	return lead{}, fmt.Errorf("ask who leads: %w", kerr.LeaderNotAvailable)
}

// fetch is one fetch. It waits only where everything was read that the leader has
// told of.
func (p *Partition) fetch(ctx context.Context) ([]*kgo.Record, error) {
	if p.led.leader == unknown {
		var err error
		if p.led, err = p.find(ctx); err != nil {
			p.led.leader = unknown
			return nil, err
		}
	}
	req := kmsg.NewPtrFetchRequest()
	req.MinBytes, req.MaxBytes, req.IsolationLevel, req.SessionEpoch = 1, p.o.Bytes, 1, -1
	if p.stable != unknown && p.at >= p.stable {
		req.MaxWaitMillis = int32(p.o.Wait / time.Millisecond)
	}
	row := kmsg.NewFetchRequestTopicPartition()
	row.Partition, row.CurrentLeaderEpoch, row.FetchOffset, row.PartitionMaxBytes = p.o.Partition, p.led.epoch, p.at, p.o.Bytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID, topic.Partitions = p.o.Topic, p.led.topic, append(topic.Partitions, row)
	req.Topics = append(req.Topics, topic)
	raw, err := p.c.Broker(int(p.led.leader)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	resp := raw.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, nil // a quota lets nobody read now
	}
	return p.take(ctx, &resp.Topics[0].Partitions[0])
}

// take reads an answer.
func (p *Partition) take(ctx context.Context, x *kmsg.FetchResponseTopicPartition) ([]*kgo.Record, error) {
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		Offset: p.at, IsolationLevel: kgo.ReadCommitted(), Topic: p.o.Topic, Partition: p.o.Partition,
	}, x, p.unpack, nil)
	if errors.Is(got.Err, kerr.OffsetOutOfRange) {
		start, err := p.begin(ctx)
		if err != nil {
			return nil, err
		}
		if p.o.Moved != nil {
			p.o.Moved(p.at, start)
		}
		p.at = start
		return nil, nil
	}
	if got.Err != nil && next == p.at {
		return nil, got.Err
	}
	if len(x.RecordBatches) == 0 && p.stable > p.at {
		next = p.stable // it was stable when the leader was asked, and nothing of it is there
	}
	p.at, p.stable = next, x.LastStableOffset
	return got.Records, nil
}
