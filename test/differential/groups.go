package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func groupStories() []story {
	return []story{
		{"groups/find coordinator", findCoordinator},
		{"groups/join refusals", joinRefusals},
		{"groups/one member in every version", oneMember},
		{"groups/two members", twoMembers},
		{"groups/static members", staticMembers},
		{"groups/commit refusals", commitRefusals},
		{"groups/offsets in every version", offsetsEveryVersion},
		{"groups/leave", leaving},
		{"groups/describe and list", describeAndList},
		{"groups/delete", deleteGroups},
		{"groups/delete offsets", deleteOffsets},
	}
}

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

// ready waits until groups are coordinated: Kafka makes their topic late.
func (s *scene) ready(group string) {
	for range 200 {
		resp := s.must("find the coordinator", coordinatorOf(3, 0, group)).(*kmsg.FindCoordinatorResponse)
		if resp.ErrorCode == 0 {
			listed := s.must("commit", commitOf(5, group+"-ready", topic{name: "__none"}, nil)).(*kmsg.OffsetCommitResponse)
			if len(listed.Topics) > 0 {
				got := s.must("describe", groupsDescribed(5, group)).(*kmsg.DescribeGroupsResponse)
				if got.Groups[0].ErrorCode == 0 {
					return
				}
			}
		}
		s.pause()
	}
	panic(broken{fmt.Errorf("%s never had a group coordinator", s.node.Kind)})
}

// seen waits until a group is shown: Kafka gives an id out before readers see
// the group that it is for.
func (s *scene) seen(group string) {
	for range 50 {
		got := s.must("describe", groupsDescribed(5, group)).(*kmsg.DescribeGroupsResponse)
		if got.Groups[0].State != "Dead" {
			return
		}
		s.pause()
	}
}

func groupsDescribed(version int16, groups ...string) *kmsg.DescribeGroupsRequest {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.SetVersion(version)
	req.Groups, req.IncludeAuthorizedOperations = groups, true
	return req
}

func findCoordinator(s *scene) {
	g := s.group("g")
	s.ready(g)
	for v := range int16(7) {
		s.send(fmt.Sprintf("group v%d", v), coordinatorOf(v, 0, g))
	}
	s.send("empty key v3", coordinatorOf(3, 0, ""))
	s.send("empty key v6", coordinatorOf(6, 0, ""))
	for _, kind := range []int8{2, 3, -1} {
		s.send(fmt.Sprintf("kind %d v3", kind), coordinatorOf(3, kind, g))
	}
	s.send("share v5", coordinatorOf(5, 2, g))
}

func joinRefusals(s *scene) {
	g := s.group("g")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	for v := range int16(10) {
		for _, c := range []struct {
			name   string
			change func(*kmsg.JoinGroupRequest)
		}{
			{"no group", func(r *kmsg.JoinGroupRequest) { r.Group = "" }},
			{"short session", func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 1 }},
			{"long session", func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 2_000_000 }},
			{"unknown group", func(r *kmsg.JoinGroupRequest) { r.MemberID = "who" }},
			{"no protocols", func(r *kmsg.JoinGroupRequest) { r.Protocols = nil }},
			{"no type", func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "" }},
		} {
			m.id = ""
			m.call(fmt.Sprintf("%s v%d", c.name, v), m.join(v, fmt.Sprintf("%s-%s-%d", g, strings.ReplaceAll(c.name, " ", "-"), v), c.change))
		}
	}
	for v := range int16(6) {
		m.id = "who"
		m.call(fmt.Sprintf("sync of an unknown group v%d", v), m.sync(v, g+"-none", nil))
		m.call(fmt.Sprintf("sync without a group v%d", v), m.sync(v, "", nil))
	}
	for v := range int16(5) {
		m.call(fmt.Sprintf("heartbeat of an unknown group v%d", v), m.heartbeat(v, g+"-none"))
		m.call(fmt.Sprintf("heartbeat without a group v%d", v), m.heartbeat(v, ""))
	}
	for v := range int16(6) {
		m.call(fmt.Sprintf("leave of an unknown group v%d", v), m.leave(v, g+"-none"))
		m.call(fmt.Sprintf("leave without a group v%d", v), m.leave(v, ""))
	}
}

