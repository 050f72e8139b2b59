package produce

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// within is how long records are tried to be written. It is not kgo's own timeout, which
// goes by the records' timestamps: those are of a clock that may be moved.
const within = 30 * time.Second

// All writes records and returns when each is written or refused, with an error for each.
// A record's partition and offset are where it is. Records of a topic that is another
// than the client took it for were written nowhere, and are tried once more.
func All(ctx context.Context, c *kgo.Client, records []*kgo.Record) []error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
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
	for _, r := range records {
		r.Context = nil // kgo's note of ours: who writes the record again has his own
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
