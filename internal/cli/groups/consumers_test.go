package groups

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

func set(topic string, parts ...int32) kadm.TopicsSet {
	s := kadm.TopicsSet{}
	s.Add(topic, parts...)
	return s
}

func TestAGroupThatTheServerAssignsIsReadFromItsDescription(t *testing.T) {
	instance := "i"
	g := ofConsumers(&kadm.DescribedConsumerGroup{
		Group: "g", State: "Reconciling", Epoch: 5, AssignmentEpoch: 4, AssignorName: "uniform", Coordinator: kadm.BrokerDetail{NodeID: 3},
		Members: []kadm.ConsumerGroupMember{
			{MemberID: "b", ClientID: "cb", ClientHost: "/10.0.0.2", MemberEpoch: 4, Assignment: set("t", 2), TargetAssignment: set("t", 2, 1)},
			{MemberID: "a", InstanceID: &instance, ClientHost: "/10.0.0.1", MemberEpoch: 3, Assignment: set("t", 1, 0)},
		},
	})
	if g.Type != "consumer" || g.Epoch != 5 || g.AssignmentEpoch != 4 || g.Protocol != "uniform" || g.Coordinator != 3 || len(g.Members) != 2 {
		t.Errorf("got %+v", g)
	}
	a, b := g.Members[0], g.Members[1]
	if a.ID != "a" || a.Instance != "i" || a.Host != "10.0.0.1" || a.Epoch != 3 || len(a.Target) != 0 || len(a.Assigned) != 2 || a.Assigned[0].Partition != 0 {
		t.Errorf("the first member is %+v", a)
	}
	if b.ID != "b" || b.Epoch != 4 || len(b.Target) != 2 || b.Target[0].Partition != 1 {
		t.Errorf("the second member is %+v", b)
	}
}

// Each partition that somebody has or that was committed has a row; lag is
// known where both ends are.
func TestPositionsOfAGroupAreThoseAssignedAndThoseCommitted(t *testing.T) {
	g := &Group{Name: "g", Members: []Member{{ID: "a", Assigned: []TopicPartition{{"t", 1}, {"t", 0}}}}}
	committed := kadm.OffsetResponses{}
	committed.Add(kadm.OffsetResponse{Offset: kadm.Offset{Topic: "t", Partition: 0, At: 7, LeaderEpoch: 2}})
	committed.Add(kadm.OffsetResponse{Offset: kadm.Offset{Topic: "s", Partition: 4, At: 3, LeaderEpoch: -1}})
	g.place(committed)
	ends := kadm.ListedOffsets{
		"t": {0: {Topic: "t", Partition: 0, Offset: 10}, 1: {Topic: "t", Partition: 1, Offset: 5}},
		"s": {4: {Topic: "s", Partition: 4, Err: errors.New("gone")}},
	}
	for i := range g.Partitions {
		g.Partitions[i].measure(ends)
	}
	want := []struct {
		at                  TopicPartition
		committed, end, lag int64
		member              bool
	}{{TopicPartition{"s", 4}, 3, -1, -1, false}, {TopicPartition{"t", 0}, 7, 10, 3, true}, {TopicPartition{"t", 1}, -1, 5, -1, true}}
	if len(g.Partitions) != len(want) {
		t.Fatalf("got %+v", g.Partitions)
	}
	for i, w := range want {
		p := g.Partitions[i]
		if p.TopicPartition != w.at || p.Committed != w.committed || p.End != w.end || p.Lag != w.lag || (p.Member != nil) != w.member {
			t.Errorf("row %d is %+v, want %+v", i, p, w)
		}
	}
	p := Partition{TopicPartition: TopicPartition{"t", 0}, Committed: 12}
	if p.measure(ends); p.Lag != 0 || p.Behind != 0 {
		t.Errorf("a commit past the end lags %d", p.Lag)
	}
}
