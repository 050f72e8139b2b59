package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"ottla/internal/event/commit"
	"ottla/test/rig"
)

// ownTool is the tool of steps that no tool of Kafka's can do.
const ownTool = "own"

// own does what a step of ownTool says, and gives its lines.
func (s *side) own(ctx context.Context, args []string) (lines []string, err error) {
	err = fmt.Errorf("there is no step %v", args)
	switch args[0] {
	case "open":
		err = s.transaction(ctx, args[1], args[2], args[3], "")
	case "commit":
		err = s.transaction(ctx, args[1], args[2], args[3], args[4])
	case "ended":
		err = s.ended(ctx, args[1:])
	case "hang":
		err = s.hang(ctx, args[1], args[2])
	case "members":
		err = s.members(ctx, args[1], args[2])
	case "members-leave":
		err = s.membersLeave(ctx, args[1])
	case "members-log":
		lines, err = s.membersLog(ctx, args[1])
	case "streams":
		err = s.streams(ctx, args[1], args[2])
	case "streams-leave":
		err = s.streamsLeave(ctx, args[1])
	case "timed":
		err = s.timed(ctx, args[1])
	case "settled":
		err = s.settled(ctx)
	case "replicas":
		lines, err = s.replicas(ctx, args[1])
	case "generate":
		lines, err = s.generate(ctx, args[1])
	case "stop":
		err = s.leave(ctx, args[1])
	case "kill":
		err = s.lose(ctx, args[1])
	case "start":
		err = s.comeBack(ctx, args[1])
	case "fill":
		err = s.fill(ctx, args[1], args[2])
	case "voters":
		err = s.voters(ctx, args[1], args[2])
	case "behind":
		s.behind, err = strings.Join(args[1:], ""), nil // no topic: all are to be in sync again
	case "dump":
		lines, err = s.dumped(ctx, args[1], args[2], args[3:])
	}
	return append(lines, "done"), err
}

// timed sends three records whose times do not rise: the second is the latest.
func (s *side) timed(ctx context.Context, topic string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.node().Addr), kgo.UnknownTopicRetries(-1)) // it was made a moment ago
	if err != nil {
		return err
	}
	defer c.Close()
	for _, second := range []int64{1, 3, 2} {
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Timestamp: time.Unix(1_700_000_000+second, 0)}).FirstErr(); err != nil {
			return err
		}
	}
	return nil
}

// transaction sends a record in a transaction. It is left open, unless a group
// is named: then it commits offset 1 for the group too.
func (s *side) transaction(ctx context.Context, id, topic, partition, group string) error {
	p, err := strconv.ParseInt(partition, 10, 32)
	if err != nil {
		return fmt.Errorf("a partition: %w", err)
	}
	opts := []kgo.Opt{kgo.SeedBrokers(s.node().Addr), kgo.TransactionalID(id), kgo.TransactionTimeout(10 * time.Minute),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.UnknownTopicRetries(-1), kgo.MaxVersions(kversion.V3_8_0())} // whose epoch does not depend on retries
	c, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.BeginTransaction(); err != nil {
		return err
	}
	record := &kgo.Record{Topic: topic, Partition: int32(p), Value: []byte(id), Timestamp: time.UnixMilli(1_700_000_000_000)}
	if err := c.ProduceSync(ctx, record).FirstErr(); err != nil || group == "" {
		return err
	}
	if err := commit.Known(ctx, c, record); err != nil {
		return err
	}
	if err := commitOffset(ctx, c, id, group, topic, int32(p)); err != nil {
		return err
	}
	return c.EndTransaction(ctx, kgo.TryCommit)
}

// ended waits until the ends of transactions are complete.
func (s *side) ended(ctx context.Context, ids []string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.addrs()...))
	if err != nil {
		return err
	}
	defer c.Close()
	return rig.Ended(ctx, c, ids...)
}

// commitOffset commits offset 1 in the open transaction.
func commitOffset(ctx context.Context, c *kgo.Client, id, group, topic string, partition int32) error {
	producer, epoch, err := c.ProducerID(ctx)
	if err != nil {
		return err
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = id, producer, epoch, group
	added, err := add.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(added.ErrorCode); err != nil {
		return err
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, req.Generation = id, producer, epoch, group, -1
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = topic
	row := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	row.Partition, row.Offset, row.LeaderEpoch, row.Metadata = partition, 1, 0, kmsg.StringPtr("in a transaction")
	t.Partitions = append(t.Partitions, row)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

// hang writes a transactional batch of a producer that no coordinator knows,
// half an hour old, to partition 0 of a topic.
func (s *side) hang(ctx context.Context, id, topic string) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.node().Addr), kgo.MaxVersions(kversion.V2_8_0()))
	if err != nil {
		return err
	}
	defer c.Close()
	req := kmsg.NewPtrProduceRequest()
	req.TransactionID, req.Acks, req.TimeoutMillis = &id, -1, 5000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = hangingBatch(time.Now().Add(-30 * time.Minute))
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

func hangingBatch(at time.Time) []byte {
	r := kmsg.Record{Value: []byte("hangs"), Key: nil}
	body := r.AppendTo(nil)[1:] // without its length, which is a varint of one byte here
	r.Length = int32(len(body))
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: 1 << 4, FirstTimestamp: at.UnixMilli(), MaxTimestamp: at.UnixMilli(),
		ProducerID: 777_000, NumRecords: 1, Records: r.AppendTo(nil),
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// dumped lets kafka-dump-log decode the log of a topic, the partitions of which
// it finds itself, and gives the lines that hold a word; "" is all.
func (s *side) dumped(ctx context.Context, topic, option string, word []string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(s.node().Data, topic+"-*", "*.log"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("there are no files of " + topic)
	}
	slices.Sort(files)
	o, err := s.shell.Run(ctx, "kafka-dump-log", "", option, "--files", strings.Join(files, ","))
	if err != nil {
		return nil, err
	}
	if o.Exit != 0 {
		return nil, fmt.Errorf("kafka-dump-log ended with %d: %s%s", o.Exit, o.Out, o.Err)
	}
	var found []string
	for line := range strings.Lines(o.Out) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| offset") && !strings.HasPrefix(line, "baseOffset") {
			continue
		}
		if len(word) == 0 || strings.Contains(line, word[0]) {
			found = append(found, "out "+maskedLog(line))
		}
	}
	return found, nil
}
