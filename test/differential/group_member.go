package main

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// member is a client of its own, with a connection of its own, since an answer
// to JoinGroup may wait for what others do.
type groupMember struct {
	s          *scene
	name       string
	conn       net.Conn
	corr       int32
	id         string
	instance   *string
	generation int32
}

func (s *scene) member(name string) *groupMember {
	c, err := (&net.Dialer{Timeout: patience}).DialContext(s.ctx, "tcp", s.node.Addr)
	if err != nil {
		panic(broken{fmt.Errorf("connect to %s: %w", s.node.Kind, err)})
	}
	return &groupMember{s: s, name: name, conn: c, generation: -1}
}

func (m *groupMember) leaveConnection() { _ = m.conn.Close() } // of a test's connection

// write sends a request without waiting for its answer.
func (m *groupMember) write(req kmsg.Request) {
	m.corr++
	if _, err := m.conn.Write(frameOf(req, m.corr)); err != nil {
		panic(broken{fmt.Errorf("%s writes: %w", m.name, err)})
	}
}

// read takes the answer to what was written last, and learns from it.
func (m *groupMember) read(label string, req kmsg.Request) kmsg.Response {
	label = m.s.step(label)
	frame, err := readFrame(m.conn, 2*patience)
	if err != nil {
		m.s.lines.add(label, "side", err.Error())
		panic(broken{fmt.Errorf("%s: %s: %w", m.name, label, err)})
	}
	resp, err := decode(req, frame, m.corr)
	if err != nil {
		panic(broken{fmt.Errorf("%s: %s: %w", m.name, label, err)})
	}
	if j, ok := resp.(*kmsg.JoinGroupResponse); ok {
		m.learn(j)
	}
	m.s.lines.answer(label, resp)
	return resp
}

// learn takes over id and generation, and hides what is random in the id.
func (m *groupMember) learn(j *kmsg.JoinGroupResponse) {
	if j.MemberID != "" && j.MemberID != m.id {
		m.id = j.MemberID
		at := len(m.id) - 36 // a UUID
		if at > 0 && strings.Count(m.id[at:], "-") == 4 {
			m.s.lines.hide(m.id[at:], "UUID-"+m.name)
		}
	}
	if j.ErrorCode == 0 {
		m.generation = j.Generation
	}
}

func (m *groupMember) call(label string, req kmsg.Request) kmsg.Response {
	m.write(req)
	return m.read(m.name+" "+label, req)
}

func (s *scene) group(suffix string) string {
	s.lines.hide(s.run+"-", "RUN-")
	return s.run + "-" + suffix
}

// subscriptionTo is what a consumer says of itself.
func subscriptionTo(topics ...string) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Version, m.Topics = 1, topics
	return m.AppendTo(nil)
}

func (m *groupMember) join(version int16, group string, change func(*kmsg.JoinGroupRequest)) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.SetVersion(version)
	req.Group, req.MemberID, req.InstanceID = group, m.id, m.instance
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis, req.ProtocolType = 10000, 10000, "consumer"
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name, p.Metadata = "range", subscriptionTo("t")
	req.Protocols = append(req.Protocols, p)
	if change != nil {
		change(req)
	}
	return req
}

func (m *groupMember) sync(version int16, group string, parts map[string]string) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.SetVersion(version)
	req.Group, req.MemberID, req.InstanceID, req.Generation = group, m.id, m.instance, m.generation
	req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	for id, part := range parts {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, []byte(part)
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return req
}

func (m *groupMember) heartbeat(version int16, group string) *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.SetVersion(version)
	req.Group, req.MemberID, req.InstanceID, req.Generation = group, m.id, m.instance, m.generation
	return req
}

func (m *groupMember) leave(version int16, group string) *kmsg.LeaveGroupRequest {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.SetVersion(version)
	req.Group, req.MemberID = group, m.id
	row := kmsg.NewLeaveGroupRequestMember()
	row.MemberID, row.InstanceID = m.id, m.instance
	req.Members = append(req.Members, row)
	return req
}

// commitOf commits 5 for partition 0 of a topic.
func commitOf(version int16, group string, t topic, change func(*kmsg.OffsetCommitRequest)) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.SetVersion(version)
	req.Group, req.Generation, req.RetentionTimeMillis = group, -1, -1
	row := kmsg.NewOffsetCommitRequestTopic()
	row.Topic, row.TopicID = t.name, t.id
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Offset, p.LeaderEpoch, p.Metadata = 5, 3, kmsg.StringPtr("note")
	row.Partitions = append(row.Partitions, p)
	req.Topics = append(req.Topics, row)
	if change != nil {
		change(req)
	}
	return req
}

// offsetsFetched asks for partitions 0 and 1 of a topic, or for all when t is
// nil.
func offsetsFetched(version int16, group string, t *topic) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.SetVersion(version)
	req.Group = group
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.MemberEpoch = group, -1
	if t != nil {
		old := kmsg.NewOffsetFetchRequestTopic()
		old.Topic, old.Partitions = t.name, []int32{0, 1}
		req.Topics = append(req.Topics, old)
		row := kmsg.NewOffsetFetchRequestGroupTopic()
		row.Topic, row.TopicID, row.Partitions = t.name, t.id, []int32{0, 1}
		g.Topics = append(g.Topics, row)
	}
	req.Groups = append(req.Groups, g)
	return req
}

func coordinatorOf(version int16, kind int8, key string) *kmsg.FindCoordinatorRequest {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.SetVersion(version)
	req.CoordinatorKey, req.CoordinatorType, req.CoordinatorKeys = key, kind, []string{key}
	return req
}

// ready waits until groups are coordinated, whatever their names: Kafka makes
// their topic late, and loads its partitions one after the other.
func (s *scene) ready(group string) {
	everywhere := []string{group}
	for i := range 100 { // their hashes meet all 50 partitions
		everywhere = append(everywhere, fmt.Sprint("ready-", i))
	}
	s.until(func() bool {
		if s.must("find the coordinator", coordinatorOf(3, 0, group)).(*kmsg.FindCoordinatorResponse).ErrorCode != 0 {
			return false
		}
		got := s.must("describe", groupsDescribed(5, everywhere...)).(*kmsg.DescribeGroupsResponse)
		return !slices.ContainsFunc(got.Groups, func(g kmsg.DescribeGroupsResponseGroup) bool { return g.ErrorCode != 0 })
	})
}

// seen waits until a group is shown: Kafka gives an id out before readers see
// the group that it is for.
func (s *scene) seen(group string) {
	s.until(func() bool {
		return s.must("describe", groupsDescribed(5, group)).(*kmsg.DescribeGroupsResponse).Groups[0].State != "Dead"
	})
}

func groupsDescribed(version int16, groups ...string) *kmsg.DescribeGroupsRequest {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.SetVersion(version)
	req.Groups, req.IncludeAuthorizedOperations = groups, true
	return req
}

// pause waits a moment between two looks.
func (s *scene) pause() { time.Sleep(20 * time.Millisecond) }

// until looks again and again until something has happened.
func (s *scene) until(happened func() bool) {
	for end := time.Now().Add(2 * patience); !happened(); s.pause() {
		if time.Now().After(end) {
			panic(broken{fmt.Errorf("on %s it never happened", s.node.Kind)})
		}
	}
}
