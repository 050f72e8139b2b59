package topics

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/wire"
)

// reassignment is one partition of a request; nil replicas take one back.
func reassignment(topic string, index int32, replicas ...int32) kmsg.AlterPartitionAssignmentsRequestTopic {
	t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	t.Topic = topic
	p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
	p.Partition, p.Replicas = index, replicas
	t.Partitions = append(t.Partitions, p)
	return t
}

func TestReassignmentsAreDecidedByTheController(t *testing.T) {
	n := newNode(t, nil)
	n.register(2)
	n.must(controller.CreateTopics{Topics: []controller.NewTopic{{Name: "orders", Partitions: 2, Replicas: 1}}})
	for _, c := range []struct {
		what    string
		version int16
		free    bool // the factor may change
		topic   kmsg.AlterPartitionAssignmentsRequestTopic
		want    wire.Code
		text    string
	}{
		{"to where it is", 0, true, reassignment("orders", 0, 1), wire.None, ""},
		{"nothing to take back", 1, true, reassignment("orders", 0), wire.NoReassignmentInProgress, ""},
		{"an unknown topic", 1, true, reassignment("nope", 0, 1), wire.UnknownTopicOrPartition, "Unable to find a topic named nope."},
		{"an unknown partition", 1, true, reassignment("orders", 7, 1), wire.UnknownTopicOrPartition, "Unable to find partition orders:7."},
		{"an unknown broker", 1, true, reassignment("orders", 0, 7), wire.InvalidReplicaAssignment, "The manual partition assignment includes broker 7, but no such broker is registered."},
		{"another factor", 1, false, reassignment("orders", 0, 1, 2), wire.InvalidReplicationFactor, "The replication factor is changed from 1 to 2"},
		{"a second replica", 0, false, reassignment("orders", 0, 1, 2), wire.None, ""},
	} {
		req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
		req.AllowReplicationFactorChange = c.free
		req.Topics = append(req.Topics, c.topic)
		resp := ask[*kmsg.AlterPartitionAssignmentsResponse](n, req, c.version)
		p := resp.Topics[0].Partitions[0]
		text := ""
		if p.ErrorMessage != nil {
			text = *p.ErrorMessage
		}
		if wire.Code(p.ErrorCode) != c.want || text != c.text || resp.ErrorCode != 0 || resp.Topics[0].Topic != c.topic.Topic {
			t.Errorf("%s: code %d %q, want %v %q", c.what, p.ErrorCode, text, c.want, c.text)
		}
		if c.version >= 1 && resp.AllowReplicationFactorChange != c.free {
			t.Errorf("%s: the answer says that the factor may change: %v", c.what, resp.AllowReplicationFactorChange)
		}
	}
	n.fail = errors.New("no quorum")
	if resp := ask[*kmsg.AlterPartitionAssignmentsResponse](n, kmsg.NewPtrAlterPartitionAssignmentsRequest(), 1); resp.ErrorCode == 0 {
		t.Error("without a controller there is no error")
	}
	n.fail = nil
	n.listsReassignments("[orders-0 [1 2] +[2] -[]]")
}

// listsReassignments asks for all, then for some.
func (n *node) listsReassignments(want string) {
	n.t.Helper()
	some := []kmsg.ListPartitionReassignmentsRequestTopic{}
	for _, name := range []string{"nope", "orders"} {
		t := kmsg.NewListPartitionReassignmentsRequestTopic()
		t.Topic, t.Partitions = name, []int32{-1, 0, 1, 9}
		some = append(some, t)
	}
	for what, topics := range map[string][]kmsg.ListPartitionReassignmentsRequestTopic{"all": nil, "some": some, "none": {}} {
		req := kmsg.NewPtrListPartitionReassignmentsRequest()
		req.Topics = topics
		var got []string
		for _, t := range ask[*kmsg.ListPartitionReassignmentsResponse](n, req, 0).Topics {
			for _, p := range t.Partitions {
				got = append(got, fmt.Sprintf("%s-%d %v +%v -%v", t.Topic, p.Partition, p.Replicas, p.AddingReplicas, p.RemovingReplicas))
			}
		}
		if what == "none" && len(got) == 0 {
			continue
		}
		if fmt.Sprint(got) != want {
			n.t.Errorf("%s: listed %v, want %s", what, got, want)
		}
	}
}
