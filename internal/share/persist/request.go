package persist

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/share/store"
)

// kind is what may travel in one request: commands of one type about one group.
type kind struct {
	key   int16 // of the API
	group string
}

func (q *question) kind() kind {
	k := kind{group: q.key.Group}
	switch q.cmd.(type) {
	case store.Initialize:
		k.key = kmsg.InitializeShareGroupState.Int16()
	case store.Read:
		k.key = kmsg.ReadShareGroupState.Int16()
	case store.Put:
		k.key = kmsg.WriteShareGroupState.Int16()
	case store.Delete:
		k.key = kmsg.DeleteShareGroupState.Int16()
	case store.Summarize:
		k.key = kmsg.ReadShareGroupStateSummary.Int16()
	}
	return k
}

// keyOf is the share-partition that a command is about; false for one that is
// not asked of other nodes.
func keyOf(cmd any) (store.Key, bool) {
	switch c := cmd.(type) {
	case store.Initialize:
		return c.Key, true
	case store.Read:
		return c.Key, true
	case store.Put:
		return c.Key, true
	case store.Delete:
		return c.Key, true
	case store.Summarize:
		return c.Key, true
	}
	return store.Key{}, false
}

// request puts questions of one kind. Each has a row of a topic for itself: an
// answer is read by what its rows are called, not by their order.
func request(questions []*question) kmsg.Request {
	switch questions[0].cmd.(type) {
	case store.Initialize:
		return initializeRequest(questions)
	case store.Read:
		return readRequest(questions)
	case store.Put:
		return putRequest(questions)
	case store.Delete:
		return deleteRequest(questions)
	default:
		return summaryRequest(questions)
	}
}

func initializeRequest(questions []*question) kmsg.Request {
	req := kmsg.NewPtrInitializeShareGroupStateRequest()
	req.GroupID = questions[0].key.Group
	for _, q := range questions {
		c, _ := q.cmd.(store.Initialize)
		p := kmsg.NewInitializeShareGroupStateRequestTopicPartition()
		p.Partition, p.StateEpoch, p.StartOffset = q.key.Partition, c.StateEpoch, c.Start
		setLeaderEpoch(&p.UnknownTags, c.LeaderEpoch)
		t := kmsg.NewInitializeShareGroupStateRequestTopic()
		t.TopicID = q.key.TopicID
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func readRequest(questions []*question) kmsg.Request {
	req := kmsg.NewPtrReadShareGroupStateRequest()
	req.GroupID = questions[0].key.Group
	for _, q := range questions {
		c, _ := q.cmd.(store.Read)
		p := kmsg.NewReadShareGroupStateRequestTopicPartition()
		p.Partition, p.LeaderEpoch = q.key.Partition, c.LeaderEpoch
		if c.OrNone {
			p.UnknownTags.Set(tagOrNone, []byte{1})
		}
		t := kmsg.NewReadShareGroupStateRequestTopic()
		t.TopicID = q.key.TopicID
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func putRequest(questions []*question) kmsg.Request {
	req := kmsg.NewPtrWriteShareGroupStateRequest()
	req.SetVersion(1)
	req.GroupID = questions[0].key.Group
	for _, q := range questions {
		c, _ := q.cmd.(store.Put)
		p := kmsg.NewWriteShareGroupStateRequestTopicPartition()
		p.Partition, p.StateEpoch, p.LeaderEpoch, p.StartOffset, p.DeliveryCompleteCount = q.key.Partition, c.StateEpoch, c.LeaderEpoch, c.Start, c.Done
		for i := range c.Rows {
			r := &c.Rows[i]
			b := kmsg.NewWriteShareGroupStateRequestTopicPartitionStateBatch()
			b.FirstOffset, b.LastOffset, b.DeliveryState, b.DeliveryCount = r.First, r.Last, int8(r.State), r.Count
			SetRow(&b.UnknownTags, r)
			p.StateBatches = append(p.StateBatches, b)
		}
		t := kmsg.NewWriteShareGroupStateRequestTopic()
		t.TopicID = q.key.TopicID
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func deleteRequest(questions []*question) kmsg.Request {
	req := kmsg.NewPtrDeleteShareGroupStateRequest()
	req.GroupID = questions[0].key.Group
	for _, q := range questions {
		p := kmsg.NewDeleteShareGroupStateRequestTopicPartition()
		p.Partition = q.key.Partition
		t := kmsg.NewDeleteShareGroupStateRequestTopic()
		t.TopicID = q.key.TopicID
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	return req
}

func summaryRequest(questions []*question) kmsg.Request {
	req := kmsg.NewPtrReadShareGroupStateSummaryRequest()
	req.SetVersion(1)
	req.GroupID = questions[0].key.Group
	for _, q := range questions {
		c, _ := q.cmd.(store.Summarize)
		p := kmsg.NewReadShareGroupStateSummaryRequestTopicPartition()
		p.Partition, p.LeaderEpoch = q.key.Partition, c.LeaderEpoch
		SetKnown(&p.UnknownTags, true)
		t := kmsg.NewReadShareGroupStateSummaryRequestTopic()
		t.TopicID = q.key.TopicID
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	return req
}
