package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// seen is what a client sees of a cluster, as lines that can be compared.
type seen struct {
	lines map[string]string
	ends  map[string]map[int32]int64
}

var table = crc64.MakeTable(crc64.ECMA)

// see asks for everything that an import must bring.
func see(ctx context.Context, addr string) (*seen, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	s := &seen{lines: map[string]string{}, ends: map[string]map[int32]int64{}}
	topics, err := adm.ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	for name, t := range topics {
		s.lines["topic "+name] = fmt.Sprintf("id %v, %d partitions", t.ID, len(t.Partitions))
		if err := s.settings(ctx, adm, name); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{plain, compacted, trimmed, ledger} {
		if err := s.records(ctx, addr, adm, name); err != nil {
			return nil, err
		}
	}
	committed, err := adm.FetchOffsets(ctx, groupName)
	if err != nil {
		return nil, fmt.Errorf("fetch the group's offsets: %w", err)
	}
	committed.Each(func(o kadm.OffsetResponse) {
		s.lines[fmt.Sprintf("commit %s-%d", o.Topic, o.Partition)] = fmt.Sprintf("%d %q %v", o.At, o.Metadata, o.Err)
	})
	return s, nil
}

func (s *seen) settings(ctx context.Context, adm *kadm.Client, topic string) error {
	all, err := adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return fmt.Errorf("settings of %s: %w", topic, err)
	}
	var set []string
	for _, r := range all {
		for _, c := range r.Configs {
			if c.Source.String() == "DYNAMIC_TOPIC_CONFIG" && !strings.HasPrefix(c.Key, "internal.") {
				set = append(set, c.Key+"="+c.MaybeValue())
			}
		}
	}
	slices.Sort(set)
	s.lines["settings "+topic] = strings.Join(set, " ")
	return nil
}

// records reads a topic twice: all of it, and what was committed.
func (s *seen) records(ctx context.Context, addr string, adm *kadm.Client, topic string) error {
	starts, err1 := adm.ListStartOffsets(ctx, topic)
	ends, err2 := adm.ListEndOffsets(ctx, topic)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("offsets of %s: %w", topic, err)
	}
	s.ends[topic] = map[int32]int64{}
	for p := range int32(partitions) {
		start, _ := starts.Lookup(topic, p)
		end, _ := ends.Lookup(topic, p)
		s.ends[topic][p] = end.Offset
		s.lines[fmt.Sprintf("offsets %s-%d", topic, p)] = fmt.Sprintf("%d to %d", start.Offset, end.Offset)
		for _, level := range []kgo.IsolationLevel{kgo.ReadUncommitted(), kgo.ReadCommitted()} {
			what := fmt.Sprintf("records %s-%d %v", topic, p, level)
			line, err := readAll(ctx, addr, topic, p, end.Offset, level)
			if err != nil {
				return fmt.Errorf("read %s-%d: %w", topic, p, err)
			}
			s.lines[what] = line
		}
	}
	return nil
}

// readAll sums up every record of a partition up to end; of a compacted topic the
// last of each key, since both sides may compact at any moment. Markers are read
// too, so that there is something at the last offset.
func readAll(ctx context.Context, addr, topic string, partition int32, end int64, level kgo.IsolationLevel) (string, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.FetchIsolationLevel(level), kgo.FetchMaxWait(100*time.Millisecond), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return "", err
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	lines, last := map[string]string{}, int64(-1)
	for last+1 < end {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return "", fmt.Errorf("after offset %d of %d: %w", last, end, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			last = r.Offset
			id := strconv.FormatInt(r.Offset, 10)
			if topic == compacted {
				id = string(r.Key)
			}
			if !r.Attrs.IsControl() {
				lines[id] = fmt.Sprintf("%d %d %d %q %q %q %v\n", r.Offset, r.Timestamp.UnixMilli(), r.ProducerID, r.Key, r.Value, r.Headers, r.Attrs)
			}
		})
	}
	sum := uint64(0)
	for _, id := range slices.Sorted(maps.Keys(lines)) {
		sum = crc64.Update(sum, table, []byte(lines[id]))
	}
	return fmt.Sprintf("%d records up to offset %d, sum %016x", len(lines), last, sum), nil
}

// differ tells every line that is not the same.
func (s *seen) differ(other *seen) error {
	all := maps.Clone(s.lines)
	maps.Copy(all, other.lines)
	var errs []error
	for _, what := range slices.Sorted(maps.Keys(all)) {
		if s.lines[what] != other.lines[what] {
			errs = append(errs, fmt.Errorf("%s: Kafka had %q, Ottla has %q", what, s.lines[what], other.lines[what]))
		}
	}
	return errors.Join(errs...)
}

// goOn checks that the cluster's life goes on where Kafka's ended: records at
// the next offsets, the group at its committed ones.
func goOn(ctx context.Context, addr string, want *seen) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	for topic, ends := range want.ends {
		for p, end := range ends {
			r, err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: p, Key: []byte("next"), Value: []byte("from Ottla")}).First()
			if err != nil {
				return fmt.Errorf("produce to %s-%d: %w", topic, p, err)
			}
			if r.Offset != end {
				return fmt.Errorf("%s-%d: the next record is at offset %d, want %d", topic, p, r.Offset, end)
			}
		}
	}
	group, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumerGroup(groupName), kgo.ConsumeTopics(plain), kgo.DisableAutoCommit())
	if err != nil {
		return err
	}
	defer group.Close()
	first := map[int32]int64{}
	for len(first) < partitions {
		fetches := group.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if _, ok := first[r.Partition]; !ok {
				first[r.Partition] = r.Offset
			}
		})
	}
	for p, offset := range first {
		if offset != int64(5+p) {
			return fmt.Errorf("the group goes on at offset %d of %s-%d, want %d", offset, plain, p, 5+p)
		}
	}
	return nil
}
