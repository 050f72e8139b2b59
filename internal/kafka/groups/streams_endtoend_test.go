package groups_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/wire"
)

// streamer is a member of a streams group that counts words, on requests of its
// own.
type streamer struct {
	n       *node
	r       *raw
	id      string
	version int16
	epoch   int32
	has     [3][]kmsg.TaskIDs
}

func (n *node) streamer(id string, version int16) *streamer {
	n.t.Helper()
	if err := n.admin().FindGroupCoordinators(n.ctx, "words").Error(); err != nil { // which makes their topic
		n.t.Fatal(err)
	}
	return &streamer{n: n, r: n.raw(), id: id, version: version}
}

// request is the next heartbeat; the first brings the topology.
func (s *streamer) request() *kmsg.StreamsGroupHeartbeatRequest {
	req := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch, req.EndpointInformationEpoch = "words", s.id, s.epoch, -1
	req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = s.has[0], s.has[1], s.has[2]
	if s.epoch != 0 {
		return req
	}
	first, second := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology(), kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
	first.SubtopologyID, first.SourceTopics, first.RepartitionSinkTopics = "0", []string{s.n.topic}, []string{"words-repartition"}
	second.SubtopologyID = "1"
	second.RepartitionSourceTopics = []kmsg.TopicInfo{{Topic: "words-repartition"}}
	second.StateChangelogTopics = []kmsg.TopicInfo{{Topic: "words-changelog", Configs: []kmsg.TopicInfoConfig{{Key: "cleanup.policy", Value: "compact"}}}}
	req.Topology = &kmsg.StreamsGroupHeartbeatRequestTopology{Subtopologies: []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{first, second}}
	req.ProcessID, req.RebalanceTimeoutMillis = &s.id, 60000
	req.UserEndpoint = &kmsg.StreamsGroupHeartbeatRequestUserEndpoint{Host: s.id, Port: 65000}
	req.ClientTags = []kmsg.StreamsGroupHeartbeatRequestClientTag{{Key: "zone", Value: "z1"}}
	req.TaskOffsets = []kmsg.TaskOffset{{SubtopologyID: "1", Partition: 0, Offset: 3}}
	req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	return req
}

// ask sends a heartbeat, again while the coordinator is on its way, as clients
// do.
func (s *streamer) ask(req *kmsg.StreamsGroupHeartbeatRequest) *kmsg.StreamsGroupHeartbeatResponse {
	s.n.t.Helper()
	for {
		s.r.write(s.version, req)
		resp := s.r.read(req, s.r.corr).(*kmsg.StreamsGroupHeartbeatResponse)
		switch wire.Code(resp.ErrorCode) {
		case wire.CoordinatorNotAvailable, wire.CoordinatorLoadInProgress, wire.NotCoordinator:
			if s.n.ctx.Err() == nil {
				continue
			}
		}
		return resp
	}
}

// beat reports and takes over what is answered.
func (s *streamer) beat() *kmsg.StreamsGroupHeartbeatResponse {
	s.n.t.Helper()
	resp := s.ask(s.request())
	if resp.ErrorCode != 0 {
		s.n.t.Fatalf("%s: %s %v", s.id, wire.Code(resp.ErrorCode).Name(), resp.ErrorMessage)
	}
	if s.epoch = resp.MemberEpoch; resp.ActiveTasks != nil {
		s.has = [3][]kmsg.TaskIDs{resp.ActiveTasks, resp.StandbyTasks, resp.WarmupTasks}
	}
	return resp
}

func (s *streamer) tasks() int {
	n := 0
	for _, t := range s.has[0] {
		n += len(t.Partitions)
	}
	return n
}

// settle lets members report until they have some active tasks each.
func settle(n *node, tasks int, all ...*streamer) {
	n.t.Helper()
	for n.ctx.Err() == nil {
		done := true
		for _, s := range all {
			s.beat()
			done = done && s.tasks() == tasks
		}
		if done {
			return
		}
	}
	n.t.Fatalf("the members do not come to %d tasks each", tasks)
}

func (n *node) describeStreams(group string) kmsg.StreamsGroupDescribeResponseGroup {
	n.t.Helper()
	req := kmsg.NewPtrStreamsGroupDescribeRequest()
	req.Groups, req.IncludeAuthorizedOperations, req.IncludeTopologyDescription = []string{group}, true, true
	r := n.raw()
	r.write(1, req)
	return r.read(req, r.corr).(*kmsg.StreamsGroupDescribeResponse).Groups[0]
}

// streamy are settings under which a streams group waits for nobody.
func streamy() map[string]string {
	s := quick()
	s["group.streams.initial.rebalance.delay.ms"] = "0"
	return s
}

