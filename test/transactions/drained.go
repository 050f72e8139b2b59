package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/realfault"
)

// intake is a topic and the group that is to take all of it.
type intake struct{ group, topic string }

// intakes are in the order in which they run dry: where mid ends is known when
// the first group has nothing left.
var intakes = []intake{{groupOne, topicIn}, {groupTwo, topicMid}}

// lookWithin bounds one look at what is left.
const lookWithin = 15 * time.Second

// drained waits until the groups have taken everything there is. That workers
// have nothing to read shows nothing: one that waits for its place in its group
// has nothing to read either, for as long as the session of who had it before.
func (s *stage) drained(ctx context.Context) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.proxy.address()), kgo.AlwaysRetryEOF())
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, drainWithin)
	defer cancel()
	return dry(ctx, c, intakes)
}

func dry(ctx context.Context, c *kgo.Client, all []intake) error {
	for i := 0; i < len(all); {
		if left, err := all[i].left(ctx, c); err == nil && len(left) == 0 {
			i++
			continue
		}
		if err := realfault.Pause(ctx, 200*time.Millisecond); err != nil {
			return fmt.Errorf("the groups do not take everything in time: %s: %w", whatIsLeft(context.WithoutCancel(ctx), c, all), err)
		}
	}
	return nil
}

// whatIsLeft tells, for a failure, what is left where, and how the groups are.
func whatIsLeft(ctx context.Context, c *kgo.Client, all []intake) string {
	var out []string
	for _, in := range all {
		left, err := in.left(ctx, c)
		if err != nil {
			left = append(left, err.Error())
		}
		look, cancel := context.WithTimeout(ctx, lookWithin)
		groups, err := kadm.NewClient(c).ListGroups(look)
		cancel()
		state := groups[in.group].State
		if err != nil {
			state = err.Error()
		}
		out = append(out, fmt.Sprintf("group %s (%s) of topic %s: %s", in.group, state, in.topic, strings.Join(left, ", ")))
	}
	return strings.Join(out, "; ")
}

// left tells of each partition what the group has not taken: records behind what
// it has committed that a reader of committed records sees, or a transaction
// that may still become such records.
func (in intake) left(ctx context.Context, c *kgo.Client) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	admin := kadm.NewClient(c)
	held, err := heldBack(ctx, admin, in.topic)
	if err != nil {
		return nil, fmt.Errorf("list the offsets of %s: %w", in.topic, err)
	}
	if len(held) > 0 {
		return []string{"held back: " + strings.Join(held, ", ")}, nil
	}
	ends, err := admin.ListEndOffsets(ctx, in.topic)
	if err := errors.Join(err, ends.Error()); err != nil {
		return nil, fmt.Errorf("list the ends of %s: %w", in.topic, err)
	}
	taken, err := admin.FetchOffsets(ctx, in.group)
	if err := errors.Join(err, taken.Error()); err != nil {
		return nil, fmt.Errorf("read what group %s has committed: %w", in.group, err)
	}
	behind := map[int32]span{}
	ends.Each(func(e kadm.ListedOffset) {
		o, _ := taken.Lookup(e.Topic, e.Partition) // at 0 where nothing is committed
		if at := max(o.At, 0); at < e.Offset {
			behind[e.Partition] = span{at, e.Offset}
		}
	})
	return in.unread(ctx, c, behind)
}

// span is what lies from an offset to another.
type span struct{ from, to int64 }

// unread reads spans as a reader of committed records does, each to its first
// record, and tells of those that have one. Transactions are over there, so a
// span without records ends with a marker.
func (in intake) unread(ctx context.Context, c *kgo.Client, spans map[int32]span) (out []string, err error) {
	if len(spans) == 0 {
		return nil, nil
	}
	from := map[int32]kgo.Offset{}
	for p, s := range spans {
		from[p] = kgo.NewOffset().At(s.from)
	}
	r, err := kgo.NewClient(append(c.Opts(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{in.topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return nil, fmt.Errorf("make a reader of %s: %w", in.topic, err)
	}
	defer r.Close()
	for len(spans) > 0 {
		fetches := r.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %w", in.topic, err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			s, open := spans[rec.Partition]
			if open && rec.Offset < s.to && !rec.Attrs.IsControl() {
				out = append(out, fmt.Sprintf("%s is taken up to %d of %d, and not the record at %d", partitionName(in.topic, rec.Partition), s.from, s.to, rec.Offset))
			}
			if open && (rec.Offset+1 >= s.to || !rec.Attrs.IsControl()) {
				delete(spans, rec.Partition)
			}
		})
	}
	slices.Sort(out)
	return out, nil
}
