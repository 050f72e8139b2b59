package produce

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

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

// AtOnce are the options of a client whose records somebody waits for: they leave at
// once, as they are, in batches that their topics take.
func AtOnce(most func(topic string) int) []kgo.Opt {
	return []kgo.Opt{kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()), Batches(most)}
}

// ErrLate says that a topic did not take a record in time.
var ErrLate = errors.New("it was not taken in time")

// Within writes a record, of a transaction if the client has one, and tells what became
// of it; ErrLate if that took longer than it may.
func Within(ctx context.Context, c *kgo.Client, may time.Duration, r *kgo.Record, told func(*kgo.Record, error)) {
	AllWithin(ctx, c, may, []*kgo.Record{r}, told)
}

// AllWithin is Within of many, whose time begins at once; it tells of each.
func AllWithin(ctx context.Context, c *kgo.Client, may time.Duration, records []*kgo.Record, told func(*kgo.Record, error)) {
	if len(records) == 0 {
		return
	}
	within, cancel := context.WithTimeout(ctx, may)
	var left atomic.Int64
	left.Store(int64(len(records)))
	done := func(r *kgo.Record, err error) {
		if left.Add(-1) == 0 {
			cancel()
		}
		if r.Context = nil; ctx.Err() == nil {
			err = late(err, may)
		}
		told(r, err)
	}
	for _, r := range records {
		r.Context = nil // of an earlier time that it was written
		c.Produce(within, r, done)
	}
}

// late tells time that is over from that of who asked.
func late(err error, may time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w (%v): %w", ErrLate, may, err)
	}
	return err
}
