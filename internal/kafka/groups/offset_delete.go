package groups

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/wire"
)

// OffsetDelete (47), version 0 (KIP-496). A topic that a member reads keeps
// its offsets (GROUP_SUBSCRIBED_TO_TOPIC).
func (f *Family) offsetDeleteRow() api.API { return api.Late(0, 0, f.offsetDelete) }

func (f *Family) offsetDelete(_ *api.Conn, req *kmsg.OffsetDeleteRequest, finish api.Finish) {
	resp := req.ResponseKind().(*kmsg.OffsetDeleteResponse)
	cmd, img := group.DeleteOffsets{Group: req.Group}, f.d.Cluster.Image()
	var slots []commitSlots
	for i := range req.Topics {
		asked := &req.Topics[i]
		row := kmsg.NewOffsetDeleteResponseTopic()
		row.Topic = asked.Topic
		topic := img.TopicByName(asked.Topic)
		to, slot := group.DeleteTopic{Name: asked.Topic}, commitSlots{topic: i}
		for j := range asked.Partitions {
			p := asked.Partitions[j].Partition
			cell := kmsg.NewOffsetDeleteResponseTopicPartition()
			cell.Partition = p
			if topic != nil && hasPartition(topic, p) {
				to.Partitions, slot.partitions = append(to.Partitions, p), append(slot.partitions, j)
			} else {
				cell.ErrorCode = int16(wire.UnknownTopicOrPartition)
			}
			row.Partitions = append(row.Partitions, cell)
		}
		resp.Topics = append(resp.Topics, row)
		if len(to.Partitions) > 0 {
			cmd.Topics, slots = append(cmd.Topics, to), append(slots, slot)
		}
	}
	if len(cmd.Topics) == 0 {
		finish(func() kmsg.Response { return resp })
		return
	}
	f.ask(req.Group, cmd, func(body any, err error) {
		finish(func() kmsg.Response {
			deleted(resp, slots, said(body, err))
			return resp
		})
	})
}

// deleted fills in the codes; an error of the whole leaves no rows.
func deleted(resp *kmsg.OffsetDeleteResponse, slots []commitSlots, s api.Said) {
	r, code := reply[group.DeleteOffsetsReply](s)
	if code != 0 {
		resp.ErrorCode, resp.Topics = code, nil
		return
	}
	for i, slot := range slots {
		for j, p := range slot.partitions {
			resp.Topics[slot.topic].Partitions[p].ErrorCode = int16(r.Codes[i][j])
		}
	}
}
