package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func streamsMemberStories() []story {
	return []story{
		{"streams/two members", twoStreamers},
		{"streams/static members", staticStreamers},
		{"streams/offsets", streamsOffsets},
		{"streams/endpoints", streamsEndpoints},
	}
}

// stateless leaves the member one subtopology that reads a topic and writes
// none.
func (m *streamer) stateless() *streamer {
	m.topology.Subtopologies = m.topology.Subtopologies[:1]
	m.topology.Subtopologies[0].RepartitionSinkTopics = nil
	return m
}

// share lets members report until each has a number of tasks.
func (s *scene) share(tasks int, all ...*streamer) {
	s.until(func() bool {
		done := true
		for _, m := range all {
			resp := m.ask(m.beat()).(*kmsg.StreamsGroupHeartbeatResponse)
			if resp.ErrorCode != 0 {
				panic(broken{fmt.Errorf("%s reports: error %d %s", m.name, resp.ErrorCode, stringOf(resp.ErrorMessage))})
			}
			m.took(resp)
			n := 0
			for _, t := range m.has[0] {
				n += len(t.Partitions)
			}
			done = done && n == tasks
		}
		s.pause()
		return done
	})
	s.lines.add(s.step("shared"), "tasks each", fmt.Sprint(tasks))
}

// states notes a group's state and how many tasks its members have.
func (s *scene) states(label, group string) {
	req := kmsg.NewPtrStreamsGroupDescribeRequest()
	req.SetVersion(1)
	req.Groups = []string{group}
	label = s.step(label)
	for _, d := range s.must("describe", req).(*kmsg.StreamsGroupDescribeResponse).Groups {
		s.lines.add(label, "state", d.State)
		for _, m := range d.Members {
			s.lines.add(label, m.MemberID, fmt.Sprint(textOf(m.InstanceID), " ", len(m.Assignment.ActiveTasks), " ", len(m.TargetAssignment.ActiveTasks), " ", m.MemberEpoch < 0))
		}
	}
}

func twoStreamers(s *scene) {
	g := s.streamsGroup("g")
	t := s.create("t", 4)
	a, b := s.streamer("a", g, t).stateless(), s.streamer("b", g, t).stateless()
	s.share(4, a)
	s.share(2, a, b)
	s.states("described", g)
	leave := a.beat()
	leave.MemberEpoch = -1
	a.beats("leaves", leave)
	s.share(4, b)
	s.states("described again", g)
}

func staticStreamers(s *scene) {
	g := s.streamsGroup("g")
	t := s.create("t", 2)
	a, twin := s.streamer("a", g, t).stateless(), s.streamer("twin", g, t).stateless()
	instance := "i"
	static := func(m *streamer, epoch int32) *kmsg.StreamsGroupHeartbeatRequest {
		req := m.beat()
		if req.InstanceID = &instance; epoch < 0 {
			req.MemberEpoch, req.Topology = epoch, nil
		}
		return req
	}
	s.until(func() bool {
		a.took(a.ask(static(a, 0)).(*kmsg.StreamsGroupHeartbeatResponse))
		s.pause()
		return len(a.has[0]) == 1
	})
	twin.beats("joins beside it", static(twin, 0))
	a.beats("leaves for a while", static(a, -2))
	s.states("described while it is away", g)
	twin.beats("takes its place", static(twin, 0))
	s.states("described", g)
	a.beats("reports late", static(a, 0))
	a.epoch = 3
	a.beats("reports as before", static(a, 0))
	twin.beats("leaves", static(twin, -1))
	s.states("described empty", g)
}

func streamsOffsets(s *scene) {
	g := s.streamsGroup("g")
	t := s.create("t", 2)
	m := s.streamer("m", g, t).stateless()
	s.share(2, m)
	commit := func(label string, id string, epoch int32, version int16) {
		req := commitOf(version, g, t, nil)
		req.MemberID, req.Generation = id, epoch
		s.send(label, req)
	}
	commit("commit", m.id, m.epoch, 9)
	commit("commit ahead", m.id, m.epoch+7, 9)
	commit("commit of an old version", m.id, m.epoch, 8)
	commit("commit as a stranger", "stranger", 1, 9)
	fetch := func(label, id string, epoch int32) {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.SetVersion(9)
		row := kmsg.NewOffsetFetchRequestGroup()
		row.Group, row.MemberEpoch = g, epoch
		if id != "" {
			row.MemberID = &id
		}
		row.Topics = []kmsg.OffsetFetchRequestGroupTopic{{Topic: t.name, Partitions: []int32{0}}}
		req.Groups = []kmsg.OffsetFetchRequestGroup{row}
		s.send(label, req)
	}
	fetch("fetch", m.id, m.epoch)
	fetch("fetch ahead", m.id, m.epoch+7)
	fetch("fetch as a stranger", "stranger", 1)
	fetch("fetch as nobody", "", -1)
	del := kmsg.NewPtrOffsetDeleteRequest()
	del.Group = g
	del.Topics = []kmsg.OffsetDeleteRequestTopic{{Topic: t.name, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}}}
	s.send("delete offsets that are read", del)
	leave := m.beat()
	leave.MemberEpoch = -1
	m.beats("leaves", leave)
	commit("commit to an empty group", "", -1, 9)
	s.send("delete offsets", del)
}

func streamsEndpoints(s *scene) {
	g := s.streamsGroup("g")
	t := s.create("t", 2)
	m := s.streamer("m", g, t).stateless()
	req := m.beat()
	req.UserEndpoint = &kmsg.StreamsGroupHeartbeatRequestUserEndpoint{Host: "here", Port: 65535}
	m.took(m.ask(req).(*kmsg.StreamsGroupHeartbeatResponse))
	s.share(2, m)
	req = m.beat()
	req.EndpointInformationEpoch = -9
	resp := m.ask(req).(*kmsg.StreamsGroupHeartbeatResponse)
	s.lines.add(s.step("endpoints"), "partitions", fmt.Sprintf("%+v", resp.PartitionsByUserEndpoint))
	req.EndpointInformationEpoch = resp.EndpointInformationEpoch
	resp = m.ask(req).(*kmsg.StreamsGroupHeartbeatResponse)
	s.lines.add(s.step("nothing new"), "partitions", fmt.Sprint(resp.PartitionsByUserEndpoint == nil))
}