// enter joins until the member has a generation.
func (m *groupMember) enter(version int16, group string) {
	resp := m.call(fmt.Sprintf("joins v%d", version), m.join(version, group, nil)).(*kmsg.JoinGroupResponse)
	if resp.ErrorCode == 79 {
		m.call(fmt.Sprintf("joins v%d", version), m.join(version, group, nil))
	}
}

func oneMember(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	for v := range int16(10) {
		if v > 0 && v < 4 || v == 6 || v == 8 {
			continue // as their neighbours; a join takes its three seconds
		}
		m, group := s.member(fmt.Sprintf("a%d", v)), fmt.Sprintf("%s-%d", g, v)
		m.enter(v, group)
		m.call("early heartbeat", m.heartbeat(min(v, 4), group))
		m.call("early commit", commitOf(max(2, v), group, t, func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = m.id, m.generation }))
		m.call("syncs", m.sync(min(v, 5), group, map[string]string{m.id: "mine"}))
		m.call("syncs again", m.sync(min(v, 5), group, nil))
		m.call("heartbeat", m.heartbeat(min(v, 4), group))
		m.call("commits", commitOf(max(2, v), group, t, func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = m.id, m.generation }))
		m.call("fetches", offsetsFetched(max(1, v), group, &t))
		m.call("is described", groupsDescribed(min(v, 6), group))
		m.call("joins again unchanged", m.join(v, group, nil))
		m.call("leaves", m.leave(min(v, 5), group))
		m.call("is described when gone", groupsDescribed(min(v, 6), group))
		m.leaveConnection()
	}
}

func twoMembers(s *scene) {
	g := s.group("g")
	s.ready(g)
	a, b := s.member("a"), s.member("b")
	defer a.leaveConnection()
	defer b.leaveConnection()
	a.enter(9, g)
	a.call("syncs", a.sync(5, g, map[string]string{a.id: "all"}))
	b.call("asks for an id", b.join(9, g, nil))
	b.call("another protocol", b.join(9, g, func(r *kmsg.JoinGroupRequest) { r.Protocols[0].Name = "other" }))
	b.call("another type", b.join(9, g, func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "connect" }))
	joining := b.join(9, g, nil)
	b.write(joining)
	s.until(func() bool {
		return s.must("heartbeat", a.heartbeat(4, g)).(*kmsg.HeartbeatResponse).ErrorCode == 27
	})
	a.call("heartbeat in a rebalance", a.heartbeat(4, g))
	a.call("sync in a rebalance", a.sync(5, g, nil))
	a.call("is described in a rebalance", groupsDescribed(6, g))
	a.call("joins again", a.join(9, g, nil))
	b.read("b joins", joining)
	a.call("heartbeat before the sync", a.heartbeat(4, g))
	a.call("is described before the sync", groupsDescribed(6, g))
	a.generation--
	a.call("an old generation's sync", a.sync(5, g, nil))
	a.call("an old generation's heartbeat", a.heartbeat(4, g))
	a.generation++
	wrong := a.sync(5, g, nil)
	wrong.Protocol = kmsg.StringPtr("other")
	a.call("another protocol's sync", wrong)
	wrong.Protocol, wrong.ProtocolType = nil, nil
	a.call("no protocol's sync", wrong)
	syncing := b.sync(5, g, nil)
	b.write(syncing)
	a.call("syncs", a.sync(5, g, map[string]string{a.id: "one", b.id: "two", "who": "three"}))
	b.read("b syncs", syncing)
	b.call("joins again unchanged", b.join(9, g, nil))
	a.call("is described", groupsDescribed(6, g))
	b.call("leaves", b.leave(5, g))
	s.until(func() bool {
		return s.must("heartbeat", a.heartbeat(4, g)).(*kmsg.HeartbeatResponse).ErrorCode == 27
	})
	a.call("joins alone", a.join(9, g, nil))
	a.call("leaves before the sync", a.leave(2, g))
}

