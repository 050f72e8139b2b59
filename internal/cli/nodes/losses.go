package nodes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire/own"
)

// Losses asks which partitions have leaders that may lack records which were
// acknowledged; nil where the cluster does not tell, as Kafka's do not.
func Losses(ctx context.Context, cl *kgo.Client) (*own.Losses, error) {
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	req.ResponsePartitionLimit = 1
	own.AskLosses(&req.UnknownTags)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, fmt.Errorf("ask which partitions may have lost records: %w", err)
	}
	l, err := own.ReadLosses(&resp.UnknownTags)
	if err == nil && l != nil {
		err = untold(&l.Told)
	}
	return l, err
}

// Loss is a partition whose leader may lack records, for programs.
type Loss struct {
	Topic     string  `json:"topic"`
	Partition int32   `json:"partition"`
	At        string  `json:"at"`
	Why       string  `json:"why"`
	Leader    int32   `json:"leader"`
	Others    []int32 `json:"others"` // that may have the records
}

// LossesByTopic are those of the topics that there are, with the replicas that may
// have what is missing: all but the one that led from that moment on.
func LossesByTopic(f *Facts, l *own.Losses) map[string][]Loss {
	out := map[string][]Loss{}
	for i := range l.Losses {
		one := &l.Losses[i]
		p := f.Partition(one.Topic, one.Partition)
		if p == nil {
			continue
		}
		out[one.Topic] = append(out[one.Topic], Loss{
			Topic: one.Topic, Partition: one.Partition, At: time.UnixMilli(one.AtMs).UTC().Format(time.RFC3339), Why: one.Why, Leader: one.To,
			Others: slices.DeleteFunc(some(p.Replicas), func(id int32) bool { return id == one.To }),
		})
	}
	return out
}

// Tell says in one line what happened, and what can be done.
func (l *Loss) Tell() string {
	text := fmt.Sprintf("%s-%d may lack records since %s, when node %d went on as its leader: %s.", l.Topic, l.Partition, l.At, l.Leader, l.Why)
	if len(l.Others) == 0 {
		return text + " It has no other replica now"
	}
	return text + fmt.Sprintf(" What is missing is on no disk but those of node %s: copy the data directory of one that has been away before it starts again (\"ottla log dump\" reads it), for it cuts off what its leader does not have", ids(l.Others))
}
