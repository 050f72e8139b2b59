package topics

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// A partition's history is in the answer where it is asked for, and nowhere else.
func TestWhyAPartitionIsAsItIsIsToldWhereItIsAskedFor(t *testing.T) {
	n := newNode(t, nil)
	second := n.register(2)
	n.must(controller.UnfenceBroker{ID: 2, Epoch: second})
	n.must(controller.CreateTopics{Topics: []controller.NewTopic{{
		Name: "a", Partitions: -1, Replicas: -1, Assignments: map[int32][]int32{0: {2, 1}, 1: {1, 2}},
	}}})
	n.must(controller.FenceBroker{ID: 2, Epoch: second, Why: "node 2 silent for 2.1 s"})
	ask := func(question func(*kmsg.Tags)) []*own.History {
		t.Helper()
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		row := kmsg.NewDescribeTopicPartitionsRequestTopic()
		row.Topic = "a"
		question(&row.UnknownTags)
		req.Topics = append(req.Topics, row)
		var out []*own.History
		for _, p := range ask[*kmsg.DescribeTopicPartitionsResponse](n, req, 0).Topics[0].Partitions {
			h, err := own.ReadHistory(&p.UnknownTags)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, h)
		}
		return out
	}
	if got := ask(func(*kmsg.Tags) {}); len(got) != 2 || got[0] != nil || got[1] != nil {
		t.Errorf("asked for nothing: %+v", got)
	}
	got := ask(func(q *kmsg.Tags) { own.AskHistory(q, 0) })
	if got[1] != nil || got[0] == nil || len(got[0].Changes) != 1 {
		t.Fatalf("%+v", got)
	}
	if c := got[0].Changes[0]; c.From != 2 || c.To != 1 || c.Why != "node 2 silent for 2.1 s" || len(c.ISR) != 1 || len(c.WasISR) != 2 {
		t.Errorf("%+v", c)
	}
	if got := ask(func(q *kmsg.Tags) { own.AskHistory(q, 9) }); got[0] != nil || got[1] != nil {
		t.Errorf("of a partition that is not there: %+v", got)
	}
	n.fail = wire.NotController
	if got := ask(func(q *kmsg.Tags) { own.AskHistory(q, 1) }); got[1] == nil || wire.Code(got[1].ErrorCode) != wire.NotController {
		t.Errorf("no controller: %+v", got[1])
	}
}