func staticMembers(s *scene) {
	g := s.group("g")
	s.ready(g)
	for _, v := range []int16{5, 9} {
		group := fmt.Sprintf("%s-%d", g, v)
		a := s.member(fmt.Sprintf("a%d", v))
		a.instance = kmsg.StringPtr("ia")
		a.call("joins", a.join(v, group, nil))
		a.call("syncs", a.sync(5, group, map[string]string{a.id: "all"}))
		again := s.member(fmt.Sprintf("again%d", v))
		again.instance = a.instance
		again.call("takes the place", again.join(v, group, nil))
		again.call("syncs", again.sync(5, group, map[string]string{again.id: "other"}))
		a.call("is fenced in a heartbeat", a.heartbeat(4, group))
		a.call("is fenced in a sync", a.sync(5, group, nil))
		a.call("is fenced in a join", a.join(v, group, nil))
		a.call("is fenced in leaving", a.leave(5, group))
		stranger := s.member(fmt.Sprintf("x%d", v))
		stranger.id, stranger.instance, stranger.generation = again.id, kmsg.StringPtr("ix"), again.generation
		stranger.call("unknown instance", stranger.heartbeat(4, group))
		stranger.call("unknown instance joins", stranger.join(v, group, nil))
		again.call("is described", groupsDescribed(6, group))
		out := again.leave(5, group)
		out.Members[0].MemberID = ""
		again.call("is taken out by name", out)
		again.call("is taken out twice", out)
		for _, m := range []*groupMember{a, again, stranger} {
			m.leaveConnection()
		}
	}
}

func commitRefusals(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	m.enter(9, g)
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	for v := int16(2); v <= 10; v++ {
		for _, c := range []struct {
			name   string
			change func(*kmsg.OffsetCommitRequest)
		}{
			{"member", func(r *kmsg.OffsetCommitRequest) {}},
			{"old generation", func(r *kmsg.OffsetCommitRequest) { r.Generation-- }},
			{"unknown member", func(r *kmsg.OffsetCommitRequest) { r.MemberID = "who" }},
			{"from outside", func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = "", -1 }},
			{"member without generation", func(r *kmsg.OffsetCommitRequest) { r.Generation = -1 }},
			{"unknown instance", func(r *kmsg.OffsetCommitRequest) { r.InstanceID = kmsg.StringPtr("who") }},
			{"unknown group with a generation", func(r *kmsg.OffsetCommitRequest) { r.Group = g + "-none" }},
			{"unknown topic", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Topic, r.Topics[0].TopicID = "__none", [16]byte{1} }},
			{"unknown partition", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Partitions[0].Partition = 9 }},
			{"long metadata", func(r *kmsg.OffsetCommitRequest) {
				r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("x", 4097))
			}},
			{"longest metadata", func(r *kmsg.OffsetCommitRequest) {
				r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("é", 4096))
			}},
			{"no metadata", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Partitions[0].Metadata = nil }},
			{"negative offset", func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Partitions[0].Offset = -1 }},
			{"no topics", func(r *kmsg.OffsetCommitRequest) { r.Topics = nil }},
		} {
			req := commitOf(v, g, t, func(r *kmsg.OffsetCommitRequest) { r.MemberID, r.Generation = m.id, m.generation })
			c.change(req)
			m.call(fmt.Sprintf("%s v%d", c.name, v), req)
		}
	}
	m.call("leaves", m.leave(5, g))
	m.call("commits from outside", commitOf(9, g, t, nil))
	m.call("is described", groupsDescribed(6, g))
}

