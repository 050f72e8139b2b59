package timers

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ottla/internal/wire/own"
)

// Count implements timer.Timers.
func (f *Family) Count(ctx context.Context, topic string) (int64, error) {
	n, err := f.sum(ctx, own.TimersCount, topic)
	if err != nil {
		return 0, fmt.Errorf("count the timers for %s: %w", topic, err)
	}
	return n, nil
}

// CancelTopic implements timer.Timers.
func (f *Family) CancelTopic(ctx context.Context, topic string) (int64, error) {
	n, err := f.sum(ctx, own.TimersCancelTopic, topic)
	if err != nil {
		return n, fmt.Errorf("cancel the timers for %s: %w", topic, err)
	}
	return n, nil
}

// sum asks all coordinators at once for a number about a topic.
func (f *Family) sum(ctx context.Context, op int8, topic string) (int64, error) {
	t := f.d.Cluster.Image().TopicByName(Topic)
	if t == nil {
		return 0, nil // nobody ever set one
	}
	answers := make([]answer, len(t.Partitions))
	errs := make([]error, len(t.Partitions))
	var wg sync.WaitGroup
	for p := range answers {
		wg.Go(func() {
			answers[p], errs[p] = f.ask(ctx, question{partition: int32(p), op: op, line: topic})
		})
	}
	wg.Wait()
	n := int64(0)
	for _, a := range answers {
		n += a.offset
	}
	return n, errors.Join(errs...)
}
