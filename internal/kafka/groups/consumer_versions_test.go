package groups_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/wire"
)

// beatOf is the first heartbeat of a member.
func (n *node) beatOf(version int16, group, id string) *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.SetVersion(version)
	req.Group, req.MemberID, req.RebalanceTimeoutMillis = group, id, 60000
	req.SubscribedTopicNames, req.Topics = []string{n.topic}, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	return req
}

// ask sends a request in the version that it has.
func ask[R kmsg.Response](n *node, req kmsg.Request) R {
	n.t.Helper()
	return call[R](n.raw(), req.GetVersion(), req)
}

// ready makes the coordinators of the node.
func (n *node) ready() {
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.SetVersion(4)
	find.CoordinatorKeys = []string{"g"}
	ask[*kmsg.FindCoordinatorResponse](n, find)
}

func TestHeartbeatsOfBothVersionsBringPartitions(t *testing.T) {
	n := startNode(t, 3, ottla.Options{})
	n.ready()
	for version, id := range []string{"", "mine"} {
		got := ask[*kmsg.ConsumerGroupHeartbeatResponse](n, n.beatOf(int16(version), "g"+id, id))
		if got.ErrorCode != 0 || got.MemberID == nil || *got.MemberID == "" || id != "" && *got.MemberID != id || got.MemberEpoch != 2 {
			t.Fatalf("version %d: %+v", version, got)
		}
		if got.Assignment == nil || len(got.Assignment.Topics) != 1 || len(got.Assignment.Topics[0].Partitions) != 3 {
			t.Errorf("version %d: the first answer has %+v, want all partitions", version, got.Assignment)
		}
		again := n.beatOf(int16(version), "g"+id, *got.MemberID)
		again.MemberEpoch, again.RebalanceTimeoutMillis, again.SubscribedTopicNames, again.Topics = 2, -1, nil, nil
		if quiet := ask[*kmsg.ConsumerGroupHeartbeatResponse](n, again); quiet.ErrorCode != 0 || quiet.Assignment != nil || quiet.MemberEpoch != 2 {
			t.Errorf("version %d: no news are answered with %+v", version, quiet)
		}
	}
	none := n.beatOf(1, "g", "")
	if got := ask[*kmsg.ConsumerGroupHeartbeatResponse](n, none); got.ErrorCode != int16(wire.InvalidRequest) || got.ErrorMessage == nil {
		t.Errorf("version 1 without an id: %+v", got)
	}
}

func TestDescriptionsTellWhatIsOfAnotherType(t *testing.T) {
	n := startNode(t, 2, ottla.Options{})
	m := newTeam()
	m.join(n, "classic", "old")
	m.until(n.ctx, t, "all", func() bool { return m.settled(2, "classic") })
	if got := ask[*kmsg.ConsumerGroupHeartbeatResponse](n, n.beatOf(1, "new", "m")); got.ErrorCode != 0 {
		t.Fatalf("%+v", got)
	}
	for version := range int16(2) {
		req := kmsg.NewPtrConsumerGroupDescribeRequest()
		req.SetVersion(version)
		req.Groups, req.IncludeAuthorizedOperations = []string{"new", "old", "nobody", ""}, true
		got := ask[*kmsg.ConsumerGroupDescribeResponse](n, req).Groups
		for i, want := range []wire.Code{wire.None, wire.GroupIDNotFound, wire.GroupIDNotFound, wire.InvalidGroupID} {
			if got[i].ErrorCode != int16(want) {
				t.Errorf("version %d: %q has error %d, want %d", version, req.Groups[i], got[i].ErrorCode, want)
			}
		}
		g := got[0]
		if g.State != "Stable" || len(g.Members) != 1 || g.AuthorizedOperations == kmsg.NewConsumerGroupDescribeResponseGroup().AuthorizedOperations {
			t.Errorf("version %d: %+v", version, g)
		}
		if kind := g.Members[0].MemberType; kind != []int8{-1, 1}[version] {
			t.Errorf("version %d: the member is of type %d", version, kind)
		}
	}
	for version := int16(5); version <= 6; version++ {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.SetVersion(version)
		req.Groups = []string{"new"}
		got := ask[*kmsg.DescribeGroupsResponse](n, req).Groups[0]
		if got.State != "Dead" || (got.ErrorCode == int16(wire.GroupIDNotFound)) != (version == 6) {
			t.Errorf("version %d: %+v", version, got)
		}
	}
	for _, c := range []struct {
		types []string
		want  int
	}{{nil, 2}, {[]string{"CONSUMER"}, 1}, {[]string{"classic", "consumer"}, 2}, {[]string{"share"}, 0}} {
		req := kmsg.NewPtrListGroupsRequest()
		req.SetVersion(5)
		req.TypesFilter = c.types
		if got := ask[*kmsg.ListGroupsResponse](n, req).Groups; len(got) != c.want {
			t.Errorf("of types %q: %+v, want %d", c.types, got, c.want)
		}
	}
}

func TestOffsetsAreReadAtAMembersEpoch(t *testing.T) {
	n := startNode(t, 1, ottla.Options{})
	n.ready()
	if got := ask[*kmsg.ConsumerGroupHeartbeatResponse](n, n.beatOf(1, "g", "m")); got.ErrorCode != 0 {
		t.Fatalf("%+v", got)
	}
	member, stranger := "m", "who"
	for _, c := range []struct {
		member *string
		epoch  int32
		want   wire.Code
	}{{nil, -1, wire.None}, {&member, 2, wire.None}, {&member, 1, wire.StaleMemberEpoch}, {&stranger, 2, wire.UnknownMemberID}, {nil, 2, wire.UnknownMemberID}} {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.SetVersion(9)
		row := kmsg.NewOffsetFetchRequestGroup()
		row.Group, row.MemberID, row.MemberEpoch = "g", c.member, c.epoch
		req.Groups = append(req.Groups, row)
		if got := ask[*kmsg.OffsetFetchResponse](n, req).Groups[0]; got.ErrorCode != int16(c.want) {
			t.Errorf("at epoch %d: error %d, want %d", c.epoch, got.ErrorCode, c.want)
		}
	}
}

func TestANodeMayLeaveTheConsumerProtocolOut(t *testing.T) {
	settings := quick()
	settings["group.coordinator.rebalance.protocols"] = "classic"
	n := startNode(t, 1, ottla.Options{Settings: settings})
	n.ready()
	if got := ask[*kmsg.ConsumerGroupHeartbeatResponse](n, n.beatOf(1, "g", "m")); got.ErrorCode != int16(wire.UnsupportedVersion) {
		t.Errorf("got error %d, want UNSUPPORTED_VERSION", got.ErrorCode)
	}
}
