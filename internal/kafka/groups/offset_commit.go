package groups

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// OffsetCommit (8), versions 2-10.
//
// v2 to v4 may say how long to keep the offsets (KIP-211), v6 brings leader
// epochs (KIP-320), v7 static members (KIP-345), v9 GROUP_ID_NOT_FOUND instead
// of ILLEGAL_GENERATION (KIP-848), v10 topic ids (KIP-848). The id of the
// topic is stored in every version, so that a topic that is made anew under
// the name does not inherit the offsets.
func (f *Family) offsetCommitRow() api.API { return api.Late(2, 10, f.offsetCommit) }

// commitSlots tell which rows of an answer belong to a command's partitions.
type commitSlots struct {
	topic      int
	partitions []int
}

func (f *Family) offsetCommit(_ *api.Conn, req *kmsg.OffsetCommitRequest, finish api.Finish) {
	cmd := group.Commit{
		Group: req.Group, MemberID: req.MemberID, InstanceID: req.InstanceID, Generation: req.Generation,
		RetentionMs: -1, TellsNotFound: req.Version >= 9, Version: req.Version,
	}
	if req.Version <= 4 {
		cmd.RetentionMs = req.RetentionTimeMillis
	}
	resp, slots := f.prepareCommit(req, &cmd)
	if len(cmd.Topics) == 0 {
		finish(func() kmsg.Response { return resp })
		return
	}
	f.ask(req.Group, cmd, func(body any, err error) {
		finish(func() kmsg.Response {
			committed(resp, slots, said(body, err))
			return resp
		})
	})
}

// prepareCommit makes the answer with the rows of what is not there refused,
// and puts the rest into the command.
func (f *Family) prepareCommit(req *kmsg.OffsetCommitRequest, cmd *group.Commit) (*kmsg.OffsetCommitResponse, []commitSlots) {
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	img := f.d.Cluster.Image()
	var slots []commitSlots
	for i := range req.Topics {
		asked := &req.Topics[i]
		row := kmsg.NewOffsetCommitResponseTopic()
		row.Topic, row.TopicID = asked.Topic, asked.TopicID
		topic, missing := findTopic(img, req.Version >= 10, asked.Topic, asked.TopicID)
		to, slot := group.CommitTopic{}, commitSlots{topic: i}
		if topic != nil {
			to.Name, to.ID = topic.Name, topic.ID
		}
		for j := range asked.Partitions {
			p := &asked.Partitions[j]
			cell := kmsg.NewOffsetCommitResponseTopicPartition()
			cell.Partition, cell.ErrorCode = p.Partition, int16(missing)
			if topic != nil {
				if hasPartition(topic, p.Partition) {
					to.Partitions = append(to.Partitions, commitPartition(req.Version, p))
					slot.partitions = append(slot.partitions, j)
				} else {
					cell.ErrorCode = int16(wire.UnknownTopicOrPartition)
				}
			}
			row.Partitions = append(row.Partitions, cell)
		}
		resp.Topics = append(resp.Topics, row)
		if len(to.Partitions) > 0 {
			cmd.Topics, slots = append(cmd.Topics, to), append(slots, slot)
		}
	}
	return resp, slots
}

func commitPartition(version int16, p *kmsg.OffsetCommitRequestTopicPartition) group.CommitPartition {
	out := group.CommitPartition{Index: p.Partition, Offset: p.Offset, LeaderEpoch: -1}
	if version >= 6 {
		out.LeaderEpoch = p.LeaderEpoch
	}
	if p.Metadata != nil {
		out.Metadata = *p.Metadata
	}
	return out
}

// committed fills in the codes of what was tried.
func committed(resp *kmsg.OffsetCommitResponse, slots []commitSlots, s api.Said) {
	r, code := reply[group.CommitReply](s)
	for i, slot := range slots {
		for j, p := range slot.partitions {
			cell := &resp.Topics[slot.topic].Partitions[p]
			if cell.ErrorCode = code; code == 0 {
				cell.ErrorCode = int16(r.Codes[i][j])
			}
		}
	}
}

// findTopic finds a topic by name or id; the code tells why there is none.
func findTopic(img *metadata.Image, byID bool, name string, id [16]byte) (*metadata.Topic, wire.Code) {
	if byID {
		if t := img.TopicByID(id); t != nil {
			return t, wire.None
		}
		return nil, wire.UnknownTopicID
	}
	if t := img.TopicByName(name); t != nil {
		return t, wire.None
	}
	return nil, wire.UnknownTopicOrPartition
}

func hasPartition(t *metadata.Topic, index int32) bool {
	return index >= 0 && int(index) < len(t.Partitions)
}
