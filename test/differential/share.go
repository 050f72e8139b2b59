package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

func shareStories() []story {
	return []story{
		{"share/heartbeat refusals", shareBeatRefusals},
		{"share/one member", oneShareMember},
		{"share/sessions", shareSessions},
		{"share/acknowledgements", shareAcks},
		{"share/refused acknowledgements", shareRefusedAcks},
		{"share/state", shareStates},
		{"share/offsets", shareOffsets},
		{"share/types", shareTypes},
	}
}

// sharer is a member of a share group on a connection of its own.
type sharer struct {
	*groupMember
	group   string
	epoch   int32 // as a member
	session int32 // of the next request
	topic   topic
}

func (s *scene) sharer(name, group string, t topic) *sharer {
	m := &sharer{groupMember: s.member(name), group: group, topic: t}
	m.id = s.run + "-" + name
	s.lines.hide(m.id, "ID-"+name)
	return m
}

func (m *sharer) beat(topics ...string) *kmsg.ShareGroupHeartbeatRequest {
	req := kmsg.NewPtrShareGroupHeartbeatRequest()
	req.SetVersion(1)
	req.GroupID, req.MemberID, req.MemberEpoch, req.SubscribedTopicNames = m.group, m.id, m.epoch, topics
	return req
}

// beats sends a heartbeat and notes what is no matter of intervals.
func (m *sharer) beats(label string, req *kmsg.ShareGroupHeartbeatRequest) *kmsg.ShareGroupHeartbeatResponse {
	resp := m.ask(req).(*kmsg.ShareGroupHeartbeatResponse)
	label = m.s.step(m.name + " " + label)
	m.s.lines.add(label, "ErrorCode", fmt.Sprint(resp.ErrorCode))
	if resp.ErrorCode != kerr.FencedMemberEpoch.Code { // it tells epochs, which count assignments
		m.s.lines.add(label, "ErrorMessage", textOf(resp.ErrorMessage))
	}
	if resp.ErrorCode == 0 {
		m.epoch = resp.MemberEpoch
		m.s.lines.add(label, "MemberID", textOf(resp.MemberID))
	}
	return resp
}

// joins makes m a member that has all partitions of its topic.
func (m *sharer) joins(partitions int) {
	req, has := m.beat(m.topic.name), 0
	m.s.until(func() bool {
		resp := m.ask(req).(*kmsg.ShareGroupHeartbeatResponse)
		if resp.ErrorCode != 0 {
			panic(broken{fmt.Errorf("%s joins: %w", m.name, kerr.ErrorForCode(resp.ErrorCode))})
		}
		if m.epoch = resp.MemberEpoch; resp.Assignment != nil {
			has = 0
			for _, t := range resp.Assignment.TopicPartitions {
				has += len(t.Partitions)
			}
		}
		req = m.beat()
		return has == partitions
	})
}

// fetch is the next ShareFetch of the session; the first names the partition.
func (m *sharer) fetch() *kmsg.ShareFetchRequest {
	req := kmsg.NewPtrShareFetchRequest()
	req.SetVersion(2)
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.group, &m.id, m.session
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.MaxRecords, req.BatchSize = 200, 1, 1<<20, 500, 500
	if m.session == 0 {
		req.Topics = []kmsg.ShareFetchRequestTopic{{TopicID: m.topic.id, Partitions: []kmsg.ShareFetchRequestTopicPartition{{}}}}
	}
	return req
}

// takes fetches until there are records, and notes which were acquired.
func (m *sharer) takes(label string, change func(*kmsg.ShareFetchRequest)) []kmsg.ShareFetchResponseTopicPartitionAcquiredRecord {
	var got []kmsg.ShareFetchResponseTopicPartitionAcquiredRecord
	m.s.until(func() bool {
		req := m.fetch()
		if change != nil {
			change(req)
		}
		resp := m.ask(req).(*kmsg.ShareFetchResponse)
		if resp.ErrorCode != 0 {
			panic(broken{fmt.Errorf("%s fetches: %w", m.name, kerr.ErrorForCode(resp.ErrorCode))})
		}
		m.session++
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				got = append(got, p.AcquiredRecords...)
			}
		}
		return len(got) > 0
	})
	text := ""
	for _, r := range got {
		text += fmt.Sprintf("%d-%d:%d ", r.FirstOffset, r.LastOffset, r.DeliveryCount)
	}
	m.s.lines.add(m.s.step(m.name+" "+label), "acquired", text)
	return got
}

