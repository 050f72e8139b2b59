package dlq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/commit"
	"ottla/internal/event/letter"
)

// Producing are the options of a client that puts letters of a topic back. Of two
// at once the later keeps the earlier out.
func Producing(topic string) []kgo.Opt {
	return []kgo.Opt{kgo.TransactionalID(GroupOf(topic)), kgo.RecordPartitioner(Partitioner()), kgo.TransactionTimeout(time.Minute)}
}

// begin keeps all who put letters of the topic back before out, and reads then how
// far they came.
func (q *Queue) begin(ctx context.Context, c *kgo.Client, a *kadm.Client) error {
	if _, _, err := c.ProducerID(ctx); err != nil {
		return fmt.Errorf("begin to put letters of %s back: %w", q.Topic, err)
	}
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &q.Topic
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, c)
	if err == nil && len(resp.Topics) == 1 {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil || len(resp.Topics) != 1 {
		return fmt.Errorf("ask for the topic %s: %w", q.Topic, err)
	}
	q.id = resp.Topics[0].TopicID
	committed, err := a.FetchOffsets(kadm.RequireStable(ctx), GroupOf(q.Topic))
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("read how far %s was put back: %w", q.Topic, err)
	}
	for _, p := range q.Parts {
		if err := p.heed(q.Topic, committed); err != nil {
			return err
		}
	}
	return nil
}

// together puts letters back, and keeps that they are, in one transaction. Where
// records cannot be written, it tells which, and nothing is done.
func (d *Redrive) together(ctx context.Context, q *Queue, of map[*kgo.Record]*letter.Letter) (failed map[*kgo.Record]error, err error) {
	if err := d.Client.BeginTransaction(); err != nil {
		return nil, fmt.Errorf("begin a transaction: %w", err)
	}
	end := context.WithoutCancel(ctx)                                    // what is begun is ended also by a redrive that is told to end
	out := slices.SortedFunc(maps.Keys(of), func(a, b *kgo.Record) int { // in the order in which they were given up
		return cmp.Or(cmp.Compare(of[a].Partition, of[b].Partition), cmp.Compare(of[a].Offset, of[b].Offset))
	})
	failed = map[*kgo.Record]error{}
	for _, p := range d.Client.ProduceSync(ctx, out...) {
		if p.Err != nil {
			failed[p.Record] = p.Err
		}
	}
	after := map[int32]*Progress{}
	if len(failed) == 0 {
		after = q.after(of)
		err = d.keep(end, q, after)
	}
	if len(failed) > 0 || err != nil {
		if aborted := d.Client.EndTransaction(end, kgo.TryAbort); aborted != nil {
			return nil, fmt.Errorf("take back what was not written whole: %w", errors.Join(err, aborted))
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return failed, err
	}
	if err := commit.Commit(end, d.Client, out...); err != nil {
		return nil, fmt.Errorf("commit what was put back: %w", err)
	}
	for n, p := range after {
		q.part(n).Progress = p
	}
	return nil, nil
}

// after is the progress of partitions when letters are put back.
func (q *Queue) after(letters map[*kgo.Record]*letter.Letter) map[int32]*Progress {
	out := map[int32]*Progress{}
	for _, l := range letters {
		if out[l.Partition] == nil {
			out[l.Partition] = q.part(l.Partition).Progress.clone()
		}
		out[l.Partition].Add(l.Offset, l.Offset+1)
	}
	return out
}

// keep puts the progress of partitions into the transaction. Offsets before the
// first letter that is left are done with it.
func (d *Redrive) keep(ctx context.Context, q *Queue, after map[int32]*Progress) error {
	group, id := GroupOf(q.Topic), GroupOf(q.Topic)
	producer, epoch, err := d.Client.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("keep how far %s was put back: %w", q.Topic, err)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = id, producer, epoch, group
	added, err := add.RequestWith(ctx, d.Client)
	if err == nil {
		err = kerr.ErrorForCode(added.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("keep how far %s was put back: %w", q.Topic, err)
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, req.Generation = id, producer, epoch, group, -1
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic, t.TopicID = q.Topic, q.id
	for n, p := range after {
		p.Add(0, q.part(n).Start) // what retention took is done too
		text, err := p.metadata()
		if err != nil {
			return err
		}
		row := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		row.Partition, row.Offset, row.Metadata = n, p.Next, &text
		t.Partitions = append(t.Partitions, row)
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, d.Client)
	if err != nil {
		return fmt.Errorf("keep how far %s was put back: %w", q.Topic, err)
	}
	for _, t := range resp.Topics {
		for _, row := range t.Partitions {
			if err := kerr.ErrorForCode(row.ErrorCode); err != nil {
				return fmt.Errorf("keep how far %s-%d was put back: %w", q.Topic, row.Partition, err)
			}
		}
	}
	return nil
}
