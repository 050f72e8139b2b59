package broker

import (
	"context"
	"fmt"
)

// Settle does one round of all slow chores now, whatever their intervals say,
// and returns when it is done: housekeeping, retention, the expiry of silent
// producers, compaction. It is for a clock that was moved, after Start. Each
// loop does its own part, so nothing runs beside itself. It fails when ctx
// ends or the broker stops.
func (b *Broker) Settle(ctx context.Context) error {
	for _, asks := range b.settling {
		done := make(chan struct{})
		select {
		case asks <- done:
		case <-b.stop:
			return errStopping
		case <-ctx.Done():
			return fmt.Errorf("wait for the chores of the log directories: %w", ctx.Err())
		}
		select {
		case <-done: // a loop that took it up also ends it
		case <-ctx.Done():
			return fmt.Errorf("wait for the chores of the log directories: %w", ctx.Err())
		}
	}
	return nil
}
