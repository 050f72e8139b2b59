package server

import (
	"context"
	"testing"

	"ottla/internal/broker"
	"ottla/internal/wire"
)

func TestWhoComesWhileATopicIsMadeWaitsForItsCoordinators(t *testing.T) {
	s := crowded(t)
	s.groups.Expect(1000) // loads for ever
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	prepare := func(topic string) error { return s.prepareTopic(ended, topic, "g") }
	if err := prepare(broker.OffsetsTopic); err != nil {
		t.Errorf("a topic that has been there is waited for: %v", err)
	}
	s.making[broker.OffsetsTopic].Add(1)
	if err := prepare(broker.OffsetsTopic); wire.CodeOf(err) != wire.CoordinatorLoadInProgress {
		t.Errorf("while it is made: got %v, want COORDINATOR_LOAD_IN_PROGRESS once there is no time left", err)
	}
	s.making[broker.OffsetsTopic].Add(-1)
	if n := s.making[broker.OffsetsTopic].Load(); n != 0 {
		t.Errorf("%d make it still", n)
	}
	if err := prepare("orders"); err == nil {
		t.Error("a topic of nobody is prepared")
	}
	for _, topic := range []string{broker.TransactionsTopic, broker.ShareStateTopic} {
		if err := s.prepareTopic(t.Context(), topic, "g"); err != nil || s.broker.Image().TopicByName(topic) == nil {
			t.Errorf("%s: %v", topic, err)
		}
		if led, loads, fails := s.coordinatorsOf(topic).Standing(); led != 50 || loads != 0 || fails != 0 {
			t.Errorf("%s: of %d coordinators %d load still and %d have failed", topic, led, loads, fails)
		}
	}
}
