package produce

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// leastBatch and mostBatch are what clients take for the size of a batch.
const (
	leastBatch = 512
	mostBatch  = 64 << 20
)

// Batches bounds the batches of a client by what their topics take: a topic refuses a
// larger one whole, also where each of its records would fit. The client asks once for
// each topic, and for "".
func Batches(most func(topic string) int) kgo.ProducerOpt {
	return kgo.ProducerBatchMaxBytesFn(func(topic string) int32 { return int32(min(max(most(topic), leastBatch), mostBatch)) })
}

// All writes records and returns when each is written or refused, with an error for each.
// A record's partition and offset are where it is. Records of a topic that is another
// than the client took it for were written nowhere, and are tried once more.
func All(ctx context.Context, c *kgo.Client, records []*kgo.Record) []error {
	errs, asked := make([]error, len(records)), make([]int32, len(records))
	all := make([]int, len(records))
	for i, r := range records {
		all[i], asked[i] = i, r.Partition
	}
	some(ctx, c, records, all, errs)
	var again []int
	var renewed []string
	for i, err := range errs {
		if !errors.Is(err, kerr.UnknownTopicID) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			continue
		}
		records[i].Partition = asked[i]
		if again = append(again, i); !slices.Contains(renewed, records[i].Topic) {
			renewed = append(renewed, records[i].Topic)
		}
	}
	if len(again) > 0 {
		c.PurgeTopicsFromProducing(renewed...)
		some(ctx, c, records, again, errs)
	}
	return errs
}

// some writes those of the records.
func some(ctx context.Context, c *kgo.Client, records []*kgo.Record, of []int, errs []error) {
	var waiting sync.WaitGroup
	waiting.Add(len(of))
	for _, i := range of {
		c.Produce(ctx, records[i], func(_ *kgo.Record, err error) {
			errs[i] = err
			waiting.Done()
		})
	}
	waiting.Wait()
}
