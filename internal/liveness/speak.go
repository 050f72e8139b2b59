package liveness

import (
	"context"
	"time"

	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// run sends one heartbeat after the other, never two at once: every so often,
// and at once when there is something new, with a little gap, so that what
// happens meanwhile goes along.
func (s *Speaker) run(ctx context.Context, fenced bool) {
	s.turn(fenced)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.poke:
		case <-ctx.Done():
			return
		}
		s.speak(ctx)
		gap := time.NewTimer(leastGap)
		select {
		case <-gap.C:
		case <-ctx.Done():
			gap.Stop()
			return
		}
		timer.Reset(s.o.Every - leastGap)
	}
}

// speak sends one heartbeat and takes its answer.
func (s *Speaker) speak(ctx context.Context) {
	s.mu.Lock()
	beat := &own.HeartbeatRequest{Node: s.o.NodeID, BrokerEpoch: s.epoch, AppliedOffset: s.applied, WantShutDown: s.stopping}
	s.mu.Unlock()
	sent := s.o.Now()
	short, cancel := context.WithTimeout(ctx, askTimeout)
	answer, err := s.o.Ask(short, beat)
	cancel()
	if err != nil {
		return // the next one comes soon; silence is the Keeper's to notice
	}
	switch wire.Code(answer.ErrorCode) {
	case wire.None:
		s.take(beat, answer, sent)
	case wire.StaleBrokerEpoch, wire.BrokerIDNotRegistered:
		s.again(ctx, beat.BrokerEpoch, answer.ErrorMessage)
	}
}

// take notes the answer to a heartbeat that was sent at a time.
func (s *Speaker) take(beat *own.HeartbeatRequest, answer *own.HeartbeatResponse, sent time.Time) {
	s.mu.Lock()
	if beat.BrokerEpoch != s.epoch {
		s.mu.Unlock()
		return
	}
	if answer.ShouldShutDown && beat.WantShutDown && !s.mayStop {
		s.mayStop, s.leaveAt = true, answer.MetadataOffset
		s.wake()
	}
	by := s.o.Silence - time.Duration(answer.StandingMs)*time.Millisecond
	switch {
	case answer.Fenced:
		s.ahead.offset = -1
		s.trust.end()
	case s.applied >= answer.MetadataOffset:
		s.trust.extend(sent, by)
	case s.ahead.offset < 0: // else an older one counts sooner
		s.ahead = answered{sent: sent, by: by, offset: answer.MetadataOffset}
	}
	s.mu.Unlock()
	s.turn(answer.Fenced)
}

// turn notes whether the node is fenced, and tells it.
func (s *Speaker) turn(fenced bool) {
	s.mu.Lock()
	news := fenced != s.fenced
	if news {
		s.fenced = fenced
		s.wake()
	}
	stopping := s.stopping
	s.mu.Unlock()
	if !news {
		return
	}
	switch {
	case fenced && stopping:
		s.o.Logger.Info("this node stops: others lead in its place", "broker", s.o.NodeID)
	case fenced:
		s.o.Logger.Warn("this node is fenced: others lead in its place until it has caught up", "broker", s.o.NodeID)
	default:
		s.o.Logger.Info("this node serves", "broker", s.o.NodeID)
	}
	s.o.OnFenced(fenced)
}

// again registers the node anew. A stopping node does not: nobody knows it any
// more, so it may stop.
func (s *Speaker) again(ctx context.Context, epoch int64, why string) {
	s.trust.end()
	s.turn(true)
	s.mu.Lock()
	s.ahead.offset = -1
	stopping := s.stopping
	if stopping && !s.mayStop {
		s.mayStop = true
		s.wake()
	}
	s.mu.Unlock()
	if stopping {
		return
	}
	short, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	fresh, err := s.o.Register(short)
	if err != nil {
		if ctx.Err() == nil {
			s.o.Logger.Warn("this node cannot register again yet", "broker", s.o.NodeID, "epoch", epoch, "why", why, "err", err)
		}
		return
	}
	s.mu.Lock()
	s.epoch = fresh
	s.mu.Unlock()
	s.now()
}
