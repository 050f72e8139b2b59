package main

import (
	"fmt"
	"sort"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func streamsStories() []story {
	return []story{
		{"streams/heartbeat refusals", streamsBeatRefusals},
		{"streams/word count", streamsWordCount},
		{"streams/topologies", streamsTopologies},
		{"streams/descriptions", streamsDescriptions},
		{"streams/types", streamsTypes},
	}
}

// streamer is a member of a streams group on a connection of its own.
type streamer struct {
	*groupMember
	group    string
	epoch    int32
	topology kmsg.StreamsGroupHeartbeatRequestTopology
	has      [3][]kmsg.TaskIDs
}

func (s *scene) streamer(name, group string, t topic) *streamer {
	m := &streamer{groupMember: s.member(name), group: group}
	m.id = s.run + "-" + name
	s.lines.hide(m.id, "ID-"+name)
	// Words are counted: a topic goes through a repartition topic into a store.
	first := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
	first.SubtopologyID, first.SourceTopics, first.RepartitionSinkTopics = "0", []string{t.name}, []string{group + "-repartition"}
	second := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
	second.SubtopologyID = "1"
	second.RepartitionSourceTopics = []kmsg.TopicInfo{{Topic: group + "-repartition", Configs: []kmsg.TopicInfoConfig{{Key: "cleanup.policy", Value: "delete"}}}}
	second.StateChangelogTopics = []kmsg.TopicInfo{{Topic: group + "-changelog", Configs: []kmsg.TopicInfoConfig{{Key: "cleanup.policy", Value: "compact"}}}}
	m.topology.Subtopologies = []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{first, second}
	return m
}

func (m *streamer) beat() *kmsg.StreamsGroupHeartbeatRequest {
	req := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	req.SetVersion(1)
	req.Group, req.MemberID, req.MemberEpoch = m.group, m.id, m.epoch
	req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = m.has[0], m.has[1], m.has[2]
	if m.epoch == 0 {
		t, process := m.topology, "process-"+m.name
		req.Topology, req.ProcessID, req.RebalanceTimeoutMillis = &t, &process, 60000
		req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	}
	return req
}

// beats sends a heartbeat and notes what is no matter of intervals.
func (m *streamer) beats(label string, req *kmsg.StreamsGroupHeartbeatRequest) *kmsg.StreamsGroupHeartbeatResponse {
	resp := m.ask(req).(*kmsg.StreamsGroupHeartbeatResponse)
	label = m.s.step(m.name + " " + label)
	m.s.lines.add(label, "ErrorCode", fmt.Sprint(resp.ErrorCode))
	if resp.ErrorCode != kerr.FencedMemberEpoch.Code { // it tells epochs, which count assignments
		m.s.lines.add(label, "ErrorMessage", textOf(resp.ErrorMessage))
	}
	if resp.ErrorCode == 0 {
		m.took(resp)
		m.s.lines.add(label, "MemberID", resp.MemberID)
		m.s.lines.add(label, "TaskOffsetIntervalMillis", fmt.Sprint(resp.TaskOffsetIntervalMillis))
		m.s.lines.add(label, "AcceptableRecoveryLag", fmt.Sprint(resp.AcceptableRecoveryLag))
		m.s.lines.add(label, "TopologyDescriptionRequired", fmt.Sprint(resp.TopologyDescriptionRequired))
		for _, st := range resp.Status {
			if st.StatusCode != 5 { // whether an assignment is delayed is a matter of intervals
				m.s.lines.add(label, fmt.Sprint("status ", st.StatusCode), st.StatusDetail)
			}
		}
	}
	return resp
}

func (m *streamer) took(resp *kmsg.StreamsGroupHeartbeatResponse) {
	m.epoch = resp.MemberEpoch
	if resp.ActiveTasks != nil {
		m.has = [3][]kmsg.TaskIDs{resp.ActiveTasks, resp.StandbyTasks, resp.WarmupTasks}
	}
}

// settles reports until the member has a number of tasks.
func (m *streamer) settles(tasks int) {
	m.s.until(func() bool {
		resp := m.ask(m.beat()).(*kmsg.StreamsGroupHeartbeatResponse)
		if resp.ErrorCode != 0 {
			panic(broken{fmt.Errorf("%s reports: %w", m.name, kerr.ErrorForCode(resp.ErrorCode))})
		}
		m.took(resp)
		n := 0
		for _, t := range m.has[0] {
			n += len(t.Partitions)
		}
		m.s.pause()
		return n == tasks
	})
	var text []string
	for _, t := range m.has[0] {
		text = append(text, fmt.Sprint(t.SubtopologyID, t.Partitions))
	}
	sort.Strings(text)
	m.s.lines.add(m.s.step(m.name+" settles"), "tasks", fmt.Sprint(text))
}

// streamsGroup names a group that waits for nobody.
func (s *scene) streamsGroup(suffix string) string {
	g := s.group(suffix)
	s.ready(g)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.SetVersion(1)
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, g
	for _, name := range []string{"streams.initial.rebalance.delay.ms", "streams.assignment.interval.ms"} {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = name, kmsg.StringPtr("0")
		r.Configs = append(r.Configs, c)
	}
	req.Resources = append(req.Resources, r)
	s.must("set the group up", req)
	s.caughtUp()
	return g
}

func streamsBeatRefusals(s *scene) {
	g := s.streamsGroup("g")
	t := s.create("t", 1)
	empty := ""
	for _, r := range []struct {
		name   string
		change func(*kmsg.StreamsGroupHeartbeatRequest)
	}{
		{"no group", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.Group = "" }},
		{"no id", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.MemberID = "" }},
		{"empty rack", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.RackID = &empty }},
		{"empty instance", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.InstanceID = &empty }},
		{"no timeout", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.RebalanceTimeoutMillis = -1 }},
		{"no tasks", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.ActiveTasks = nil }},
		{"standby tasks", func(r *kmsg.StreamsGroupHeartbeatRequest) {
			r.StandbyTasks = []kmsg.TaskIDs{{SubtopologyID: "0", Partitions: []int32{0}}}
		}},
		{"no topology", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.Topology = nil }},
		{"topology later", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.MemberEpoch = 1 }},
		{"one role alone", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.MemberEpoch, r.Topology, r.WarmupTasks = 1, nil, nil }},
		{"epoch -3", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.MemberEpoch = -3 }},
		{"epoch -2 without an instance", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.MemberEpoch = -2 }},
		{"epoch 3 of no group", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.MemberEpoch, r.Topology = 3, nil }},
		{"leaves no group", func(r *kmsg.StreamsGroupHeartbeatRequest) { r.MemberEpoch, r.Topology = -1, nil }},
		{"regular expression", func(r *kmsg.StreamsGroupHeartbeatRequest) {
			r.Topology.Subtopologies[0].SourceTopicRegex = []string{"a.*"}
		}},
		{"changelog with partitions", func(r *kmsg.StreamsGroupHeartbeatRequest) {
			r.Topology.Subtopologies[1].StateChangelogTopics[0].NumPartitions = 3
		}},
	} {
		m := s.streamer("m", g+"-none", t)
		req := m.beat()
		r.change(req)
		m.beats(r.name, req)
		m.leaveConnection()
	}
}

