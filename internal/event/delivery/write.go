package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/produce"
)

// writing is a transaction under way: what the runner knew when it began. What changes
// meanwhile is of the next.
type writing struct {
	at       int64                 // how far Topic was read
	states   []*kgo.Record         // of StateTopic
	attempts []*kgo.Record         // of AttemptsTopic
	letters  []lost                // what was given up
	records  map[int][]*kgo.Record // of the dead letters that have a queue, by their places
	dirty    map[string]bool       // lanes that had changed
	gone     map[string]bool       // targets of which StateTopic has nothing any more
}

// refusals are the dead letters that could not be written, by their places.
type refusals map[int]error

// wrote is what came of a transaction: it is committed, or letters were refused and
// nothing is written. An error is one of ours: what is known is to be loaded anew.
type wrote struct {
	refused refusals
	err     error
}

// do carries the transaction out.
func (w *writing) do(ctx context.Context, client *kgo.Client) (refusals, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	if err := client.BeginTransaction(); err != nil {
		return nil, fmt.Errorf("begin a transaction: %w", err)
	}
	var mu sync.Mutex // guards what promises write
	var ownErr error
	all := slices.Concat(w.states, w.attempts)
	produce.AllWithin(ctx, client, writeTimeout, all, func(_ *kgo.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		ownErr = errors.Join(ownErr, err)
	})
	refused := refusals{}
	size := map[string]int{}
	for i, recs := range w.records {
		for _, rec := range recs {
			n := len(rec.Value) + 1024
			if size[rec.Topic] += n; size[rec.Topic] > max(fewBytes, n) {
				if err := client.Flush(ctx); err != nil {
					return nil, fmt.Errorf("write dead letters: %w", err)
				}
				size[rec.Topic] = n
			}
			produce.Within(ctx, client, writeTimeout, rec, func(_ *kgo.Record, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					refused[i] = err
				}
			})
			all = append(all, rec)
		}
	}
	if err := client.Flush(ctx); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(refused) > 0 {
		if err := client.EndTransaction(ctx, kgo.TryAbort); err != nil {
			return nil, fmt.Errorf("take back a transaction: %w", err)
		}
		client.PurgeTopicsFromProducing(renewed(w.records, refused)...)
		return refused, nil
	}
	if ownErr != nil {
		return nil, fmt.Errorf("write to %s and %s: %w", StateTopic, AttemptsTopic, ownErr)
	}
	if err := commit.Commit(ctx, client, all...); err != nil {
		return nil, fmt.Errorf("end a transaction: %w", err)
	}
	return nil, nil
}

// renewed are topics that are others than the client takes them for: they were deleted
// and made again, which it does not find out by itself.
func renewed(letters map[int][]*kgo.Record, refused refusals) []string {
	var out []string
	for i, err := range refused {
		if !errors.Is(err, kerr.UnknownTopicID) && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			continue
		}
		for _, rec := range letters[i] {
			if !slices.Contains(out, rec.Topic) {
				out = append(out, rec.Topic)
			}
		}
	}
	return out
}
