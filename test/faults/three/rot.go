//go:build linux

package three

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/record"
	"ottla/test/realfault"
	"ottla/test/rig"
)

// bitFlipped flips a bit in a closed segment on a node that is down, and lets that
// node lead the partition: what is damaged is never served (the history tells),
// and is mended with what another replica has.
func bitFlipped(ctx context.Context, s *stage) error {
	file, err := s.closedSegment(ctx)
	if err != nil {
		return err
	}
	s.cluster.Kill(file.node)
	was, err := flip(file.name, s.r.IntN)
	if err == nil {
		err = s.cluster.Start(ctx, file.node)
	}
	if err == nil {
		err = s.lead(ctx, file.partition, file.node)
	}
	if err != nil {
		return err
	}
	return s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		if err := s.readThrough(ctx, file.partition); err != nil {
			return fmt.Sprintf("%s-%d cannot be read to its end: %v", topic, file.partition, err), nil
		}
		return unmended(file.name, was), nil
	})
}

// segment is a file of a node.
type segment struct {
	node      int
	partition int32
	name      string
}

// closedSegment chooses one of the load's that no node writes to any more; it
// waits until there is one.
func (s *stage) closedSegment(ctx context.Context) (segment, error) {
	var out segment
	err := s.until(ctx, wholeWithin, func(context.Context) (string, error) {
		node := s.any()
		var all []segment
		for p := range int32(partitions) {
			names, err := filepath.Glob(filepath.Join(s.cluster.Node(node).Data, topic+"-"+strconv.Itoa(int(p)), "*.log"))
			if err != nil {
				return "", fmt.Errorf("list the segments of node %d: %w", node, err)
			}
			slices.Sort(names)
			for _, name := range names[:max(0, len(names)-1)] {
				all = append(all, segment{node, p, name})
			}
		}
		if len(all) == 0 {
			return "no segment of the load is closed yet", nil
		}
		out = all[s.r.IntN(len(all))]
		return "", nil
	})
	return out, err
}

// leaderEpochAt is where a batch has its leader epoch, which no checksum covers:
// docs/durability.md names its rot as not covered.
const leaderEpochAt, leaderEpochEnd = 12, 16

// flip flips one bit of a segment on disk and gives what was there before. pick
// gives a number below n.
func flip(name string, pick func(n int) int) (was []byte, err error) {
	was, err = os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("flip a bit: %w", err)
	}
	var starts []int
	for rest := was; len(rest) > 0; {
		starts = append(starts, len(was)-len(rest))
		if _, _, rest, err = record.Next(rest); err != nil {
			return nil, fmt.Errorf("flip a bit of %s: %w", name, err)
		}
	}
	if len(starts) == 0 {
		return nil, fmt.Errorf("flip a bit of %s: it is empty", name)
	}
	n := pick(len(starts))
	end := len(was)
	if n+1 < len(starts) {
		end = starts[n+1]
	}
	at := pick(end - starts[n])
	if at >= leaderEpochAt && at < leaderEpochEnd {
		at = leaderEpochEnd
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("flip a bit: %w", err)
	}
	_, err = f.WriteAt([]byte{was[starts[n]+at] ^ 1<<pick(8)}, int64(starts[n]+at))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("flip a bit: %w", err)
	}
	return was, nil
}

// unmended tells what is still wrong with a segment, "" when it is as it was, or
// was fetched anew.
func unmended(name string, was []byte) string {
	b, err := os.ReadFile(name)
	switch {
	case os.IsNotExist(err):
		return ""
	case err != nil:
		return err.Error()
	case bytes.Equal(b, was):
		return ""
	case len(b) == len(was):
		return filepath.Base(name) + " is damaged still"
	}
	for rest := b; len(rest) > 0; {
		var batch []byte
		if _, batch, rest, err = record.Next(rest); err != nil || !record.VerifyCRC(batch) {
			return fmt.Sprintf("%s, which was fetched anew, is damaged: %v", filepath.Base(name), err)
		}
	}
	return ""
}

// lead has a node lead a partition that it has a replica of.
func (s *stage) lead(ctx context.Context, partition int32, node int) error {
	replicas := []int32{int32(node)}
	for _, other := range s.others(node) {
		replicas = append(replicas, int32(other))
	}
	return s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		m, err := rig.Metadata(ctx, s.asks.Broker(node), topic) // which knows best what it leads
		if err != nil {
			return err.Error(), nil
		}
		if leads(m, partition) == node {
			return "", nil
		}
		var req kadm.AlterPartitionAssignmentsReq
		req.Assign(topic, partition, replicas)
		_, err = s.admin.AlterPartitionAssignments(ctx, req)
		if err == nil {
			var which kadm.TopicsSet
			which.Add(topic, partition)
			_, err = s.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, which)
		}
		return fmt.Sprintf("%s-%d is not led by node %d: %v", topic, partition, node, err), nil
	})
}

// readThrough reads a partition from its start to the end that it has now.
func (s *stage) readThrough(ctx context.Context, partition int32) error {
	ends, err := s.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return fmt.Errorf("list the ends: %w", err)
	}
	end, _ := ends.Lookup(topic, partition)
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.cluster.Addrs()...), kgo.KeepControlRecords(), kgo.FetchMaxWait(200*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(0)}}))
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer cl.Close()
	for next := int64(0); next < end.Offset; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) { next = r.Offset + 1 })
		if fetches.NumRecords() == 0 { // refused for now
			if err := realfault.Pause(ctx, 10*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}
