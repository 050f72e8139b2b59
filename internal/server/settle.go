package server

import (
	"context"
	"fmt"

	"ottla/internal/broker"
	"ottla/internal/group"
)

// Settle does all that the domain clock makes due, and returns when it is done:
// for a clock that was moved.
func (s *Server) Settle(ctx context.Context) error {
	if err := s.broker.Settle(ctx); err != nil {
		return err
	}
	if err := s.settleTimers(ctx); err != nil {
		return err
	}
	if err := s.settleTxns(ctx); err != nil {
		return err
	}
	s.settleEvents()
	if err := s.settleSchedules(ctx); err != nil {
		return err
	}
	if err := s.settleTimers(ctx); err != nil { // what a schedule brought may be late as well
		return err
	}
	if s.partitionsOf(broker.OffsetsTopic) == 0 {
		return nil
	}
	if err := s.groups.SettleAll(ctx); err != nil {
		return fmt.Errorf("wait for the coordinators of groups: %w", err)
	}
	for more := true; more; {
		more = false
		for _, a := range s.groups.Each(ctx, group.Sweep{}) {
			if a.Err != nil {
				return fmt.Errorf("expire the offsets in %s-%d: %w", broker.OffsetsTopic, a.Partition, a.Err)
			}
			left, ok := a.Body.(bool)
			more = more || ok && left
		}
	}
	return nil
}

// CutConnections closes every Kafka connection now and tells how many there
// were.
func (s *Server) CutConnections() int { return s.door.Cut() }

// RefuseConnections lets no new Kafka connection in, or lets them in again.
func (s *Server) RefuseConnections(refuse bool) { s.door.Refuse(refuse) }
