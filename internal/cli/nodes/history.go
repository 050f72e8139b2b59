package nodes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/wire/own"
)

// History asks why a partition is as it is; nil where the cluster does not tell,
// as Kafka's do not.
func History(ctx context.Context, cl *kgo.Client, topic string, index int32) (*own.History, error) {
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	t := kmsg.NewDescribeTopicPartitionsRequestTopic()
	t.Topic = topic
	own.AskHistory(&t.UnknownTags, index)
	req.Topics = append(req.Topics, t)
	cursor := kmsg.NewDescribeTopicPartitionsRequestCursor()
	cursor.Topic, cursor.Partition = topic, index
	req.Cursor, req.ResponsePartitionLimit = &cursor, 1
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, fmt.Errorf("ask why %s-%d is as it is: %w", topic, index, err)
	}
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if p := &resp.Topics[i].Partitions[j]; p.Partition == index {
				h, err := own.ReadHistory(&p.UnknownTags)
				if err == nil && h != nil {
					err = untold(&h.Told)
				}
				return h, err
			}
		}
	}
	return nil, nil
}

// untold is why the controller does not tell; nil when it does.
func untold(t *own.Told) error {
	if t.ErrorCode == 0 {
		return nil
	}
	return fmt.Errorf("the controller does not tell: %s: %w", t.ErrorMessage, kerr.ErrorForCode(t.ErrorCode))
}

// Change is one change of a partition, for programs.
type Change struct {
	At          string  `json:"at"`
	Why         string  `json:"why"`
	From        int32   `json:"from"`
	To          int32   `json:"to"`
	LeaderEpoch int32   `json:"leader_epoch"`
	WasInSync   []int32 `json:"was_in_sync"`
	InSync      []int32 `json:"in_sync"`
	Eligible    []int32 `json:"eligible"`
	Unclean     bool    `json:"unclean"`
}

// Changes are those of a history, oldest first.
func Changes(h *own.History) []Change {
	out := []Change{}
	for i := range h.Changes {
		c := &h.Changes[i]
		out = append(out, Change{
			At: time.UnixMilli(c.AtMs).UTC().Format(time.RFC3339Nano), Why: c.Why, From: c.From, To: c.To, LeaderEpoch: c.LeaderEpoch,
			WasInSync: some(c.WasISR), InSync: some(c.ISR), Eligible: some(c.ELR), Unclean: c.Unclean,
		})
	}
	return out
}

func some(list []int32) []int32 { return append([]int32{}, list...) }

// Told tells a history to people, oldest first; times are UTC, with their date
// where it is not today's.
func Told(h *own.History, now time.Time) []string {
	layout := func(ms int64) string {
		if time.UnixMilli(ms).UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
			return time.TimeOnly
		}
		return time.DateTime
	}
	since := time.UnixMilli(h.SinceMs).UTC().Format(layout(h.SinceMs))
	begin := fmt.Sprintf("node %d became the controller at %s", h.Node, since)
	if len(h.Changes) == 0 {
		return []string{"nothing has changed since " + begin + " (UTC); what was before that is not known"}
	}
	var out []string
	for i := range h.Changes {
		c := &h.Changes[i]
		r := controller.Reason{
			At: time.UnixMilli(c.AtMs), Why: c.Why, From: c.From, To: c.To, LeaderEpoch: c.LeaderEpoch,
			WasISR: c.WasISR, ISR: c.ISR, ELR: c.ELR, Unclean: c.Unclean,
		}
		out = append(out, r.Tell(layout(c.AtMs)))
	}
	at := slices.IndexFunc(h.Changes, func(c own.Change) bool { return c.AtMs >= h.SinceMs })
	switch {
	case at == 0:
		begin += " (times are UTC); what was before that is not known"
	case at < 0:
		at = len(out)
		fallthrough
	default:
		begin += " again (times are UTC); what others decided in between is not known"
	}
	return slices.Insert(out, at, begin)
}