// describedStreams notes a group without what hangs on how often it was
// assigned.
func (s *scene) describedStreams(label string, groups ...string) {
	req := kmsg.NewPtrStreamsGroupDescribeRequest()
	req.SetVersion(1)
	req.Groups, req.IncludeAuthorizedOperations, req.IncludeTopologyDescription = groups, true, true
	resp := s.must("describe", req).(*kmsg.StreamsGroupDescribeResponse)
	label = s.step(label)
	for _, d := range resp.Groups {
		s.lines.add(label, d.Group, fmt.Sprint(d.ErrorCode, " ", textOf(d.ErrorMessage), " ", d.State, " ", d.Epoch == d.AssignmentEpoch, " ",
			d.AuthorizedOperations, " ", d.TopologyDescriptionStatus, " ", textOf(d.AssignorName)))
		if d.Topology != nil {
			s.lines.add(label, d.Group+" topology", fmt.Sprintf("%d %+v", d.Topology.Epoch, d.Topology.Subtopologies))
		}
		for _, m := range d.Members {
			s.lines.add(label, d.Group+" "+m.MemberID, fmt.Sprintf("%s %s %d %s %v %+v %+v %v %v", m.ClientID, textOf(m.RackID), m.TopologyEpoch,
				m.ProcessID, m.IsClassic, m.Assignment, m.TargetAssignment, m.TaskOffsets, m.ClientTags))
		}
	}
}

