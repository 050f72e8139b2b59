package server

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/liveness"
	"ottla/internal/outbox"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// makeLiveness makes both sides of the heartbeats.
func (s *Server) makeLiveness() {
	rebalance := time.Duration(0)
	if s.view.Bool(nil, "auto.leader.rebalance.enable") {
		rebalance = time.Duration(s.view.Int(nil, "leader.imbalance.check.interval.seconds")) * time.Second
	}
	s.others.keeper = liveness.NewKeeper(liveness.KeeperOptions{
		NodeID: s.nodeID, Do: func(ctx context.Context, cmd any) (any, error) { return s.quorum.Do(ctx, cmd) },
		Probe: func(ctx context.Context, node int32) error { return s.others.pool.Probe(ctx, node) }, Rebalance: rebalance,
		Lost: s.leaderLost, Standing: s.standing, Now: s.o.Live, Logger: s.o.Logger,
	})
	s.others.speaker = liveness.NewSpeaker(liveness.SpeakerOptions{
		NodeID: s.nodeID, Ask: s.beat, Register: s.registerAgain, Now: s.o.Live, Logger: s.o.Logger,
	})
}

// beat gives a heartbeat to whoever leads the metadata quorum.
func (s *Server) beat(ctx context.Context, beat *own.HeartbeatRequest) (*own.HeartbeatResponse, error) {
	st := s.quorum.Status()
	if st.Removed {
		s.fatal(liveness.Dismissed(s.nodeID))
	}
	leader := st.Leader
	switch leader {
	case -1:
		return nil, wire.Errorf(wire.NotController, "nobody is known to lead the metadata quorum")
	case s.nodeID:
		return s.others.keeper.Heartbeat(beat), nil
	}
	return outbox.Call[*own.HeartbeatResponse](ctx, s.others.pool, leader, beat)
}

// lead is told who leads the metadata quorum.
func (s *Server) lead(leader, epoch int32) {
	s.others.keeper.OnLeader(leader, epoch)
	s.control.OnLeader(leader, epoch)
	s.others.speaker.Down()
	if leader != s.nodeID {
		return
	}
	if s.image().BrokerCount() > 1 {
		s.widen() // the leader before may have seen a node come, and ended
	}
	if len(s.strangers(s.quorum.Image())) > 0 {
		s.forgetStrangers() // or one go
	}
}

// leaderLost is told that the node that leads the metadata quorum has ended.
func (s *Server) leaderLost(ctx context.Context, node int32) {
	if err := s.quorum.Lost(ctx, node); err != nil {
		s.o.Logger.Debug("the metadata quorum was not told that its leader is gone", "leader", node, "err", err)
	}
}

// standing is how long ago this node, where it leads the metadata quorum, had
// heard of most of the voters.
func (s *Server) standing() time.Duration {
	st := s.quorum.Status()
	standing, known := st.Standing(s.o.Now())
	if !known {
		return time.Hour // it has just begun to lead
	}
	return standing
}

// trusted tells whether this node may answer what only one node may, without a
// round trip to anybody.
func (s *Server) trusted() bool { return s.others.speaker.Trusted() }

// mute tells whether this node is cut off from the others for all that it knows.
func (s *Server) mute() bool { return s.others.speaker.Mute() }

// heartbeat serves the heartbeat of another node.
func (s *Server) heartbeat(from int32, req *own.HeartbeatRequest) (kmsg.Response, error) {
	if from != req.Node {
		return nil, fmt.Errorf("node %d sent the heartbeat of node %d", from, req.Node)
	}
	return s.others.keeper.Heartbeat(req), nil
}
