package shares

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/group/schema"
	"ottla/internal/group/sharegroup"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// DescribeShareGroupOffsets (90, v0-1), AlterShareGroupOffsets (91, v0) and
// DeleteShareGroupOffsets (92, v0) show and move where share groups stand; v1
// of 90 brings the lag (KIP-1226). Groups with members cannot be moved.
func (f *Family) describeOffsetsRow() api.API { return api.Row(0, 1, f.describeOffsets) }
func (f *Family) alterOffsetsRow() api.API    { return api.Row(0, 0, f.alterOffsets) }
func (f *Family) deleteOffsetsRow() api.API   { return api.Row(0, 0, f.deleteOffsets) }

// states asks a group of which topics it has states.
func (f *Family) states(ctx context.Context, group string, idle bool) ([]schema.ShareTopic, error) {
	body, err := f.d.Groups.Do(ctx, group, sharegroup.States{Group: group, Idle: idle})
	if err != nil {
		return nil, err
	}
	topics, ok := body.([]schema.ShareTopic)
	if !ok {
		return nil, wire.Errorf(wire.UnknownServerError, "the group coordinator answered %T", body)
	}
	return topics, nil
}

// ask gives commands to the coordinators of their share-partitions, wherever
// they are, side by side and waits for all.
func (f *Family) ask(ctx context.Context, keys []store.Key, cmd func(i int) any) []api.Said {
	ctx, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	all := make(chan []api.Said, 1)
	api.Gather(len(keys), func(i int, done func(any, error)) {
		k := keys[i].String()
		if err := f.prepare(ctx, k); err != nil {
			done(nil, wire.Errorf(wire.CoordinatorNotAvailable, "the topic %s is being made: %w", stateTopic, err))
			return
		}
		f.d.Persister.Go(ctx, k, cmd(i), done)
	}, func(said []api.Said) { all <- said })
	return <-all
}

func (f *Family) describeOffsets(ctx context.Context, _ *api.Conn, req *kmsg.DescribeShareGroupOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DescribeShareGroupOffsetsResponse)
	for i := range req.Groups {
		g := &req.Groups[i]
		row := kmsg.NewDescribeShareGroupOffsetsResponseGroup()
		row.GroupID = g.GroupID
		known, err := f.states(ctx, g.GroupID, false)
		if err != nil && wire.CodeOf(err) != wire.GroupIDNotFound {
			row.ErrorCode, row.ErrorMessage = stateCode(err), messageOf(err)
		} else {
			row.Topics = f.describedTopics(ctx, g, known)
		}
		resp.Groups = append(resp.Groups, row)
	}
	return resp, nil
}

// asked are the topics and partitions that a request is about: those that it
// names, or all of which the group has states.
func asked(g *kmsg.DescribeShareGroupOffsetsRequestGroup, known []schema.ShareTopic) []schema.ShareTopic {
	if g.Topics == nil {
		return known
	}
	out := make([]schema.ShareTopic, 0, len(g.Topics))
	for i := range g.Topics {
		out = append(out, schema.ShareTopic{Name: g.Topics[i].Topic, Partitions: g.Topics[i].Partitions})
	}
	return out
}

func (f *Family) describedTopics(ctx context.Context, g *kmsg.DescribeShareGroupOffsetsRequestGroup, known []schema.ShareTopic) []kmsg.DescribeShareGroupOffsetsResponseGroupTopic {
	var out []kmsg.DescribeShareGroupOffsetsResponseGroupTopic
	for _, t := range asked(g, known) {
		topic := f.d.Cluster.Image().TopicByName(t.Name)
		if topic == nil && g.Topics == nil {
			continue // deleted
		}
		row := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopic()
		row.Topic = t.Name
		if topic == nil { // nobody stands there
			for _, p := range t.Partitions {
				row.Partitions = append(row.Partitions, nowhere(p))
			}
		} else {
			row.TopicID = topic.ID
			row.Partitions = f.describedParts(ctx, g.GroupID, topic, t.Partitions)
		}
		out = append(out, row)
	}
	return out
}

