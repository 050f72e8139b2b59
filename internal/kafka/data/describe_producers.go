package data

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// DescribeProducers (61), version 0: the producers that a replica knows,
// with their open transactions (KIP-664); any replica answers, as Kafka's do.
func (f *Family) describeProducersRow() api.API {
	return api.Row(0, 0, f.describeProducers)
}

func (f *Family) describeProducers(_ context.Context, _ *api.Conn, req *kmsg.DescribeProducersRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
	for i := range req.Topics {
		t := &req.Topics[i]
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic = t.Topic
		for _, index := range t.Partitions {
			rt.Partitions = append(rt.Partitions, f.producersOf(t.Topic, index))
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

// producersOf answers for one partition.
func (f *Family) producersOf(topic string, index int32) kmsg.DescribeProducersResponseTopicPartition {
	row := kmsg.NewDescribeProducersResponseTopicPartition()
	row.Partition = index
	p, code := f.replica(topic, index)
	if code != wire.None {
		row.ErrorCode, row.ErrorMessage = int16(code), kmsg.StringPtr(api.KafkaText(code))
		return row
	}
	producers, err := p.Producers()
	if err != nil {
		row.ErrorCode = int16(f.explain(err, topic, index))
		if text := wire.MessageOf(err); text != "" {
			row.ErrorMessage = &text
		}
		return row
	}
	for _, info := range producers {
		a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		a.ProducerID, a.ProducerEpoch, a.LastSequence = info.ProducerID, int32(info.Epoch), info.LastSequence
		a.LastTimestamp, a.CoordinatorEpoch, a.CurrentTxnStartOffset = info.LastTimestampMs, info.CoordinatorEpoch, info.CurrentTxnStartOffset
		row.ActiveProducers = append(row.ActiveProducers, a)
	}
	return row
}
