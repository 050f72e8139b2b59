package server

import (
	"testing"

	"ottla/internal/broker"
	"ottla/internal/event/delivery"
	"ottla/internal/event/object"
	"ottla/internal/event/run"
	"ottla/internal/event/schedule"
	"ottla/internal/kafka/timers"
	"ottla/internal/metadata"
)

func TestInternalTopicsAreLookedAtWhenTheyMayLackReplicas(t *testing.T) {
	nodes := func(n int32) *metadata.Image {
		t.Helper()
		var records []metadata.Record
		for id := range n {
			records = append(records, &metadata.RegisterBrokerRecord{BrokerID: id + 1})
		}
		img, _, err := metadata.Empty().With(int64(n), 1, records...)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	offsets, orders := &metadata.Topic{Name: broker.OffsetsTopic}, &metadata.Topic{Name: "orders"}
	changed := func(p metadata.Partition) *metadata.Delta {
		return &metadata.Delta{Changed: []*metadata.Partition{{Topic: orders}, &p}}
	}
	for name, c := range map[string]struct {
		nodes int32
		d     *metadata.Delta
		want  bool
	}{
		"a node comes":                          {2, &metadata.Delta{Brokers: []int32{2}}, true},
		"a node that is alone comes back":       {1, &metadata.Delta{Brokers: []int32{1}}, false},
		"a topic is made":                       {3, &metadata.Delta{Created: []*metadata.Topic{orders}}, false},
		"an internal topic is made":             {3, &metadata.Delta{Created: []*metadata.Topic{orders, {Name: broker.TransactionsTopic}}}, true},
		"a topic of the event layer is made":    {3, &metadata.Delta{Created: []*metadata.Topic{{Name: object.Topic}}}, true},
		"a partition changes":                   {3, changed(metadata.Partition{Topic: orders}), false},
		"an internal one begins to get more":    {3, changed(metadata.Partition{Topic: offsets, Adding: []int32{2}}), false},
		"an internal one has what it was given": {3, changed(metadata.Partition{Topic: offsets}), true},
		"nothing of that":                       {3, &metadata.Delta{Features: true}, false},
	} {
		if got := mayWiden(nodes(c.nodes), c.d); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What the event layer writes is as safe as what its node does.
func TestTopicsOfTheEventLayerGrowAsInternalOnesDo(t *testing.T) {
	for _, topic := range []string{object.Topic, schedule.StateTopic, schedule.WakeTopic, timers.Topic, run.StateTopic, delivery.Topic, delivery.StateTopic, delivery.AttemptsTopic} {
		if !broker.Grows(topic) {
			t.Errorf("%s does not get more replicas when nodes come", topic)
		}
	}
	if broker.Grows("orders") {
		t.Error("a topic of users does")
	}
}

func TestOneLooksAtATimeAndAgainWhenSomethingCame(t *testing.T) {
	var o once
	if !o.begin() || o.begin() || o.begin() {
		t.Fatal("the first looks, and nobody beside it")
	}
	if !o.more() || o.more() {
		t.Error("it looks again once for all who came")
	}
	if !o.begin() || o.more() {
		t.Error("who comes afterwards does not look, or looks twice")
	}
}
