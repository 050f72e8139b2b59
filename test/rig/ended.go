package rig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	endsWithin = time.Minute
	lookPause  = 20 * time.Millisecond
)

// Ended waits until the ends of transactions are complete: Kafka answers EndTxn
// before all markers are written.
func Ended(ctx context.Context, c *kgo.Client, ids ...string) error {
	ctx, cancel := context.WithTimeout(ctx, endsWithin)
	defer cancel()
	look := time.NewTicker(lookPause)
	defer look.Stop()
	for {
		all, err := kadm.NewClient(c).DescribeTransactions(ctx, ids...)
		open := slices.ContainsFunc(all.Sorted(), func(t kadm.DescribedTransaction) bool { return t.Err != nil || !strings.HasPrefix(t.State, "Complete") })
		if err == nil && len(all) == len(ids) && !open {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("transactions have not ended: %v: %w", all, errors.Join(err, ctx.Err()))
		}
	}
}
