package queue

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/commit"
	"ottla/internal/event/place"
	"ottla/internal/event/produce"
	"ottla/internal/uuid"
)

// mover writes what it is given to topics, and in the same transaction which
// offsets of the source that was: whoever goes on after a crash knows what is
// done, and only needs to say so to the source. Progress is an offset that a
// group of the mover's own commits for the source, with the offsets of the last
// step as metadata. One goroutine uses it.
type mover struct {
	open  func(opts ...kgo.Opt) (*kgo.Client, error)
	most  func(topic string) int // that a batch may have
	txnID string
	group string
	c     *kgo.Client
	fits  *fits // of c
}

// ready tells that it has begun, and knows what topics take.
func (m *mover) ready() bool { return m.c != nil && !m.fits.outdated() }

// source is the partition that something is moved from.
type source struct {
	topic     string
	id        uuid.UUID
	partition int32
	mark      string // of its offsets, see movedOffsets
}

// mostMoved bounds the offsets of one step, so that they fit into the metadata
// of a committed offset however far they are apart (offset.metadata.max.bytes).
const mostMoved = 250

// begin keeps all earlier movers of the transactional id out, and tells which
// offsets of a topic the last step moved, by partition.
func (m *mover) begin(ctx context.Context, topic, mark string) (map[int32]map[int64]bool, error) {
	m.close()
	m.fits = &fits{most: m.most, told: map[string]int{}}
	c, err := m.open(kgo.TransactionalID(m.txnID), kgo.TransactionTimeout(30*time.Second), kgo.ProducerLinger(0),
		produce.Batches(m.fits.tell), kgo.RecordPartitioner(place.Partitioner()))
	if err != nil {
		return nil, fmt.Errorf("begin to move from %s: %w", topic, err)
	}
	if _, _, err := c.ProducerID(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("begin to move from %s: %w", topic, err)
	}
	moved, err := movedOffsets(ctx, c, m.group, topic, mark)
	if err != nil {
		c.Close()
		return nil, err
	}
	m.c = c
	return moved, nil
}

// movedOffsets are the offsets of a topic that the last step of a mover moved, by
// partition: what a mover's group committed. Those of another mark do not count: the
// mark has the topic's id, which an earlier topic of the name does not have.
func movedOffsets(ctx context.Context, c *kgo.Client, group, topic, mark string) (map[int32]map[int64]bool, error) {
	got, err := kadm.NewClient(c).FetchOffsets(kadm.RequireStable(ctx), group)
	if errors.Is(err, kerr.GroupIDNotFound) {
		err = nil
	}
	out := map[int32]map[int64]bool{}
	got.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic {
			err = errors.Join(err, o.Err)
			out[o.Partition] = readOffsets(mark, o.Metadata)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("look how far the move from %s came: %w", topic, err)
	}
	return out, nil
}

// step writes records and, as progress, the offsets of the source that they are
// of, in one transaction. After an error begin must follow.
func (m *mover) step(ctx context.Context, from source, offsets []int64, records []*kgo.Record) (err error) {
	c := m.c
	if c == nil {
		return errors.New("the mover has not begun")
	}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	if err := c.BeginTransaction(); err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	if err := c.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("write what is moved: %w", err)
	}
	if err := m.commitOffsets(ctx, from, offsets); err != nil {
		return err
	}
	if err := commit.Commit(ctx, c, records...); err != nil {
		return fmt.Errorf("commit what is moved: %w", err)
	}
	return nil
}

// commitOffsets puts the progress into the transaction.
func (m *mover) commitOffsets(ctx context.Context, from source, offsets []int64) error {
	id, epoch, err := m.c.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("note how far the move came: %w", err)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = m.txnID, id, epoch, m.group
	added, err := add.RequestWith(ctx, m.c)
	if err == nil {
		err = kerr.ErrorForCode(added.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("note how far the move came: %w", err)
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, req.Generation = m.txnID, id, epoch, m.group, -1
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	text := writeOffsets(from.mark, offsets)
	p.Partition, p.Offset, p.Metadata = from.partition, offsets[len(offsets)-1]+1, &text
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic, t.TopicID, t.Partitions = from.topic, from.id, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, m.c)
	if err == nil && len(resp.Topics) == 1 && len(resp.Topics[0].Partitions) == 1 {
		err = kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("note how far the move came: %w", err)
	}
	return nil
}

func (m *mover) close() {
	if m.c != nil {
		m.c.Close()
		m.c = nil
	}
}

// offsetsForm begins metadata with offsets of a mark.
func offsetsForm(mark string) string { return "offsets:" + mark + ":" }

// writeOffsets makes metadata of offsets, in order.
func writeOffsets(mark string, offsets []int64) string {
	var b []byte
	last := int64(0)
	for _, o := range offsets {
		b = binary.AppendUvarint(b, uint64(o-last))
		last = o
	}
	return offsetsForm(mark) + base64.RawStdEncoding.EncodeToString(b)
}

// readOffsets is the inverse; what cannot be read, or is of another mark, is no
// offset.
func readOffsets(mark, text string) map[int64]bool {
	text, ok := strings.CutPrefix(text, offsetsForm(mark))
	b, err := base64.RawStdEncoding.DecodeString(text)
	if !ok || err != nil {
		return nil
	}
	out := map[int64]bool{}
	for last := int64(0); len(b) > 0; {
		d, n := binary.Uvarint(b)
		if n <= 0 || len(out) >= 1<<16 {
			return out
		}
		last += int64(d)
		out[last] = true
		b = b[n:]
	}
	return out
}

// msTime is a time in milliseconds since 1970.
func msTime(ms int64) time.Time { return time.UnixMilli(ms) }
