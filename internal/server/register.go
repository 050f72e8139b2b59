package server

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/controller"
	"ottla/internal/liveness"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// enter makes this node one of its cluster: it follows the metadata, is
// registered, and clients are told of it.
func (s *Server) enter(ctx context.Context) error {
	inner, stop := s.whileMember(ctx)
	defer stop()
	err := s.comeIn(inner)
	if out := context.Cause(inner); err != nil && dismissed(out) {
		return out
	}
	return err
}

// comeIn is enter as long as this node is of the cluster.
func (s *Server) comeIn(ctx context.Context) error {
	if err := s.joinQuorum(ctx); err != nil {
		return err
	}
	if err := s.bootstrap(ctx); err != nil {
		return err
	}
	epoch, err := liveness.Enter(ctx, s.registerBroker)
	if err != nil {
		return err
	}
	if several(s.image(), s.nodeID) {
		s.others.speaker.Start(epoch, true)
		if err := s.others.speaker.WaitUnfenced(ctx); err != nil {
			return fmt.Errorf("wait until node %d may serve: %w", s.nodeID, err)
		}
	} else if _, err := s.do(ctx, controller.UnfenceBroker{ID: s.nodeID, Epoch: epoch}); err != nil {
		return fmt.Errorf("begin to serve as node %d: %w", s.nodeID, err)
	}
	s.entered.Store(epoch)
	s.accompanied(s.image())
	s.broker.TellDirectories(ctx)
	return nil
}

// accompanied begins the heartbeats once another node has a place in the
// cluster.
func (s *Server) accompanied(img *metadata.Image) {
	if epoch := s.entered.Load(); epoch > 0 && several(img, s.nodeID) {
		s.others.speaker.Start(epoch, false)
	}
}

// bootstrap makes a new cluster's features final.
func (s *Server) bootstrap(ctx context.Context) error {
	if s.held[0].Joined || s.quorum.Image().FeatureLevel(metadata.MetadataVersion) != 0 {
		return nil
	}
	if _, err := s.do(ctx, controller.Bootstrap{Features: freshFeatures()}); err != nil {
		return fmt.Errorf("set up a new cluster: %w", err)
	}
	return nil
}

// registerBroker tells the controller that this node is here, and gives the
// epoch under which it speaks.
func (s *Server) registerBroker(ctx context.Context) (int64, error) {
	me := metadata.Broker{
		ID: s.nodeID, Incarnation: s.incarnation, Rack: s.view.String(nil, "broker.rack"), Endpoints: s.endpoints(),
		Features: supportedFeatures(),
	}
	lossy := false
	for i, d := range s.dirs {
		if d.Err() != nil {
			continue
		}
		lossy = lossy || d.MayLack()
		me.Directories = append(me.Directories, s.held[i].DirectoryID)
		if s.broker.Cordoned(d) {
			me.Cordoned = append(me.Cordoned, s.held[i].DirectoryID)
		}
	}
	reply, err := s.do(ctx, controller.RegisterBroker{Broker: me, ClusterID: s.clusterID, Lossy: lossy})
	if err != nil {
		return 0, fmt.Errorf("register node %d: %w", s.nodeID, err)
	}
	epoch, ok := reply.(int64)
	if !ok {
		return 0, fmt.Errorf("register node %d: the controller answered %T, want an epoch", s.nodeID, reply)
	}
	for _, d := range s.dirs {
		if err := d.Told(); err != nil { // the next start says it once more
			s.o.Logger.Warn("it cannot be noted that the controller knows of a start after a loss of power", "err", err)
		}
	}
	return epoch, nil
}

// retireTimeout bounds how long the others may take to lead what this node led, and
// this one to hear of it.
const retireTimeout = 5 * time.Second

// retire has other nodes lead what this one leads, the metadata quorum too,
// while it still answers, and returns when its clients are told so. On a node alone
// there is nobody.
func (s *Server) retire() {
	if s.entered.Load() == 0 || !othersServe(s.image(), s.nodeID) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), retireTimeout)
	defer cancel()
	s.serving.Go(func() { s.giveUp(ctx, cancel) })
	s.awaitCompany(ctx)
	if err := s.others.speaker.ShutDown(ctx); err != nil {
		s.o.Logger.Warn("the node stops although others do not lead its partitions yet, or it has not heard of it", "err", err)
	}
	if err := s.quorum.Resign(ctx); err != nil {
		s.o.Logger.Warn("the node stops although nobody has taken over the metadata quorum yet", "err", err)
	}
}

// awaitCompany waits until what this node leads has another replica in sync,
// where one is alive that may soon be: a node that stops right after another
// has come back would leave partitions without a leader.
func (s *Server) awaitCompany(ctx context.Context) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for lonely(s.image(), s.nodeID) {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// lonely tells whether a node leads a partition as the only one in sync, while
// another of its replicas serves.
func lonely(img *metadata.Image, node int32) bool {
	for t := range img.Topics() {
		for _, p := range t.Partitions {
			if p.Leader != node || len(p.ISR) > 1 {
				continue
			}
			for _, r := range p.Replicas {
				if b := img.Broker(r); r != node && b != nil && b.Live() {
					return true
				}
			}
		}
	}
	return false
}

// othersServe tells whether a node other than this one serves.
func othersServe(img *metadata.Image, node int32) bool {
	for b := range img.Brokers() {
		if b.ID != node && b.Live() {
			return true
		}
	}
	return false
}

// giveUp ends a retirement that cannot succeed: nobody has led the metadata
// quorum for longer than an election takes.
func (s *Server) giveUp(ctx context.Context, cancel context.CancelFunc) {
	look := time.NewTicker(retireTimeout / 50)
	defer look.Stop()
	for alone := 0; alone < 20; {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		if alone++; s.quorum.Status().Leader >= 0 {
			alone = 0
		}
	}
	cancel()
}

// sayGoodbye tells the controller of a node alone that it stops: the process
// that is registered, which may be so under another epoch than it began with.
func (s *Server) sayGoodbye(ctx context.Context) error {
	if s.entered.Load() == 0 || several(s.image(), s.nodeID) {
		return nil
	}
	me := s.image().Broker(s.nodeID)
	if me == nil || me.Incarnation != s.incarnation {
		return nil
	}
	err := error(wire.NotController) // whose disk has failed leads nothing, and never will
	if s.quorum.Status().Leader == s.nodeID {
		_, err = s.do(ctx, controller.ShutdownBroker{ID: s.nodeID, Epoch: me.Epoch})
	}
	if err != nil {
		return fmt.Errorf("say goodbye to the controller: %w", err)
	}
	return nil
}
