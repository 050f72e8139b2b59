package main

import (
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/record"
)

// Sizes of what is produced: the records of a batch fill about 128 KiB.
const (
	recordBytes = 1024
	batchBytes  = 128 << 10
	perBatch    = batchBytes / (recordBytes + 12)
)

// encodeBatch is a batch of random records.
func encodeBatch() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b, now := record.NewBuilder(), time.Now().UnixMilli()
	value := make([]byte, recordBytes)
	for range perBatch {
		for i := range value {
			value[i] = byte(r.Uint32())
		}
		b.Add(now, nil, value)
	}
	return b.Build(0)
}

// produceVersion has topics by name, and is served by both.
const produceVersion = 9

// encodeProduce is a whole request of one batch, acks=all, with its length.
func encodeProduce(topic string, partition int32, batch []byte) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(produceVersion)
	req.Acks, req.TimeoutMillis = -1, 30_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench3")).AppendRequest(nil, req, 1)
}
