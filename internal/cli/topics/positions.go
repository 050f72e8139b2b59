package topics

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
)

// span is what to read of one partition: offsets from begin up to, not
// including, end (-1: for ever).
type span struct {
	begin, end int64
	done       bool
}

func (s *span) bounded() bool { return s.end >= 0 }

// position is a parsed --from or --until.
type position struct {
	kind   positionKind
	number int64 // offset, or records before the end
	at     time.Time
}

type positionKind int8

const (
	atStart positionKind = iota
	atEnd
	atOffset
	beforeEnd
	atTime
)

// parsePosition reads start, end, 17, -10, @-10m, @2026-11-23T09:00:00Z.
func parsePosition(text string, now time.Time) (position, error) {
	switch text {
	case "start", "earliest", "beginning":
		return position{kind: atStart}, nil
	case "end", "latest":
		return position{kind: atEnd}, nil
	}
	if when, ok := strings.CutPrefix(text, "@"); ok {
		return parseTime(text, when, now)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return position{}, fail.Usagef("position %q is none of start, end, OFFSET, -N, @TIME, @-10m", text)
	case n < 0:
		return position{kind: beforeEnd, number: -n}, nil
	}
	return position{kind: atOffset, number: n}, nil
}

func parseTime(text, when string, now time.Time) (position, error) {
	if ago, err := time.ParseDuration(when); err == nil {
		return position{kind: atTime, at: now.Add(ago)}, nil
	}
	if ms, err := strconv.ParseInt(when, 10, 64); err == nil {
		return position{kind: atTime, at: time.UnixMilli(ms)}, nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, when, time.Local); err == nil {
			return position{kind: atTime, at: t}, nil
		}
	}
	return position{}, fail.Usagef("time in %q is none of 2026-11-23T09:00:00Z, 2026-11-23 09:00, -10m, milliseconds", text)
}

// span resolves --from, --until and --exit to offsets, partition by partition.
func (c *consumeFlags) span(ctx context.Context, a *kadm.Client, topic string) (map[int32]*span, error) {
	now := time.Now()
	from, err := parsePosition(c.from, now)
	if err != nil {
		return nil, err
	}
	starts, ends, err := ask.Offsets(ctx, a, topic)
	if err != nil {
		return nil, err
	}
	if c.committed { // what an open transaction holds back is not there yet
		if ends, err = a.ListCommittedOffsets(ctx, topic); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return nil, ask.KafkaFailure("cannot read the last stable offsets", err)
		}
	}
	if len(ends[topic]) == 0 {
		return nil, ask.TopicFailure("cannot read topic "+topic, topic, ask.ErrUnknownTopic, "")
	}
	begin, err := resolve(ctx, a, topic, from, starts, ends)
	if err != nil {
		return nil, err
	}
	limit := map[int32]int64{}
	if c.until != "" {
		until, err := parsePosition(c.until, now)
		if err != nil {
			return nil, err
		}
		if limit, err = resolve(ctx, a, topic, until, starts, ends); err != nil {
			return nil, err
		}
	}
	out := map[int32]*span{}
	for p, e := range ends[topic] {
		if e.Err != nil {
			return nil, ask.TopicFailure("cannot read topic "+topic, topic, e.Err, "")
		}
		if len(c.partitions) > 0 && !slices.Contains(c.partitions, p) {
			continue
		}
		s := &span{begin: begin[p], end: -1}
		if n, ok := limit[p]; ok {
			s.end = n
		}
		if c.exit && (s.end < 0 || s.end > e.Offset) {
			s.end = e.Offset
		}
		if !s.bounded() || s.begin < s.end {
			out[p] = s
		}
	}
	for _, p := range c.partitions {
		if _, ok := ends[topic][p]; !ok {
			return nil, fail.New(fail.NotFound, "topic "+topic+" has no partition "+strconv.Itoa(int(p)), "",
				"\"ottla topic describe "+topic+"\" shows its partitions")
		}
	}
	return out, nil
}

// resolve turns a position into an offset per partition, kept within the log.
func resolve(ctx context.Context, a *kadm.Client, topic string, at position, starts, ends kadm.ListedOffsets) (map[int32]int64, error) {
	var times kadm.ListedOffsets
	if at.kind == atTime {
		var err error
		if times, err = a.ListOffsetsAfterMilli(ctx, at.at.UnixMilli(), topic); err != nil {
			return nil, ask.KafkaFailure("cannot find the offsets of a time in "+topic, err)
		}
	}
	out := map[int32]int64{}
	for p, e := range ends[topic] {
		start, end := starts[topic][p].Offset, e.Offset
		n := end
		switch at.kind {
		case atStart:
			n = start
		case atOffset:
			n = at.number
		case beforeEnd:
			n = end - at.number
		case atTime:
			if t := times[topic][p]; t.Err == nil && t.Offset >= 0 {
				n = t.Offset
			}
		}
		out[p] = min(max(n, start), max(end, at.number))
	}
	return out, nil
}
