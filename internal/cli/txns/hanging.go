package txns

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Hanging is a transaction that is open in a partition and that no coordinator
// will ever end: its records came after its end (KAFKA-12671), or its
// coordinator has forgotten it.
type Hanging struct {
	Topic            string
	Partition        int32
	Producer         int64
	Epoch            int16
	CoordinatorEpoch int32
	First            int64 // offset of its first record
	Last             time.Time
}

// FindHanging looks through the partitions of topics (all that there are when
// none are named) for transactions that have been silent for longer than quiet
// and that no coordinator knows to be open there.
func FindHanging(ctx context.Context, a *kadm.Client, now time.Time, quiet time.Duration, topics ...string) ([]Hanging, error) {
	details, err := a.ListTopicsWithInternal(ctx, topics...)
	if err == nil {
		err = details.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("list the topics: %w", err)
	}
	described, err := a.DescribeProducers(ctx, details.TopicsSet())
	if err != nil && len(described) == 0 {
		return nil, fmt.Errorf("describe the producers: %w", err)
	}
	var out []Hanging
	described.EachProducer(func(p kadm.DescribedProducer) {
		last := time.UnixMilli(p.LastTimestamp)
		if p.CurrentTxnStartOffset >= 0 && now.Sub(last) >= quiet {
			out = append(out, Hanging{Topic: p.Topic, Partition: p.Partition, Producer: p.ProducerID, Epoch: p.ProducerEpoch,
				CoordinatorEpoch: p.CoordinatorEpoch, First: p.CurrentTxnStartOffset, Last: last})
		}
	})
	if len(out) == 0 {
		return nil, nil
	}
	known, err := Read(ctx, a)
	if err != nil {
		return nil, err
	}
	out = slices.DeleteFunc(out, func(h Hanging) bool { return slices.ContainsFunc(known, h.isOf) })
	slices.SortFunc(out, func(a, b Hanging) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.First, b.First))
	})
	return out, nil
}

// isOf tells whether a coordinator's transaction is this one.
func (h Hanging) isOf(t *Transaction) bool {
	return t.Open() && t.Producer == h.Producer && slices.ContainsFunc(t.Partitions, func(p Partition) bool {
		return p.Topic == h.Topic && p.Partition == h.Partition
	})
}