// ack is the next ShareAcknowledge of the session.
func (m *sharer) ack(first, last int64, types ...int8) *kmsg.ShareAcknowledgeRequest {
	req := kmsg.NewPtrShareAcknowledgeRequest()
	req.SetVersion(2)
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &m.group, &m.id, m.session
	b := kmsg.NewShareAcknowledgeRequestTopicPartitionAcknowledgementBatch()
	b.FirstOffset, b.LastOffset, b.AcknowledgeTypes = first, last, types
	req.Topics = []kmsg.ShareAcknowledgeRequestTopic{{TopicID: m.topic.id, Partitions: []kmsg.ShareAcknowledgeRequestTopicPartition{
		{AcknowledgementBatches: []kmsg.ShareAcknowledgeRequestTopicPartitionAcknowledgementBatch{b}}}}}
	return req
}

// acks acknowledges and notes the codes.
func (m *sharer) acks(label string, req *kmsg.ShareAcknowledgeRequest) {
	resp := m.ask(req).(*kmsg.ShareAcknowledgeResponse)
	label = m.s.step(m.name + " " + label)
	m.s.lines.add(label, "ErrorCode", fmt.Sprint(resp.ErrorCode))
	if resp.ErrorCode == 0 {
		m.session++
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			m.s.lines.add(label, fmt.Sprintf("partition %d", p.Partition), fmt.Sprint(p.ErrorCode))
		}
	}
}

// shareGroup names a group that begins with the first record.
func (s *scene) shareGroup(suffix string) string {
	g := s.group(suffix)
	s.ready(g)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.SetVersion(1)
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, g
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = "share.auto.offset.reset", kmsg.StringPtr("earliest")
	r.Configs = append(r.Configs, c)
	req.Resources = append(req.Resources, r)
	s.must("set the group up", req)
	s.caughtUp()
	return g
}

func shareBeatRefusals(s *scene) {
	g := s.shareGroup("g")
	t := s.create("t", 1)
	for _, r := range []struct {
		name   string
		change func(*kmsg.ShareGroupHeartbeatRequest)
	}{
		{"no group", func(r *kmsg.ShareGroupHeartbeatRequest) { r.GroupID = "" }},
		{"no id", func(r *kmsg.ShareGroupHeartbeatRequest) { r.MemberID = "" }},
		{"empty rack", func(r *kmsg.ShareGroupHeartbeatRequest) { r.RackID = kmsg.StringPtr("") }},
		{"nothing subscribed", func(r *kmsg.ShareGroupHeartbeatRequest) { r.SubscribedTopicNames = nil }},
		{"epoch -2", func(r *kmsg.ShareGroupHeartbeatRequest) { r.MemberEpoch = -2 }},
		{"epoch 3 of no group", func(r *kmsg.ShareGroupHeartbeatRequest) { r.MemberEpoch = 3 }},
		{"leaves no group", func(r *kmsg.ShareGroupHeartbeatRequest) { r.MemberEpoch = -1 }},
	} {
		m := s.sharer("m", g+"-none", t)
		req := m.beat(t.name)
		r.change(req)
		m.beats(r.name, req)
		m.leaveConnection()
	}
}

func oneShareMember(s *scene) {
	g := s.shareGroup("g")
	t := s.create("t", 2)
	m := s.sharer("m", g, t)
	m.joins(2)
	m.beats("reports", m.beat())
	stale := m.beat()
	stale.MemberEpoch = m.epoch + 5
	m.beats("is ahead", stale)
	other := s.sharer("stranger", g, t)
	other.epoch = 1
	other.beats("is unknown", other.beat())
	other.beats("leaves", func() *kmsg.ShareGroupHeartbeatRequest { r := other.beat(); r.MemberEpoch = -1; return r }())
	describe := func(label string, groups ...string) {
		req := kmsg.NewPtrShareGroupDescribeRequest()
		req.SetVersion(1)
		req.GroupIDs, req.IncludeAuthorizedOperations = groups, true
		resp := s.must("describe", req).(*kmsg.ShareGroupDescribeResponse)
		label = s.step(label)
		for _, d := range resp.Groups {
			s.lines.add(label, d.GroupID, fmt.Sprint(d.ErrorCode, " ", textOf(d.ErrorMessage), " ", d.GroupState, " ", d.Assignor, " ",
				d.GroupEpoch == d.AssignmentEpoch, " ", d.AuthorizedOperations))
			for _, x := range d.Members {
				n := 0
				for _, a := range x.Assignment.TopicPartitions {
					n += len(a.Partitions)
				}
				s.lines.add(label, d.GroupID+" "+x.MemberID, fmt.Sprint(x.ClientID, " ", x.SubscribedTopicNames, " ", textOf(x.RackID), " ", n))
			}
		}
	}
	describe("described", g, g+"-none")
	leave := m.beat()
	leave.MemberEpoch = -1
	m.beats("leaves", leave)
	describe("described empty", g)
}

