package groups

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// OffsetFetch (9), versions 1-10.
//
// v2 brings all offsets at once (null topics) and a code for the whole, v5
// leader epochs (KIP-320), v7 require_stable (KIP-447), v8 many groups
// (KIP-709), v9 a member's id and epoch, which consumer groups heed
// (KIP-848), v10 topic ids. An offset of an older topic of the same name is
// not given in any version.
func (f *Family) offsetFetchRow() api.API { return api.Late(1, 10, f.offsetFetch) }

func (f *Family) offsetFetch(_ *api.Conn, req *kmsg.OffsetFetchRequest, finish api.Finish) {
	img := f.d.Cluster.Image()
	asked := req.Groups
	if req.Version < 8 {
		asked = []kmsg.OffsetFetchRequestGroup{oneGroup(req)}
	}
	api.Gather(len(asked), func(i int, done func(any, error)) {
		f.ask(asked[i].Group, fetchCommand(img, req, &asked[i]), done)
	}, func(all []api.Said) {
		finish(func() kmsg.Response {
			resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
			for i := range asked {
				resp.Groups = append(resp.Groups, fetchedGroup(img, req.Version, &asked[i], all[i]))
			}
			if req.Version < 8 {
				flatten(resp, &asked[0], req.Version)
			}
			return resp
		})
	})
}

// oneGroup is what a request before v8 asks for.
func oneGroup(req *kmsg.OffsetFetchRequest) kmsg.OffsetFetchRequestGroup {
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = req.Group
	if req.Topics == nil {
		return g
	}
	g.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
	for i := range req.Topics {
		t := kmsg.NewOffsetFetchRequestGroupTopic()
		t.Topic, t.Partitions = req.Topics[i].Topic, req.Topics[i].Partitions
		g.Topics = append(g.Topics, t)
	}
	return g
}

// fetchCommand asks for the topics that are there by id; by name also for
// those that are not: their offsets may outlive them for a moment.
func fetchCommand(img *metadata.Image, req *kmsg.OffsetFetchRequest, g *kmsg.OffsetFetchRequestGroup) group.Fetch {
	cmd := group.Fetch{Group: g.Group, MemberID: g.MemberID, Epoch: g.MemberEpoch, RequireStable: req.RequireStable, All: g.Topics == nil}
	if cmd.MemberID == nil && cmd.Epoch >= 0 {
		cmd.MemberID = new(string) // nobody is at that epoch
	}
	for i := range g.Topics {
		asked := &g.Topics[i]
		t, code := findTopic(img, req.Version >= 10, asked.Topic, asked.TopicID)
		to := group.FetchTopic{Name: asked.Topic, Partitions: asked.Partitions}
		switch {
		case t != nil:
			to.Name, to.ID = t.Name, t.ID
		case code == wire.UnknownTopicID:
			to.Partitions = nil // refused below
		}
		cmd.Topics = append(cmd.Topics, to)
	}
	return cmd
}

func fetchedGroup(img *metadata.Image, version int16, g *kmsg.OffsetFetchRequestGroup, s api.Said) kmsg.OffsetFetchResponseGroup {
	out := kmsg.NewOffsetFetchResponseGroup()
	out.Group = g.Group
	r, code := reply[group.FetchReply](s)
	if s.Err != nil && wire.CodeOf(s.Err) == wire.RequestTimedOut {
		// Consumers before 3.9 do not try again on COORDINATOR_NOT_AVAILABLE.
		code = int16(wire.NotCoordinator)
	}
	if out.ErrorCode = code; code != 0 {
		return out
	}
	for i := range r.Topics {
		row := kmsg.NewOffsetFetchResponseGroupTopic()
		row.Topic = r.Topics[i].Name
		if g.Topics == nil {
			if !allOf(img, version, &row, &r.Topics[i]) {
				continue
			}
		} else {
			someOf(img, version, &row, &g.Topics[i], &r.Topics[i])
		}
		out.Topics = append(out.Topics, row)
	}
	return out
}

// allOf fills in a topic of those that a group has offsets of, without what
// belongs to an older topic of the name; false when nothing is left of it.
func allOf(img *metadata.Image, version int16, row *kmsg.OffsetFetchResponseGroupTopic, from *group.FetchedTopic) bool {
	t := img.TopicByName(from.Name)
	var id uuid.UUID
	if t != nil {
		id = t.ID
	} else if version >= 10 {
		return false // it has no id to be told by
	}
	row.TopicID = id
	for i := range from.Partitions {
		p := &from.Partitions[i]
		if t == nil || p.TopicID.IsZero() || p.TopicID == id {
			row.Partitions = append(row.Partitions, fetchedCell(p))
		}
	}
	return len(row.Partitions) > 0
}

// someOf fills in a topic that was asked for.
func someOf(img *metadata.Image, version int16, row *kmsg.OffsetFetchResponseGroupTopic, asked *kmsg.OffsetFetchRequestGroupTopic, from *group.FetchedTopic) {
	row.Topic, row.TopicID = asked.Topic, asked.TopicID
	if version >= 10 && img.TopicByID(asked.TopicID) == nil {
		for _, p := range asked.Partitions {
			row.Partitions = append(row.Partitions, fetchedCell(&group.FetchedPartition{Index: p, Offset: -1, LeaderEpoch: -1, Code: wire.UnknownTopicID}))
		}
		return
	}
	for i := range from.Partitions {
		row.Partitions = append(row.Partitions, fetchedCell(&from.Partitions[i]))
	}
}

func fetchedCell(p *group.FetchedPartition) kmsg.OffsetFetchResponseGroupTopicPartition {
	cell := kmsg.NewOffsetFetchResponseGroupTopicPartition()
	cell.Partition, cell.Offset, cell.LeaderEpoch, cell.ErrorCode = p.Index, p.Offset, p.LeaderEpoch, int16(p.Code)
	cell.Metadata = kmsg.StringPtr(p.Metadata)
	return cell
}

// flatten turns the answer about one group into the form before v8. v1 has no
// code for the whole: each partition carries it.
func flatten(resp *kmsg.OffsetFetchResponse, asked *kmsg.OffsetFetchRequestGroup, version int16) {
	g := resp.Groups[0]
	resp.Groups, resp.ErrorCode = nil, g.ErrorCode
	for i := range g.Topics {
		row := kmsg.NewOffsetFetchResponseTopic()
		row.Topic = g.Topics[i].Topic
		for j := range g.Topics[i].Partitions {
			p := &g.Topics[i].Partitions[j]
			cell := kmsg.NewOffsetFetchResponseTopicPartition()
			cell.Partition, cell.Offset, cell.LeaderEpoch, cell.Metadata, cell.ErrorCode = p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode
			row.Partitions = append(row.Partitions, cell)
		}
		resp.Topics = append(resp.Topics, row)
	}
	if version >= 2 || g.ErrorCode == 0 {
		return
	}
	for i := range asked.Topics {
		row := kmsg.NewOffsetFetchResponseTopic()
		row.Topic = asked.Topics[i].Topic
		for _, p := range asked.Topics[i].Partitions {
			cell := kmsg.NewOffsetFetchResponseTopicPartition()
			cell.Partition, cell.Offset, cell.LeaderEpoch, cell.ErrorCode = p, -1, -1, g.ErrorCode
			cell.Metadata = kmsg.StringPtr("")
			row.Partitions = append(row.Partitions, cell)
		}
		resp.Topics = append(resp.Topics, row)
	}
}