func streamsWordCount(s *scene) {
	g := s.streamsGroup("g")
	t := topic{name: s.run + "-t"}
	m := s.streamer("m", g, t)
	m.beats("joins before its topic", m.beat())
	s.describedStreams("described unready", g, g+"-none")
	s.create("t", 2)
	m.settles(4)
	s.describedStreams("described", g)
	m.beats("reports", m.beat())
	ahead := m.beat()
	ahead.MemberEpoch += 5
	m.beats("is ahead", ahead)
	wrong := m.beat()
	wrong.ActiveTasks = []kmsg.TaskIDs{{SubtopologyID: "7", Partitions: []int32{0}}}
	wrong.StandbyTasks, wrong.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	m.beats("has an unknown subtopology", wrong)
	wrong.ActiveTasks = []kmsg.TaskIDs{{SubtopologyID: "0", Partitions: []int32{2}}}
	m.beats("has an unknown task", wrong)
	x := s.streamer("x", g, t)
	x.epoch = 3
	stranger := x.beat()
	x.beats("is unknown", stranger)
	stop := m.beat()
	stop.ShutdownApplication = true
	m.beats("stops all", stop)
	leave := m.beat()
	leave.MemberEpoch = -1
	m.beats("leaves", leave)
	s.describedStreams("described empty", g)
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.SetVersion(2)
	req.Groups = []string{g}
	s.send("delete the group", req)
}

func streamsTopologies(s *scene) {
	g := s.streamsGroup("g")
	t := s.create("t", 2)
	m := s.streamer("m", g, t)
	m.topology.Epoch = 1
	m.settles(4)
	old := s.streamer("old", g, t)
	old.beats("joins with an older topology", old.beat())
	other := s.streamer("other", g, t)
	other.topology.Epoch = 1
	other.topology.Subtopologies = other.topology.Subtopologies[:1]
	other.beats("joins with another topology", other.beat())
	next := s.streamer("next", g, t)
	next.topology.Epoch = 2
	next.beats("joins with a newer topology", next.beat())
	h := s.streamsGroup("h")
	two, three := s.create("two", 2), s.create("three", 3)
	uneven := s.streamer("uneven", h, two)
	sub := &uneven.topology.Subtopologies[0]
	sub.SourceTopics = append(sub.SourceTopics, three.name)
	sub.CopartitionGroups = []kmsg.StreamsGroupHeartbeatRequestTopologySubtopologyCopartitionGroup{{SourceTopics: []int16{0, 1}}}
	uneven.beats("joins with uneven topics", uneven.beat())
}

func streamsDescriptions(s *scene) {
	g := s.streamsGroup("g")
	req := kmsg.NewPtrStreamsGroupTopologyDescriptionUpdateRequest()
	req.Group, req.MemberID = g, "m"
	s.send("describe a topology", req)
}

func streamsTypes(s *scene) {
	g := s.streamsGroup("g")
	t := s.create("t", 1)
	m := s.streamer("m", g, t)
	m.settles(2)
	c := s.consumer("c", g, t)
	c.beats("joins a streams group", c.joinWith(t.name))
	s.send("describe as a classic group", groupsDescribed(6, g))
	s.send("commit to a streams group", commitOf(9, g, t, nil))
	other := s.group("other")
	s.must("commit", commitOf(9, other, t, nil))
	s.describedStreams("described", other)
	list := kmsg.NewPtrListGroupsRequest()
	list.SetVersion(5)
	list.TypesFilter = []string{"streams"}
	for _, row := range s.must("list", list).(*kmsg.ListGroupsResponse).Groups {
		if row.Group == g {
			s.lines.add("listed", "row", fmt.Sprint(row.ProtocolType, " ", row.GroupState, " ", row.GroupType))
		}
	}
}