func TestAStreamsApplicationGetsItsTasksAndItsTopics(t *testing.T) {
	for version := range int16(2) {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			n := startNode(t, 2, ottla.Options{Settings: streamy()})
			a := n.streamer("a", version)
			if first := a.beat(); len(first.Status) != 1 || first.Status[0].StatusCode != 3 {
				t.Errorf("the first answer has status %+v, want that internal topics are missing", first.Status)
			}
			settle(n, 4, a)
			b := n.streamer("b", version)
			settle(n, 2, a, b)
			resp := a.ask(a.request())
			if len(resp.PartitionsByUserEndpoint) != 2 || resp.PartitionsByUserEndpoint[0].UserEndpoint.Port != 65000 {
				t.Errorf("endpoints are %+v", resp.PartitionsByUserEndpoint)
			}
			for _, topic := range []string{"words-repartition", "words-changelog"} {
				got, err := n.admin().ListTopics(n.ctx, topic)
				if err != nil || len(got[topic].Partitions) != 2 {
					t.Errorf("%s is %+v, %v, want two partitions", topic, got[topic], err)
				}
			}
			d := n.describeStreams("words")
			if d.State != "Stable" || len(d.Members) != 2 || d.Topology == nil || len(d.Topology.Subtopologies) != 2 || *d.AssignorName != "sticky" || d.TopologyDescriptionStatus != 1 {
				t.Errorf("the group is %+v", d)
			}
			if m := d.Members[0]; m.ProcessID != "a" || m.UserEndpoint.Host != "a" || len(m.ClientTags) != 1 || len(m.TaskOffsets) != 1 || len(m.Assignment.ActiveTasks) != len(m.TargetAssignment.ActiveTasks) {
				t.Errorf("a member is %+v", m)
			}
			groups, err := n.admin().ListGroups(n.ctx)
			if err != nil || groups["words"].GroupType != "streams" || groups["words"].ProtocolType != "streams" {
				t.Errorf("the group is listed as %+v, %v", groups["words"], err)
			}
			leave := a.request()
			leave.MemberEpoch = -1
			if resp := a.ask(leave); resp.ErrorCode != 0 || resp.MemberEpoch != -1 {
				t.Errorf("a member leaves and hears %+v", resp)
			}
			settle(n, 4, b)
		})
	}
}

func TestAStreamsGroupGoesOnAfterARestart(t *testing.T) {
	n := startNode(t, 2, ottla.Options{Dir: t.TempDir(), Settings: streamy()})
	a := n.streamer("a", 1)
	settle(n, 4, a)
	before := a.epoch
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n.start()
	a.r = n.raw()
	if resp := a.beat(); resp.MemberEpoch != before {
		t.Errorf("after the restart the member is at %d, was at %d", resp.MemberEpoch, before)
	}
}

func TestStreamsRequestsOutOfPlaceAreRefused(t *testing.T) {
	n := startNode(t, 1, ottla.Options{Settings: streamy()})
	settle(n, 2, n.streamer("a", 1))
	if d := n.describeStreams("nobody"); wire.Code(d.ErrorCode) != wire.GroupIDNotFound || *d.ErrorMessage != "Group nobody not found." {
		t.Errorf("a group that is not there is %+v", d)
	}
	if d := n.describeStreams(""); wire.Code(d.ErrorCode) != wire.InvalidGroupID {
		t.Errorf("a group without a name is %+v", d)
	}
	req := kmsg.NewPtrStreamsGroupTopologyDescriptionUpdateRequest()
	req.Group, req.MemberID = "words", "a"
	r := n.raw()
	r.write(0, req)
	got := r.read(req, r.corr).(*kmsg.StreamsGroupTopologyDescriptionUpdateResponse)
	if wire.Code(got.ErrorCode) != wire.UnsupportedVersion || *got.ErrorMessage != "The broker has no streams group topology description plugin configured." {
		t.Errorf("a description is answered with %+v", got)
	}
}

func TestANodeMayLeaveStreamsGroupsOut(t *testing.T) {
	s := streamy()
	s["group.coordinator.rebalance.protocols"] = "classic,consumer"
	n := startNode(t, 1, ottla.Options{Settings: s})
	a := n.streamer("a", 1)
	if resp := a.ask(a.request()); wire.Code(resp.ErrorCode) != wire.UnsupportedVersion {
		t.Errorf("a heartbeat is answered with %+v", resp)
	}
	if d := n.describeStreams("words"); wire.Code(d.ErrorCode) != wire.UnsupportedVersion {
		t.Errorf("a description is %+v", d)
	}
}

func TestWhyInternalTopicsAreNotMadeIsTold(t *testing.T) {
	n := startNode(t, 1, ottla.Options{Settings: streamy()})
	a := n.streamer("a", 1)
	first := a.request()
	first.Topology.Subtopologies[1].StateChangelogTopics[0].Configs[0].Value = "nonsense"
	resp := a.ask(first)
	if resp.ErrorCode != 0 || len(resp.Status) != 1 {
		t.Fatalf("the first answer is %+v", resp)
	}
	a.epoch = resp.MemberEpoch
	for n.ctx.Err() == nil {
		resp := a.beat()
		if len(resp.Status) == 1 && strings.Contains(resp.Status[0].StatusDetail, "; Creation failed: words-changelog (") {
			if strings.Contains(resp.Status[0].StatusDetail, "words-repartition") {
				t.Errorf("the other topic was made, and the status is %+v", resp.Status)
			}
			return
		}
	}
	t.Fatal("nobody says why a topic is not made")
}
