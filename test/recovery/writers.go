//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
	"ottla/test/realfault"
)

const (
	// topic has one partition for each node, which leads it when all is as it
	// should be.
	topic = "writes"
	// pause between two attempts of the same writer.
	pause = 10 * time.Millisecond
	// directPause is that of the direct one: what it sees is as exact as that.
	directPause = 5 * time.Millisecond
)

// partitionOf is the partition that a node leads.
func partitionOf(node int) int { return node - 1 }

// batch is one record, encoded.
func batch() []byte {
	b := record.NewBuilder()
	b.Add(time.Now().UnixMilli(), nil, []byte("recovery"))
	return b.Build(0)
}

// produceTo is a request for partitions of a topic, one record each.
func produceTo(name string, id [16]byte, partitions ...int32) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 10_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic, t.TopicID = name, id
	for _, index := range partitions {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = index, batch()
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	return req
}

// writeDirect writes to a partition at one node again and again, whether that
// leads or not, until ctx ends.
func (l *load) writeDirect(ctx context.Context, node, partition int, p *pulse) {
	broker := l.direct.SeedBrokers()[node-1]
	for ctx.Err() == nil {
		one, cancel := context.WithTimeout(ctx, 10*time.Second)
		resp, err := broker.Request(one, produceTo(topic, l.topicID, int32(partition)))
		cancel()
		if err == nil {
			r := resp.(*kmsg.ProduceResponse)
			if len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 1 && r.Topics[0].Partitions[0].ErrorCode == 0 {
				p.beat()
			}
		}
		_ = realfault.Pause(ctx, directPause)
	}
}

// writeClient writes to a partition as an application does.
func (l *load) writeClient(ctx context.Context, c *kgo.Client, partition int, p *pulse) {
	for ctx.Err() == nil {
		r := &kgo.Record{Topic: topic, Partition: int32(partition), Value: []byte("recovery")}
		if err := c.ProduceSync(ctx, r).FirstErr(); err == nil {
			p.beat()
		}
		_ = realfault.Pause(ctx, pause)
	}
}

// makeTopic makes a topic whose partitions each belong to another node, and
// gives its id.
func (s *stage) makeTopic(ctx context.Context, name string) (id [16]byte, err error) {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, -1, -1
	for i := range int32(nodes) {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition = i
		for k := range int32(nodes) {
			a.Replicas = append(a.Replicas, (i+k)%nodes+1)
		}
		t.ReplicaAssignment = append(t.ReplicaAssignment, a)
	}
	return s.make(ctx, t, 10*time.Second)
}

// make makes a topic and gives its id.
func (s *stage) make(ctx context.Context, t kmsg.CreateTopicsRequestTopic, within time.Duration) (id [16]byte, err error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.Topics = int32(within.Milliseconds()), []kmsg.CreateTopicsRequestTopic{t}
	resp, err := req.RequestWith(ctx, s.ask)
	if err == nil {
		err = created(resp)
	}
	if err != nil {
		return id, fmt.Errorf("make topic %s: %w", t.Topic, err)
	}
	return resp.Topics[0].TopicID, nil
}

// created is the error of an answer to CreateTopics with one topic.
func created(resp *kmsg.CreateTopicsResponse) error {
	if len(resp.Topics) != 1 {
		return errors.New("the answer does not tell of the topic")
	}
	return kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}
