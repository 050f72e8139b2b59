package client

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/history"
)

// assign opens a consumer of all partitions, from offset 0 on.
func (c *Cluster) assign(committed bool) (*kgo.Client, int32, error) {
	from := make(map[int32]kgo.Offset)
	process := c.History.Process()
	op := history.Op{Process: process, Kind: history.Assign, Outcome: history.OK, Start: c.History.Now()}
	for p := range c.Partitions {
		from[p] = kgo.NewOffset().At(0)
		op.Positions = append(op.Positions, history.Position{Partition: c.partition(p), Offset: 0})
	}
	cl, err := c.open(isolation(committed), kgo.KeepControlRecords(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.Topic: from}),
		kgo.FetchMaxWait(200*time.Millisecond))
	op.End = c.History.Now()
	if err == nil {
		c.History.Add(op)
	}
	return cl, process, err
}

func isolation(committed bool) kgo.Opt {
	if committed {
		return kgo.FetchIsolationLevel(kgo.ReadCommitted())
	}
	return kgo.FetchIsolationLevel(kgo.ReadUncommitted())
}

// read polls by assignment until ctx ends. Every lifetime it crashes and begins
// anew at the start.
func (c *Cluster) read(ctx context.Context, committed bool, lifetime time.Duration) error {
	for ctx.Err() == nil {
		cl, process, err := c.assign(committed)
		if err != nil {
			return err
		}
		life, cancel := context.WithTimeout(ctx, lifetime)
		for life.Err() == nil {
			c.poll(life, cl, process, committed, false)
		}
		cancel()
		start := c.History.Now()
		cl.Close()
		c.History.Add(history.Op{Process: process, Kind: history.Crash, Outcome: history.OK, Start: start, End: c.History.Now()})
	}
	return nil
}

// poll polls once and returns the next offsets of what was read.
func (c *Cluster) poll(ctx context.Context, cl *kgo.Client, process int32, committed, final bool) map[int32]int64 {
	op := history.Op{Process: process, Kind: history.Poll, Outcome: history.OK, Start: c.History.Now(), Committed: committed, Final: final}
	fetches := cl.PollRecords(ctx, 2000)
	next := make(map[int32]int64)
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if f.Err != nil {
			op.Error = f.Err.Error()
		}
		if len(f.Records) == 0 {
			return
		}
		m := history.Micro{Kind: history.Poll, Partition: c.partition(f.Partition),
			Marks: &history.Marks{LogStart: f.LogStartOffset, LastStable: f.LastStableOffset, High: f.HighWatermark, LogEnd: -1}}
		for _, r := range f.Records {
			next[r.Partition] = r.Offset + 1
			if !r.Attrs.IsControl() { // a marker, which shows only how far was read
				m.Records = append(m.Records, history.Record{r.Offset, Decode(r.Value)})
			}
		}
		op.Micro = append(op.Micro, m)
	})
	if len(op.Micro) > 0 || final {
		op.End = c.History.Now()
		c.History.Add(op)
	}
	return next
}

// finalSilence is how long a final read waits for something to come. How long all
// of it takes is a matter of how much there is, and of the machine.
const finalSilence = time.Minute

// final reads everything once more, to the end that the broker names now.
func (c *Cluster) final(ctx context.Context, committed bool) error {
	cl, process, err := c.assign(committed)
	if err != nil {
		return err
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, c.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("list the ends of %s: %w", c.Topic, err)
	}
	left := make(map[int32]int64)
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	for len(left) > 0 {
		one, cancel := context.WithTimeout(ctx, finalSilence)
		read := c.poll(one, cl, process, committed, true)
		cancel()
		if len(read) == 0 && one.Err() != nil {
			return fmt.Errorf("%d partitions of %s cannot be read to their end: %w", len(left), c.Topic, one.Err())
		}
		for p, next := range read {
			if next >= left[p] {
				delete(left, p)
			}
		}
	}
	return nil
}
