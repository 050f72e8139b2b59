package server

import (
	"context"
	"fmt"
	"sync/atomic"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
)

// making counts who is making each of the internal topics. Keys are never added.
type making map[string]*atomic.Int32

func newMaking() making {
	return making{broker.OffsetsTopic: {}, broker.TransactionsTopic: {}, broker.ShareStateTopic: {}, broker.TimersTopic: {}}
}

// prepareTopic makes an internal topic when it is first needed, and waits until
// its coordinators can be asked: that of the key at hand, and all others for
// whoever comes next. Who comes while another makes the topic waits as long; a
// topic that has been there before is not waited for, however long its
// coordinators load.
func (s *Server) prepareTopic(ctx context.Context, topic, _ string) error {
	makers := s.making[topic]
	if makers == nil {
		return fmt.Errorf("%s is no topic of coordinators", topic)
	}
	// In this order: who makes it is counted before it is there.
	if s.broker.Image().TopicByName(topic) != nil && makers.Load() == 0 {
		return nil
	}
	makers.Add(1)
	defer makers.Add(-1)
	if err := s.broker.Ensure(ctx, topic); err != nil {
		return err
	}
	return s.coordinatorsOf(topic).SettleAll(ctx)
}

// prepareSettled is prepareTopic for who is about to be told where a coordinator
// is: not at a node that has just ended.
func (s *Server) prepareSettled(ctx context.Context, topic, key string) error {
	s.others.keeper.Settled(ctx)
	return s.prepareTopic(ctx, topic, key)
}

// coordinatorsOf are those on an internal topic.
func (s *Server) coordinatorsOf(topic string) *coordinator.Runtime {
	switch topic {
	case broker.TransactionsTopic:
		return s.txns
	case broker.ShareStateTopic:
		return s.states
	case broker.TimersTopic:
		return s.timing
	}
	return s.groups
}
