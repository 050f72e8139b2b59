package server

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/broker"
	"ottla/internal/group"
)

// Next tells when this node has something to do at a certain time of the domain
// clock: a timer that it coordinates, and so a schedule, or the lock of a message in
// a queue that ends.
func (s *Server) Next(ctx context.Context) (at time.Time, some bool, err error) {
	first, err := s.timers.NextMs(ctx)
	if err != nil {
		return time.Time{}, false, err
	}
	if f := s.shares.Load(); f != nil {
		if ms := f.Lead().NextMs(); ms > 0 && (first == 0 || ms < first) {
			first = ms
		}
	}
	if d := s.events.buses.delivery; d != nil {
		if ms := d.NextMs(); ms > 0 && (first == 0 || ms < first) {
			first = ms
		}
	}
	if m := s.events.buses.mappings; m != nil {
		if ms := m.NextMs(); ms > 0 && (first == 0 || ms < first) {
			first = ms
		}
	}
	return time.UnixMilli(first), first > 0, nil
}

// Fire does what is due of that, and returns when it is done.
func (s *Server) Fire(ctx context.Context) error {
	if err := s.settleTimers(ctx); err != nil {
		return err
	}
	if err := s.settleEvents(ctx); err != nil {
		return err
	}
	if err := s.settleSchedules(ctx); err != nil {
		return err
	}
	return s.settleBuses(ctx)
}

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
	if err := s.settleEvents(ctx); err != nil {
		return err
	}
	if err := s.settleSchedules(ctx); err != nil {
		return err
	}
	if err := s.settleBuses(ctx); err != nil {
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