// nowhere is a partition in which a group does not stand.
func nowhere(index int32) kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition {
	part := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopicPartition()
	part.Partition, part.StartOffset, part.Lag = index, -1, -1
	return part
}

// describedParts tells where a group stands in partitions of a topic.
func (f *Family) describedParts(ctx context.Context, group string, topic *metadata.Topic, indexes []int32) []kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition {
	keys := make([]store.Key, len(indexes))
	for i, p := range indexes {
		keys[i] = store.Key{Group: group, TopicID: topic.ID, Partition: p}
	}
	all := f.ask(ctx, keys, func(i int) any { return store.Summarize{Key: keys[i], LeaderEpoch: -1} })
	var behind []int32 // of which the lag can be told
	for i := range all {
		if s, ok := all[i].Body.(store.Summary); ok && all[i].Err == nil && s.Start >= 0 && s.Done >= 0 {
			behind = append(behind, indexes[i])
		}
	}
	ends := f.ends(ctx, topic, behind)
	out := make([]kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition, 0, len(indexes))
	for i, p := range indexes {
		part := nowhere(p)
		s, ok := all[i].Body.(store.Summary)
		switch {
		case all[i].Err != nil:
			part.ErrorCode, part.ErrorMessage = stateCode(all[i].Err), messageOf(all[i].Err)
		case ok:
			part.StartOffset, part.LeaderEpoch = s.Start, max(0, s.LeaderEpoch)
			// What lies between its start and the high watermark and is not done.
			if end, known := ends[p]; known {
				part.Lag = max(0, end-s.Start-int64(s.Done))
			}
		}
		out = append(out, part)
	}
	return out
}

func (f *Family) alterOffsets(ctx context.Context, _ *api.Conn, req *kmsg.AlterShareGroupOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.AlterShareGroupOffsetsResponse)
	if err := f.mayAlter(ctx, req); err != nil {
		resp.ErrorCode, resp.ErrorMessage = stateCode(err), messageOf(err)
		return resp, nil
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		row := kmsg.NewAlterShareGroupOffsetsResponseTopic()
		row.Topic = t.Topic
		id, ok := f.topicID(t.Topic)
		row.TopicID = id
		for j := range t.Partitions {
			p := &t.Partitions[j]
			part := kmsg.NewAlterShareGroupOffsetsResponseTopicPartition()
			part.Partition = p.Partition
			err := error(wire.UnknownTopicOrPartition)
			if ok {
				err = f.alter(ctx, store.Key{Group: req.GroupID, TopicID: id, Partition: p.Partition}, p.StartOffset)
			}
			part.ErrorCode, part.ErrorMessage = stateCode(err), messageOf(err)
			if wire.CodeOf(err) == wire.UnknownTopicOrPartition && err != nil {
				part.ErrorCode = int16(wire.UnknownTopicOrPartition)
			}
			row.Partitions = append(row.Partitions, part)
		}
		resp.Topics = append(resp.Topics, row)
	}
	return resp, nil
}

// mayAlter makes sure that the group has no members, and knows the topics.
func (f *Family) mayAlter(ctx context.Context, req *kmsg.AlterShareGroupOffsetsRequest) error {
	add := sharegroup.AddStates{Group: req.GroupID}
	for i := range req.Topics {
		t := schema.ShareTopic{Name: req.Topics[i].Topic}
		topic := f.d.Cluster.Image().TopicByName(t.Name)
		if topic == nil {
			continue
		}
		t.ID = topic.ID
		for j := range req.Topics[i].Partitions {
			if p := req.Topics[i].Partitions[j].Partition; p >= 0 && int(p) < len(topic.Partitions) {
				t.Partitions = append(t.Partitions, p)
			}
		}
		add.Topics = append(add.Topics, t)
	}
	_, err := f.d.Groups.Do(ctx, req.GroupID, add)
	return err
}

