package client

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/history"
)

// flushWithin is how long a producer waits at its end for the last answers.
const flushWithin = 30 * time.Second

// produce is one idempotent producer with acks=all: so many records a second,
// to each partition in turn, until ctx ends and the answers are there.
func (c *Cluster) produce(ctx context.Context, rate, size int) error {
	process := c.History.Process()
	cl, err := c.open(
		kgo.ProducerBatchCompression(c.codec(process)),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0),
		kgo.MaxBufferedRecords(1000),
		kgo.UnknownTopicRetries(-1),
		kgo.ProduceRequestTimeout(5*time.Second),
	)
	if err != nil {
		return err
	}
	defer cl.Close()
	const ticks = 50 // a second
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	for n := process; ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-tick.C:
			for range max(1, rate/ticks) {
				c.send(cl, process, n%c.Partitions, size)
				n++
			}
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWithin)
	defer cancel()
	if err := cl.Flush(last); err != nil {
		return errors.New("a producer had no answer 30 s after the faults were over")
	}
	return nil
}

// codec is what a producer compresses with.
func (c *Cluster) codec(process int32) kgo.CompressionCodec {
	all := []kgo.CompressionCodec{kgo.NoCompression(), kgo.ZstdCompression(), kgo.Lz4Compression(), kgo.SnappyCompression(), kgo.GzipCompression()}
	if c.Plain {
		return all[0]
	}
	return all[int(process)%len(all)]
}

// send gives one record to the client and records what becomes of it.
func (c *Cluster) send(cl *kgo.Client, process, partition int32, size int) {
	value := c.value.Add(1)
	start := c.History.Now()
	r := &kgo.Record{Topic: c.Topic, Partition: partition, Value: Encode(value, size)}
	cl.Produce(context.Background(), r, func(r *kgo.Record, err error) {
		op := history.Op{Process: process, Kind: history.Send, Outcome: history.OK, Start: start, End: c.History.Now()}
		offset := r.Offset
		if err != nil {
			op.Outcome, op.Error, offset = history.Info, err.Error(), -1
			if surelyRefused(err) {
				op.Outcome = history.Fail
			}
		} else {
			c.acked.Add(1)
			c.told.add(value)
		}
		op.Micro = []history.Micro{{Kind: history.Send, Partition: c.partition(partition), Records: []history.Record{{offset, value}}}}
		c.History.Add(op)
	})
}

// surelyRefused tells errors after which a record was surely never written, on
// any try of the client.
func surelyRefused(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.TopicAuthorizationFailed)
}
