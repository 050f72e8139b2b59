package commit

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// look is the pause between two looks at what a client knows.
const look = 100 * time.Microsecond

// knownWithin bounds how long a client may take to note what it has written, which is no
// time at all: one that has not by then never will, as its topic is gone.
const knownWithin = 3 * time.Second

// Commit commits the transaction of a client, in which these records were written:
// their results are known. After an error nobody knows whether it is committed.
func Commit(ctx context.Context, c *kgo.Client, written ...*kgo.Record) error {
	if err := c.Flush(ctx); err != nil {
		return fmt.Errorf("wait for what is being written: %w", err)
	}
	if err := Known(ctx, c, written...); err != nil {
		return err
	}
	return c.EndTransaction(ctx, kgo.TryCommit)
}

// Known returns when a client knows the partitions of records, so that EndTransaction
// ends the transaction that they are in; an error where it never will.
func Known(ctx context.Context, c *kgo.Client, written ...*kgo.Record) error {
	ctx, cancel := context.WithTimeout(ctx, knownWithin)
	defer cancel()
	for _, r := range written {
		if err := known(ctx, c, r); err != nil {
			return err
		}
	}
	return nil
}

// known is Known for one.
func known(ctx context.Context, c *kgo.Client, r *kgo.Record) error {
	for {
		if leader, _, _ := c.PartitionLeader(r.Topic, r.Partition); leader >= 0 {
			return nil
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return fmt.Errorf("wait until the client knows %s-%d: %w", r.Topic, r.Partition, ctx.Err())
		}
	}
}