func offsetsEveryVersion(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	for v := int16(2); v <= 10; v++ {
		group := fmt.Sprintf("%s-%d", g, v)
		s.send(fmt.Sprintf("commit v%d", v), commitOf(v, group, t, nil))
		for f := int16(1); f <= 10; f++ {
			if v != 2 && v != 10 && f != v {
				continue
			}
			s.send(fmt.Sprintf("v%d fetched v%d", v, f), offsetsFetched(f, group, &t))
			if f >= 2 {
				s.send(fmt.Sprintf("v%d all fetched v%d", v, f), offsetsFetched(f, group, nil))
			}
		}
	}
	for f := int16(1); f <= 10; f++ {
		s.send(fmt.Sprintf("unknown group v%d", f), offsetsFetched(f, g+"-none", &t))
		s.send(fmt.Sprintf("unknown topic v%d", f), offsetsFetched(f, g+"-2", &topic{name: "__none", id: [16]byte{1}}))
		s.send(fmt.Sprintf("no group v%d", f), offsetsFetched(f, "", &t))
		if f >= 2 {
			s.send(fmt.Sprintf("all of an unknown group v%d", f), offsetsFetched(f, g+"-none", nil))
		}
		if f >= 7 {
			req := offsetsFetched(f, g+"-2", &t)
			req.RequireStable = true
			s.send(fmt.Sprintf("stable v%d", f), req)
		}
	}
}

func leaving(s *scene) {
	g := s.group("g")
	s.ready(g)
	for v := range int16(6) {
		group := fmt.Sprintf("%s-%d", g, v)
		m := s.member(fmt.Sprintf("a%d", v))
		m.call("asks for an id", m.join(9, group, nil))
		m.call(fmt.Sprintf("leaves while pending v%d", v), m.leave(v, group))
		m.call(fmt.Sprintf("leaves twice v%d", v), m.leave(v, group))
		empty := m.leave(v, group)
		empty.MemberID, empty.Members = "", nil
		m.call(fmt.Sprintf("nobody leaves v%d", v), empty)
		m.leaveConnection()
	}
}

func listOfGroups(version int16, states, types []string) *kmsg.ListGroupsRequest {
	req := kmsg.NewPtrListGroupsRequest()
	req.SetVersion(version)
	req.StatesFilter, req.TypesFilter = states, types
	return req
}

// list shows this story's groups only.
func (s *scene) list(label string, req *kmsg.ListGroupsRequest) {
	resp := s.must("list groups", req).(*kmsg.ListGroupsResponse)
	mine := map[string]kmsg.ListGroupsResponseGroup{}
	for _, g := range resp.Groups {
		if strings.HasPrefix(g.Group, s.run+"-") {
			mine[g.Group] = g
		}
	}
	label = s.step(label)
	s.lines.add(label, "ErrorCode", fmt.Sprint(resp.ErrorCode))
	for _, suffix := range []string{"busy", "idle", "new"} {
		g, ok := mine[s.run+"-"+suffix]
		s.lines.add(label, suffix, fmt.Sprintf("%v %q %q %q", ok, g.ProtocolType, g.GroupState, g.GroupType))
	}
}

func describeAndList(s *scene) {
	t := s.create("t", 2)
	g := s.group("busy")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	m.enter(9, g)
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	s.send("commit from outside", commitOf(9, s.group("idle"), t, nil))
	m2 := s.member("b")
	defer m2.leaveConnection()
	m2.call("asks for an id", m2.join(9, s.group("new"), nil))
	s.seen(s.group("new"))
	for v := range int16(7) {
		s.send(fmt.Sprintf("describe v%d", v), groupsDescribed(v, g, s.group("idle"), s.group("new"), s.group("none")))
		s.send(fmt.Sprintf("describe without a name v%d", v), groupsDescribed(v, ""))
	}
	s.send("describe nothing", groupsDescribed(6))
	for v := range int16(6) {
		s.list(fmt.Sprintf("list v%d", v), listOfGroups(v, nil, nil))
	}
	s.list("stable", listOfGroups(4, []string{"stable"}, nil))
	s.list("Empty", listOfGroups(5, []string{"Empty"}, nil))
	s.list("none such", listOfGroups(4, []string{"none"}, nil))
	s.list("classic", listOfGroups(5, nil, []string{"Classic"}))
	s.list("consumer", listOfGroups(5, nil, []string{"consumer"}))
	s.list("classic and empty", listOfGroups(5, []string{"EMPTY"}, []string{"classic"}))
}