func shareSessions(s *scene) {
	g := s.shareGroup("g")
	t := s.filled("t", 1)
	m := s.sharer("m", g, t)
	m.joins(1)
	code := func(label string, change func(*kmsg.ShareFetchRequest)) {
		req := m.fetch()
		change(req)
		resp := m.ask(req).(*kmsg.ShareFetchResponse)
		s.lines.add(s.step(m.name+" "+label), "ErrorCode", fmt.Sprint(resp.ErrorCode))
	}
	code("has no session", func(r *kmsg.ShareFetchRequest) { r.ShareSessionEpoch = 1 })
	code("closes none", func(r *kmsg.ShareFetchRequest) { r.ShareSessionEpoch, r.Topics = -1, nil })
	code("names no group", func(r *kmsg.ShareFetchRequest) { r.GroupID = nil })
	code("names no member", func(r *kmsg.ShareFetchRequest) { r.MemberID = nil })
	m.takes("takes all", nil)
	code("goes on", func(*kmsg.ShareFetchRequest) {})
	m.session++
	code("skips an epoch", func(r *kmsg.ShareFetchRequest) { r.ShareSessionEpoch = m.session + 1 })
	code("repeats an epoch", func(r *kmsg.ShareFetchRequest) { r.ShareSessionEpoch = m.session - 1 })
	code("has an unknown topic", func(r *kmsg.ShareFetchRequest) {
		r.Topics = []kmsg.ShareFetchRequestTopic{{TopicID: [16]byte{1, 2, 3}, Partitions: []kmsg.ShareFetchRequestTopicPartition{{}}}}
	})
	m.session++
	code("closes", func(r *kmsg.ShareFetchRequest) { r.ShareSessionEpoch, r.Topics = -1, nil })
	m.session = 0
	m.takes("takes again", nil)
	final := m.ack(0, 5, 1)
	final.ShareSessionEpoch = -1
	m.acks("accepts at the end", final)
	first := m.ack(0, 5, 1)
	first.ShareSessionEpoch = 0
	m.acks("accepts at the beginning", first)
}

func shareAcks(s *scene) {
	g := s.shareGroup("g")
	t := s.filled("t", 1) // offsets 0 to 5 in batches of two
	m := s.sharer("m", g, t)
	m.joins(1)
	m.takes("takes all", nil)
	m.acks("accepts one", m.ack(0, 0, 1))
	m.acks("releases, rejects, gaps", m.ack(1, 3, 2, 3, 0))
	m.acks("accepts a range with one type", m.ack(4, 5, 1))
	m.takes("takes what was released", nil)
	renew := m.ack(1, 1, 4)
	m.acks("renews without saying so", renew)
	renew = m.ack(1, 1, 4)
	renew.IsRenewAck = true
	m.acks("renews", renew)
	m.acks("accepts it", m.ack(1, 1, 1))
	s.must("more", producePart(t, 9, -1, 0, batch{records: recsOf(6)}.bytes()))
	m.takes("takes two at most", func(r *kmsg.ShareFetchRequest) { r.MaxRecords, r.ShareAcquireMode = 2, 1 })
	m.takes("takes a batch", func(r *kmsg.ShareFetchRequest) { r.MaxRecords, r.ShareAcquireMode = 2, 0 })
}

func shareRefusedAcks(s *scene) {
	g := s.shareGroup("g")
	t := s.filled("t", 1)
	m := s.sharer("m", g, t)
	m.joins(1)
	m.takes("takes all", nil)
	m.acks("names an unknown type", m.ack(0, 0, 9))
	m.acks("has too few types", m.ack(0, 3, 1, 1))
	m.acks("goes backwards", m.ack(3, 0, 1))
	m.acks("is beyond the end", m.ack(100, 101, 1))
	other := s.sharer("other", g, t)
	other.joins(1)
	resp := other.ask(other.fetch()).(*kmsg.ShareFetchResponse)
	s.lines.add("other fetches", "ErrorCode", fmt.Sprint(resp.ErrorCode))
	other.session++
	other.acks("accepts another's", other.ack(0, 1, 1))
	m.acks("accepts", m.ack(2, 3, 1))
	m.acks("accepts again", m.ack(2, 3, 1))
	none := m.ack(0, 1, 1)
	none.Topics[0].TopicID = [16]byte{1, 2, 3}
	m.acks("accepts of an unknown topic", none)
	twice := m.ack(0, 1, 1)
	p := &twice.Topics[0].Partitions[0]
	p.AcknowledgementBatches = append(p.AcknowledgementBatches, p.AcknowledgementBatches[0])
	m.acks("accepts twice", twice)
}

