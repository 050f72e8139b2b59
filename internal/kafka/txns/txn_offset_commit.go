package txns

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/txn"
	"ottla/internal/wire"
)

// Partitions finds a partition that this node leads, or says with a code why
// there is none.
type Partitions interface {
	ByName(topic []byte, index int32) (*partition.Partition, wire.Code)
}

// TxnOffsetCommit (28), versions 0-6.
//
// v2 brings leader epochs (KIP-320), v3 member, generation and instance
// (KIP-447) and is flexible, v4 knows TRANSACTION_ABORTABLE, v5 puts the group's
// partition of the offsets topic into the transaction by itself (KIP-890), v6
// has topic ids and knows GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH instead of
// ILLEGAL_GENERATION (KIP-1319). Before v5 AddOffsetsToTxn must have done so, and the
// transaction's coordinator is asked whether it has.
func (f *Family) txnOffsetCommitRow() api.API { return api.Late(0, 6, f.txnOffsetCommit) }

const (
	commitKnowsAbortable = 4
	commitAddsImplicitly = 5
	commitByID           = 6
)

// offsetCommit is a TxnOffsetCommit on its way: to the coordinator of the
// transaction, then to that of the group.
type offsetCommit struct {
	f      *Family
	conn   *api.Conn
	req    *kmsg.TxnOffsetCommitRequest
	resp   *kmsg.TxnOffsetCommitResponse
	cmd    group.Commit
	slots  []commitSlot // for each topic of cmd
	finish api.Finish
}

// commitSlot tells which rows of the answer belong to a topic's partitions.
type commitSlot struct {
	topic      int
	partitions []int
}

func (f *Family) txnOffsetCommit(conn *api.Conn, req *kmsg.TxnOffsetCommitRequest, finish api.Finish) {
	c := &offsetCommit{f: f, conn: conn, req: req, resp: req.ResponseKind().(*kmsg.TxnOffsetCommitResponse), finish: finish}
	c.cmd = group.Commit{
		Group: req.Group, MemberID: req.MemberID, InstanceID: req.InstanceID, Generation: req.Generation, RetentionMs: -1,
		TellsNotFound: req.Version >= commitByID, Version: req.Version,
		Txn: &coordinator.Txn{ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch},
	}
	c.prepare(f.o.Cluster.Image())
	switch {
	case len(c.cmd.Topics) == 0:
		c.end()
	case req.Group == "":
		c.fail(wire.InvalidGroupID)
	default:
		c.vouch()
	}
}

// prepare makes the answer with the rows of what is not there refused, and
// puts the rest into the command.
func (c *offsetCommit) prepare(img *metadata.Image) {
	for i := range c.req.Topics {
		asked := &c.req.Topics[i]
		row := kmsg.NewTxnOffsetCommitResponseTopic()
		row.Topic, row.TopicID = asked.Topic, asked.TopicID
		topic, missing := c.topic(img, asked)
		to, slot := group.CommitTopic{}, commitSlot{topic: i}
		if topic != nil {
			to.Name, to.ID = topic.Name, topic.ID
		}
		for j := range asked.Partitions {
			p := &asked.Partitions[j]
			cell := kmsg.NewTxnOffsetCommitResponseTopicPartition()
			cell.Partition, cell.ErrorCode = p.Partition, int16(missing)
			switch {
			case topic == nil:
			case p.Partition < 0 || int(p.Partition) >= len(topic.Partitions):
				cell.ErrorCode = int16(wire.UnknownTopicOrPartition)
			default:
				to.Partitions = append(to.Partitions, offsetOf(c.req.Version, p))
				slot.partitions = append(slot.partitions, j)
			}
			row.Partitions = append(row.Partitions, cell)
		}
		c.resp.Topics = append(c.resp.Topics, row)
		if len(to.Partitions) > 0 {
			c.cmd.Topics, c.slots = append(c.cmd.Topics, to), append(c.slots, slot)
		}
	}
}

