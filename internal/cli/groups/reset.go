package groups

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Move is what a reset does to one partition.
type Move struct {
	TopicPartition
	From, To int64 // From is -1 when nothing was committed
	// Replayed and Skipped are the records between the two; one of them is 0.
	Replayed, Skipped int64
	Clamped           bool // To was moved into the log
}

// Target gives the new offset of a partition; ok is false to leave it alone.
type Target func(p Partition) (to int64, ok bool)

// Plan works out a reset of partitions to targets. Offsets are kept within the
// log, as Kafka does. What was committed nowhere counts as read from nowhere:
// it replays and skips nothing.
func Plan(partitions []Partition, target Target) []Move {
	var out []Move
	for _, p := range partitions {
		to, ok := target(p)
		if !ok || p.Start < 0 || p.End < 0 {
			continue
		}
		m := Move{TopicPartition: p.TopicPartition, From: p.Committed, To: min(max(to, p.Start), p.End)}
		m.Clamped = m.To != to
		if p.Committed >= 0 {
			from := min(max(p.Committed, p.Start), p.End)
			m.Replayed, m.Skipped = max(0, from-m.To), max(0, m.To-from)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Move) int { return compare(a.TopicPartition, b.TopicPartition) })
	return out
}

// offsetsOf are the offsets that moves lead to.
func offsetsOf(moves []Move) kadm.Offsets {
	offsets := kadm.Offsets{}
	for _, m := range moves {
		offsets.AddOffset(m.Topic, m.Partition, m.To, -1)
	}
	return offsets
}

// Commit does what was planned. The group must have no members.
func Commit(ctx context.Context, a *kadm.Client, group string, moves []Move) error {
	answers, err := a.CommitOffsets(ctx, group, offsetsOf(moves))
	if err != nil {
		return fmt.Errorf("commit the offsets of group %s: %w", group, err)
	}
	var failed []error
	for _, r := range answers.Sorted() {
		if r.Err != nil {
			failed = append(failed, fmt.Errorf("%s-%d: %w", r.Topic, r.Partition, r.Err))
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("commit the offsets of group %s: %w", group, errors.Join(failed...))
	}
	return nil
}

// Start does what was planned with a share group, which must have no members:
// its share-partitions start anew, all above is free, and what was said of it
// is forgotten.
func Start(ctx context.Context, a *kadm.Client, group string, moves []Move) error {
	answers, err := a.AlterShareGroupOffsets(ctx, group, offsetsOf(moves))
	if err != nil {
		return fmt.Errorf("move where group %s stands: %w", group, err)
	}
	var failed []error
	answers.EachError(func(topic string, partition int32, err error) {
		failed = append(failed, fmt.Errorf("%s-%d: %w", topic, partition, err))
	})
	if len(failed) > 0 {
		return fmt.Errorf("move where group %s stands: %w", group, errors.Join(failed...))
	}
	return nil
}

// Forget deletes offsets of a group and tells of each partition how that went. A
// share group forgets a topic whole or not at all.
func Forget(ctx context.Context, a *kadm.Client, g *Group, gone kadm.TopicsSet) (kadm.DeleteOffsetsResponses, error) {
	if g.Type != "share" {
		answers, err := a.DeleteOffsets(ctx, g.Name, gone)
		if err != nil {
			return nil, fmt.Errorf("delete offsets of group %s: %w", g.Name, err)
		}
		return answers, nil
	}
	for _, p := range g.Partitions {
		if parts := gone[p.Topic]; parts != nil && p.Committed >= 0 && !gone.Lookup(p.Topic, p.Partition) {
			return nil, fmt.Errorf("group %s is a share group, which forgets %s whole or not at all: name it without partitions", g.Name, p.Topic)
		}
	}
	said, err := a.DeleteShareGroupOffsets(ctx, g.Name, gone.Topics()...)
	if err != nil {
		return nil, fmt.Errorf("delete where group %s stands: %w", g.Name, err)
	}
	answers := kadm.DeleteOffsetsResponses{}
	for topic, parts := range gone {
		answers[topic] = map[int32]error{}
		for p := range parts {
			answers[topic][p] = said[topic]
		}
	}
	return answers, nil
}

// maxLines bounds a file of offsets.
const maxLines = 1_000_000

// ReadCSV reads topic,partition,offset lines, the form that Kafka's tool
// exports; with group,topic,partition,offset lines only those of the given
// group are taken.
func ReadCSV(r io.Reader, group string) (map[TopicPartition]int64, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	out := map[TopicPartition]int64{}
	for line := 1; line <= maxLines; line++ {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the offsets: %w", err)
		}
		if len(fields) == 4 {
			if strings.Trim(fields[0], `"`) != group {
				continue
			}
			fields = fields[1:]
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d has %d fields, want topic,partition,offset", line, len(fields))
		}
		partition, badPartition := strconv.ParseInt(fields[1], 10, 32)
		offset, badOffset := strconv.ParseInt(fields[2], 10, 64)
		if badPartition != nil || badOffset != nil {
			if line == 1 {
				continue // column names
			}
			return nil, fmt.Errorf("line %d: partition %q and offset %q are not numbers", line, fields[1], fields[2])
		}
		out[TopicPartition{fields[0], int32(partition)}] = offset
	}
	return nil, fmt.Errorf("the file has more than %d lines", maxLines)
}

// Select reads TOPIC or TOPIC:0,1 words and tells which partitions they name;
// without words all are.
func Select(words []string) (func(TopicPartition) bool, error) {
	if len(words) == 0 {
		return func(TopicPartition) bool { return true }, nil
	}
	type rule struct {
		topic      string
		partitions []int32
	}
	var rules []rule
	for _, w := range words {
		topic, list, some := strings.Cut(w, ":")
		r := rule{topic: topic}
		if some {
			for n := range strings.SplitSeq(list, ",") {
				p, err := strconv.ParseInt(strings.TrimSpace(n), 10, 32)
				if err != nil {
					return nil, fmt.Errorf("%s: %q is not a partition's number", w, n)
				}
				r.partitions = append(r.partitions, int32(p))
			}
		}
		rules = append(rules, r)
	}
	return func(p TopicPartition) bool {
		return slices.ContainsFunc(rules, func(r rule) bool {
			return r.topic == p.Topic && (r.partitions == nil || slices.Contains(r.partitions, p.Partition))
		})
	}, nil
}