// shareState asks a share coordinator about partition 0 of a topic, as brokers do.
type shareState struct {
	s     *scene
	group string
	topic topic
}

func (k *shareState) reading(leader int32) *kmsg.ReadShareGroupStateRequest {
	req := kmsg.NewPtrReadShareGroupStateRequest()
	req.GroupID = k.group
	req.Topics = []kmsg.ReadShareGroupStateRequestTopic{{TopicID: k.topic.id, Partitions: []kmsg.ReadShareGroupStateRequestTopicPartition{{LeaderEpoch: leader}}}}
	return req
}

func (k *shareState) read(label string, leader int32) { k.s.send(label, k.reading(leader)) }

func (k *shareState) initialize(label string, epoch int32, start int64) {
	req := kmsg.NewPtrInitializeShareGroupStateRequest()
	req.GroupID = k.group
	req.Topics = []kmsg.InitializeShareGroupStateRequestTopic{{TopicID: k.topic.id, Partitions: []kmsg.InitializeShareGroupStateRequestTopicPartition{{StateEpoch: epoch, StartOffset: start}}}}
	k.s.send(label, req)
}

type stateBatch = kmsg.WriteShareGroupStateRequestTopicPartitionStateBatch

func (k *shareState) write(label string, epoch, leader int32, start int64, batches ...stateBatch) {
	req := kmsg.NewPtrWriteShareGroupStateRequest()
	req.SetVersion(1)
	req.GroupID = k.group
	p := kmsg.NewWriteShareGroupStateRequestTopicPartition()
	p.StateEpoch, p.LeaderEpoch, p.StartOffset, p.DeliveryCompleteCount, p.StateBatches = epoch, leader, start, 2, batches
	req.Topics = []kmsg.WriteShareGroupStateRequestTopic{{TopicID: k.topic.id, Partitions: []kmsg.WriteShareGroupStateRequestTopicPartition{p}}}
	k.s.send(label, req)
}

func (k *shareState) summary(label string) {
	req := kmsg.NewPtrReadShareGroupStateSummaryRequest()
	req.SetVersion(1)
	req.GroupID = k.group
	req.Topics = []kmsg.ReadShareGroupStateSummaryRequestTopic{{TopicID: k.topic.id, Partitions: []kmsg.ReadShareGroupStateSummaryRequestTopicPartition{{}}}}
	k.s.send(label, req)
}

func (k *shareState) drop(label string) {
	req := kmsg.NewPtrDeleteShareGroupStateRequest()
	req.GroupID = k.group
	req.Topics = []kmsg.DeleteShareGroupStateRequestTopic{{TopicID: k.topic.id, Partitions: []kmsg.DeleteShareGroupStateRequestTopicPartition{{}}}}
	k.s.send(label, req)
}

// coordinated waits until somebody keeps the state. Kafka answers later than it
// names the coordinator.
func (k *shareState) coordinated() {
	key := fmt.Sprintf("%s:%s:0", k.group, uuid.UUID(k.topic.id).String())
	k.s.until(func() bool {
		got := k.s.must("find", coordinatorOf(6, 2, key)).(*kmsg.FindCoordinatorResponse)
		return len(got.Coordinators) == 1 && got.Coordinators[0].ErrorCode == 0
	})
	k.s.asNode(func() {
		k.s.until(func() bool {
			got := k.s.must("wait for the coordinator", k.reading(0)).(*kmsg.ReadShareGroupStateResponse)
			return len(got.Topics) == 1 && (got.Topics[0].Partitions[0].ErrorCode < 14 || got.Topics[0].Partitions[0].ErrorCode > 16)
		})
	})
}

func shareStates(s *scene) {
	k := &shareState{s: s, group: s.shareGroup("g"), topic: s.create("t", 2)}
	batchOf := func(first, last int64, state int8, count int16) stateBatch {
		return stateBatch{FirstOffset: first, LastOffset: last, DeliveryState: state, DeliveryCount: count}
	}
	k.coordinated()
	k.read("asked by a client", 0)
	s.asNode(func() { // as brokers ask each other
		k.read("read nothing", 0)
		k.summary("summary of nothing")
		k.write("write to nothing", 0, 0, 0)
		k.drop("delete nothing")
		k.initialize("initialize", 1, 10)
		k.read("read", 2)
		k.read("read as an older leader", 1)
		k.summary("summary")
		k.write("write", 1, 2, 11, batchOf(12, 15, 2, 1), batchOf(16, 16, 0, 2))
		k.write("write as an older leader", 1, 1, 11)
		k.write("write to an older state", 0, 2, 11)
		k.write("write more", 1, 2, -1, batchOf(14, 14, 4, 1))
		k.read("read after writes", 2)
		k.summary("summary after writes")
		k.initialize("initialize an older state", 0, 1)
		k.initialize("initialize anew", 2, 3)
		k.read("read anew", 2)
		k.drop("delete")
		k.read("read what is deleted", 2)
	})
}