// topic finds a topic by name or id; the code tells why there is none.
func (c *offsetCommit) topic(img *metadata.Image, asked *kmsg.TxnOffsetCommitRequestTopic) (*metadata.Topic, wire.Code) {
	if c.req.Version >= commitByID {
		return img.TopicByID(asked.TopicID), wire.UnknownTopicID
	}
	return img.TopicByName(asked.Topic), wire.UnknownTopicOrPartition
}

func offsetOf(version int16, p *kmsg.TxnOffsetCommitRequestTopicPartition) group.CommitPartition {
	out := group.CommitPartition{Index: p.Partition, Offset: p.Offset, LeaderEpoch: -1}
	if version >= 2 {
		out.LeaderEpoch = p.LeaderEpoch
	}
	if p.Metadata != nil {
		out.Metadata = *p.Metadata
	}
	return out
}

// vouch has the transaction's coordinator put the group's partition into the
// transaction, or say that it is there; unless offsets were committed there in
// this transaction before.
func (c *offsetCommit) vouch() {
	tp, err := c.f.offsetsPartition(c.conn, c.req.Group)
	if err != nil {
		c.fail(err)
		return
	}
	p, code := c.f.o.Partitions.ByName([]byte(tp.Topic), tp.Partition)
	if code != wire.None {
		c.fail(code)
		return
	}
	adds := c.req.Version >= commitAddsImplicitly
	if c.cmd.Txn.Guard = p.Guard(c.req.ProducerID, c.req.ProducerEpoch, -1, adds); c.cmd.Txn.Guard == 0 {
		c.commit()
		return
	}
	partitions := []txn.TopicPartition{tp}
	var cmd any = txn.Verify{ID: c.req.TransactionalID, ProducerID: c.req.ProducerID, Epoch: c.req.ProducerEpoch, Partitions: partitions}
	if adds {
		cmd = txn.Add{ID: c.req.TransactionalID, ProducerID: c.req.ProducerID, Epoch: c.req.ProducerEpoch, Version: txn.V2, Partitions: partitions}
	}
	c.f.vouch(c.req.TransactionalID, cmd, func(body any, err error) {
		if code := c.vouched(body, err); code != wire.None {
			c.fail(code)
			return
		}
		c.commit()
	})
}

// vouched reads what the transaction's coordinator said.
func (c *offsetCommit) vouched(body any, err error) wire.Code {
	code := codeOf(err, false) // a group's coordinator knows no PRODUCER_FENCED
	if v, ok := body.(txn.VerifyReply); ok && err == nil && len(v.Codes) == 1 {
		code = v.Codes[0]
	}
	switch {
	case code == wire.TransactionAbortable && c.req.Version < commitKnowsAbortable:
		return wire.InvalidTxnState
	case code == wire.NetworkException:
		return wire.CoordinatorLoadInProgress // consumers look for no other coordinator on it
	}
	return code
}

// commit gives the offsets to the group's coordinator.
func (c *offsetCommit) commit() {
	ctx, cancel := context.WithTimeout(context.Background(), takeUp)
	c.f.o.Groups.Go(ctx, c.req.Group, c.cmd, func(body any, err error) {
		cancel()
		r, ok := body.(group.CommitReply)
		switch {
		case err != nil:
			c.fail(err)
		case !ok:
			c.fail(wire.UnknownServerError)
		default:
			c.each(func(topic, partition int) wire.Code { return r.Codes[topic][partition] })
			c.end()
		}
	})
}

// fail answers everything that was to be committed with one code.
func (c *offsetCommit) fail(err error) {
	code := codeOf(err, true)
	if code == wire.StaleMemberEpoch && c.req.Version < commitByID {
		code = wire.IllegalGeneration
	}
	c.each(func(int, int) wire.Code { return code })
	c.end()
}

// each fills in the codes of what was to be committed.
func (c *offsetCommit) each(code func(topic, partition int) wire.Code) {
	for i, slot := range c.slots {
		for j, p := range slot.partitions {
			c.resp.Topics[slot.topic].Partitions[p].ErrorCode = int16(code(i, j))
		}
	}
}

func (c *offsetCommit) end() { c.finish(func() kmsg.Response { return c.resp }) }