func deletionOf(version int16, groups ...string) *kmsg.DeleteGroupsRequest {
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.SetVersion(version)
	req.Groups = groups
	return req
}

func deleteGroups(s *scene) {
	t := s.create("t", 2)
	g := s.group("g")
	s.ready(g)
	m := s.member("a")
	defer m.leaveConnection()
	m.enter(9, g)
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	for v := range int16(4) {
		idle := fmt.Sprintf("%s-%d", s.group("idle"), v)
		s.send(fmt.Sprintf("commit %d", v), commitOf(9, idle, t, nil))
		s.send(fmt.Sprintf("delete idle v%d", v), deletionOf(v, idle))
		s.send(fmt.Sprintf("fetch of deleted %d", v), offsetsFetched(7, idle, &t))
		s.send(fmt.Sprintf("describe deleted %d", v), groupsDescribed(6, idle))
		s.send(fmt.Sprintf("delete busy v%d", v), deletionOf(v, g))
		s.send(fmt.Sprintf("delete unknown v%d", v), deletionOf(v, s.group("none")))
		s.send(fmt.Sprintf("delete no name v%d", v), deletionOf(v, ""))
		s.send(fmt.Sprintf("delete nothing v%d", v), deletionOf(v))
	}
	m.call("leaves", m.leave(5, g))
	s.send("delete what was left", deletionOf(3, g, g))
}

func deleteOffsets(s *scene) {
	t, other := s.create("t", 2), s.create("other", 2)
	g := s.group("g")
	s.ready(g)
	deletion := func(group string, names ...string) *kmsg.OffsetDeleteRequest {
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = group
		for _, name := range names {
			row := kmsg.NewOffsetDeleteRequestTopic()
			row.Topic = name
			for _, p := range []int32{0, 1, 9} {
				part := kmsg.NewOffsetDeleteRequestTopicPartition()
				part.Partition = p
				row.Partitions = append(row.Partitions, part)
			}
			req.Topics = append(req.Topics, row)
		}
		return req
	}
	s.send("commit", commitOf(9, g, t, nil))
	s.send("commit other", commitOf(9, g, other, nil))
	m := s.member("a")
	defer m.leaveConnection()
	s.lines.hide(fmt.Sprintf("%x", subscriptionTo(t.name)), "SUBSCRIPTION")
	mine := func(r *kmsg.JoinGroupRequest) { r.Protocols[0].Metadata = subscriptionTo(t.name) }
	m.call("asks for an id", m.join(9, g, mine))
	m.call("joins", m.join(9, g, mine))
	m.call("syncs", m.sync(5, g, map[string]string{m.id: "all"}))
	s.send("delete in a live group", deletion(g, t.name, other.name, "__none"))
	s.send("delete of an unknown group", deletion(s.group("none"), t.name))
	s.send("delete without a group", deletion("", t.name))
	s.send("delete of unknown topics", deletion(g, "__none"))
	s.send("what is left", offsetsFetched(7, g, &t))
	s.send("what is left of other", offsetsFetched(7, g, &other))
	m.call("leaves", m.leave(5, g))
	s.send("delete in an empty group", deletion(g, t.name))
	s.send("what is left then", offsetsFetched(7, g, &t))
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
