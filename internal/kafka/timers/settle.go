package timers

import (
	"context"
	"fmt"

	"ottla/internal/timer"
)

// NextMs is when the first timer of this node will be due, or was; 0 for none.
func (f *Family) NextMs(ctx context.Context) (first int64, err error) {
	for _, a := range f.d.Timers.Each(ctx, timer.Count{}) {
		if a.Err != nil {
			return 0, fmt.Errorf("ask the coordinator of timers of %s-%d: %w", Topic, a.Partition, a.Err)
		}
		if c, ok := a.Body.(timer.Counted); ok && c.NextMs > 0 && (first == 0 || c.NextMs < first) {
			first = c.NextMs
		}
	}
	return first, nil
}

// Settle looks at the domain clock, which may have been moved, and returns when all
// timers of this node that are due have been appended.
func (f *Family) Settle(ctx context.Context) error {
	if f.d.Cluster.Image().TopicByName(Topic) == nil {
		return nil
	}
	if err := f.d.Timers.SettleAll(ctx); err != nil {
		return fmt.Errorf("wait for the coordinators of timers: %w", err)
	}
	for _, a := range f.d.Timers.Each(ctx, timer.Settle{}) {
		if a.Err != nil {
			return fmt.Errorf("append the timers of %s-%d that are due: %w", Topic, a.Partition, a.Err)
		}
	}
	return nil
}