// Reset makes a share-partition's state anew: it begins at an offset, or for -1
// where a group without a state begins. What members and receipts hold is void.
func (f *Family) Reset(ctx context.Context, key store.Key, start int64) error {
	return f.alter(ctx, key, start)
}

// alter moves where a group stands in a partition.
func (f *Family) alter(ctx context.Context, key store.Key, start int64) error {
	if t := f.d.Cluster.Image().TopicByID(key.TopicID); t == nil || key.Partition < 0 || int(key.Partition) >= len(t.Partitions) {
		return wire.UnknownTopicOrPartition
	}
	all := f.ask(ctx, []store.Key{key}, func(int) any { return store.Summarize{Key: key, LeaderEpoch: -1} })
	if all[0].Err != nil {
		return all[0].Err
	}
	epoch := int32(0)
	if s, ok := all[0].Body.(store.Summary); ok && s.Known {
		epoch = s.StateEpoch + 1
	}
	all = f.ask(ctx, []store.Key{key}, func(int) any { return store.Initialize{Key: key, StateEpoch: epoch, Start: start, LeaderEpoch: -1} })
	f.lead.Forget(key.Group, key)
	return all[0].Err
}

func (f *Family) deleteOffsets(ctx context.Context, _ *api.Conn, req *kmsg.DeleteShareGroupOffsetsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.DeleteShareGroupOffsetsResponse)
	known, err := f.states(ctx, req.GroupID, true)
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = stateCode(err), messageOf(err)
		return resp, nil
	}
	for i := range req.Topics {
		row := kmsg.NewDeleteShareGroupOffsetsResponseTopic()
		row.Topic = req.Topics[i].Topic
		err := error(nil)
		row.TopicID, err = f.deleteTopic(ctx, req.GroupID, row.Topic, known)
		if row.ErrorCode, row.ErrorMessage = stateCode(err), messageOf(err); err != nil && wire.CodeOf(err) == wire.UnknownTopicOrPartition {
			row.ErrorCode = int16(wire.UnknownTopicOrPartition)
		}
		resp.Topics = append(resp.Topics, row)
	}
	return resp, nil
}

// deleteTopic forgets where a group stands in a topic.
func (f *Family) deleteTopic(ctx context.Context, group, name string, known []schema.ShareTopic) (uuid.UUID, error) {
	id, ok := f.topicID(name)
	if !ok {
		return id, wire.UnknownTopicOrPartition
	}
	i := slices.IndexFunc(known, func(t schema.ShareTopic) bool { return t.ID == id })
	if i < 0 {
		return uuid.UUID{}, wire.Errorf(wire.UnknownTopicOrPartition, "There is no offset information to delete.")
	}
	if err := f.deleteStates(ctx, group, known[i:i+1]); err != nil {
		return id, err
	}
	_, err := f.d.Groups.Do(ctx, group, sharegroup.DropStates{Group: group, IDs: []uuid.UUID{id}})
	return id, err
}

// deleteStates deletes states of topics, and what is loaded of them.
func (f *Family) deleteStates(ctx context.Context, group string, topics []schema.ShareTopic) error {
	var keys []store.Key
	for _, t := range topics {
		for _, p := range t.Partitions {
			keys = append(keys, store.Key{Group: group, TopicID: t.ID, Partition: p})
		}
	}
	if len(keys) == 0 {
		return nil
	}
	all := f.ask(ctx, keys, func(i int) any { return store.Delete{Key: keys[i]} })
	f.lead.Forget(group, keys...)
	for i := range all {
		if all[i].Err != nil {
			return all[i].Err
		}
	}
	return nil
}

// Purge deletes the states of a share group that is about to be deleted:
// NON_EMPTY_GROUP while it has members. Of a group that is none of ours it
// does nothing.
func (f *Family) Purge(ctx context.Context, group string) error {
	known, err := f.states(ctx, group, true)
	if wire.CodeOf(err) == wire.GroupIDNotFound && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	return f.deleteStates(ctx, group, known)
}