func shareOffsets(s *scene) {
	g := s.shareGroup("g")
	t := s.filled("t", 1)
	none := s.create("none", 1)
	m := s.sharer("m", g, t)
	m.joins(1)
	m.takes("takes all", nil)
	m.acks("accepts", m.ack(0, 3, 1))
	describe := func(label string, topics []kmsg.DescribeShareGroupOffsetsRequestGroupTopic, group string) {
		req := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
		req.SetVersion(1)
		req.Groups = []kmsg.DescribeShareGroupOffsetsRequestGroup{{GroupID: group, Topics: topics}}
		s.send(label, req)
	}
	describe("describe all", nil, g)
	describe("describe some", []kmsg.DescribeShareGroupOffsetsRequestGroupTopic{
		{Topic: t.name, Partitions: []int32{0}}, {Topic: none.name, Partitions: []int32{0}}, {Topic: t.name + "-unknown", Partitions: []int32{0}}}, g)
	describe("describe no group", nil, g+"-none")
	alter := func(label, group string, topics ...kmsg.AlterShareGroupOffsetsRequestTopic) {
		req := kmsg.NewPtrAlterShareGroupOffsetsRequest()
		req.GroupID, req.Topics = group, topics
		s.send(label, req)
	}
	to := func(name string, partition int32, offset int64) kmsg.AlterShareGroupOffsetsRequestTopic {
		return kmsg.AlterShareGroupOffsetsRequestTopic{Topic: name, Partitions: []kmsg.AlterShareGroupOffsetsRequestTopicPartition{{Partition: partition, StartOffset: offset}}}
	}
	remove := func(label, group string, names ...string) {
		req := kmsg.NewPtrDeleteShareGroupOffsetsRequest()
		req.GroupID = group
		for _, n := range names {
			req.Topics = append(req.Topics, kmsg.DeleteShareGroupOffsetsRequestTopic{Topic: n})
		}
		s.send(label, req)
	}
	alter("alter with a member", g, to(t.name, 0, 2))
	remove("delete with a member", g, t.name)
	final := m.ack(4, 5, 2)
	final.ShareSessionEpoch = -1
	m.acks("releases at the end", final)
	leave := m.beat()
	leave.MemberEpoch = -1
	m.beats("leaves", leave)
	alter("alter", g, to(t.name, 0, 2))
	describe("describe altered", []kmsg.DescribeShareGroupOffsetsRequestGroupTopic{{Topic: t.name, Partitions: []int32{0}}}, g)
	alter("alter an unknown topic", g, to(t.name+"-unknown", 0, 2))
	alter("alter an unknown partition", g, to(t.name, 7, 2))
	remove("delete", g, t.name, none.name, t.name+"-unknown")
	describe("describe deleted", nil, g)
	remove("delete of no group", g+"-none", t.name)
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.SetVersion(2)
	req.Groups = []string{g}
	s.send("delete the group", req)
}

func shareTypes(s *scene) {
	g := s.shareGroup("g")
	t := s.create("t", 1)
	m := s.sharer("m", g, t)
	m.joins(1)
	c := s.consumer("c", g, t)
	c.beats("joins a share group", c.joinWith(t.name))
	classic := s.member("classic")
	s.send("describe as a classic group", groupsDescribed(6, g))
	s.send("commit to a share group", commitOf(9, g, t, nil))
	classic.leaveConnection()
	other := s.group("other")
	s.must("commit", commitOf(9, other, t, nil))
	x := s.sharer("x", other, t)
	x.beats("joins a group of another type", x.beat(t.name))
	list := kmsg.NewPtrListGroupsRequest()
	list.SetVersion(5)
	list.TypesFilter = []string{"share"}
	got := s.must("list", list).(*kmsg.ListGroupsResponse)
	for _, row := range got.Groups {
		if row.Group == g {
			s.lines.add("listed", "row", fmt.Sprint(row.ProtocolType, " ", row.GroupState, " ", row.GroupType))
		}
	}
}
