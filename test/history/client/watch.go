package client

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/test/history"
)

// watchEnds reads the ends of the partitions, again and again until ctx ends.
func (c *Cluster) watchEnds(ctx context.Context, every time.Duration) error {
	return c.watch(ctx, every, c.ends)
}

// watchGroup reads a group's committed offsets, again and again until ctx ends.
func (c *Cluster) watchGroup(ctx context.Context, group string, every time.Duration) error {
	return c.watch(ctx, every, func(ctx context.Context, admin *kadm.Client, process int32) {
		c.committed(ctx, admin, process, group)
	})
}

func (c *Cluster) watch(ctx context.Context, every time.Duration, look func(context.Context, *kadm.Client, int32)) error {
	cl, err := c.open()
	if err != nil {
		return err
	}
	defer cl.Close()
	admin, process := kadm.NewClient(cl), c.History.Process()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		one, cancel := context.WithTimeout(ctx, 5*time.Second)
		look(one, admin, process)
		cancel()
	}
}

// ends asks for the last stable offset first: both only rise, so the order of
// the answers is the order of the marks.
func (c *Cluster) ends(ctx context.Context, admin *kadm.Client, process int32) {
	op := history.Op{Process: process, Kind: history.Ends, Outcome: history.OK, Start: c.History.Now()}
	stable, err := admin.ListCommittedOffsets(ctx, c.Topic)
	if err != nil || stable.Error() != nil {
		return
	}
	high, err := admin.ListEndOffsets(ctx, c.Topic)
	if err != nil || high.Error() != nil {
		return
	}
	op.End = c.History.Now()
	for p := range c.Partitions {
		s, ok := stable.Lookup(c.Topic, p)
		h, also := high.Lookup(c.Topic, p)
		if ok && also {
			op.Micro = append(op.Micro, history.Micro{Kind: history.Poll, Partition: c.partition(p),
				Marks: &history.Marks{LogStart: -1, LastStable: s.Offset, High: h.Offset, LogEnd: -1}})
		}
	}
	c.History.Add(op)
}

func (c *Cluster) committed(ctx context.Context, admin *kadm.Client, process int32, group string) {
	op := history.Op{Process: process, Kind: history.Committed, Outcome: history.OK, Start: c.History.Now(), Group: group}
	got, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return
	}
	op.End = c.History.Now()
	for p := range c.Partitions {
		if o, ok := got.Lookup(c.Topic, p); ok && o.Err == nil {
			op.Positions = append(op.Positions, history.Position{Partition: c.partition(p), Offset: o.At})
		}
	}
	if len(op.Positions) > 0 {
		c.History.Add(op)
	}
}
