package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/datadir"
	"ottla/internal/kafka/api"
	"ottla/internal/liveness"
	"ottla/internal/outbox"
	"ottla/internal/peer"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// joinCluster asks to be let into the cluster of --join, where the first data
// directory is a fresh one, or one whose node had not got that far.
func (s *Server) joinCluster(ctx context.Context) (*peer.Joined, error) {
	if len(s.o.Join) == 0 {
		return nil, nil
	}
	owner, err := datadir.Owner(s.o.FS, s.o.Dirs[0])
	var refused *datadir.Refused
	if err == nil {
		err = sameCluster(owner, s.o.Token)
	}
	switch {
	case err == nil && !owner.Joined:
		return nil, nil // it founded its cluster, and goes on with that
	case err == nil:
		_, known := peer.Load(s.o.FS, owner.Path, whoseOf(owner))
		if !errors.Is(known, peer.ErrNone) {
			return nil, nil
		}
		return s.askToJoin(ctx, owner.ClusterID, owner.NodeID, owner.DirectoryID)
	case errors.As(err, &refused) && refused.Kind == datadir.Foreign:
		return s.askToJoin(ctx, s.o.ClusterID, s.o.NodeID, newID())
	}
	return nil, err
}

// sameCluster refuses a token that is not of the cluster that a directory belongs
// to: the node would go on where it was, and whoever gave the token wants it
// elsewhere.
func sameCluster(owner *datadir.Dir, token string) error {
	if id, ok := peer.ClusterOf(token); ok && id != owner.ClusterID {
		return fmt.Errorf("%s is the data directory of node %d of cluster %s, and the token is of cluster %s: to join that one start on an empty directory, to go on with this one leave the token out",
			owner.Path, owner.NodeID, owner.ClusterID, id)
	}
	return nil
}

// askToJoin asks the nodes of --join until one of them has let this node in.
func (s *Server) askToJoin(ctx context.Context, clusterID string, node int32, directory uuid.UUID) (*peer.Joined, error) {
	r := peer.JoinRequest{Token: s.o.Token, Insecure: s.o.Insecure, ClusterID: clusterID, NodeID: node, DirectoryID: directory}
	for _, e := range s.endpoints() {
		r.Endpoints = append(r.Endpoints, peer.Endpoint{Name: e.Name, Host: e.Host, Port: e.Port})
	}
	failed := func(addr string, err error) {
		s.o.Logger.Warn("a node of the cluster does not let this one in yet", "addr", addr, "err", err)
	}
	joined, err := peer.Joiner{Now: s.o.Live, Failed: failed}.Join(ctx, s.o.Join, r)
	if err != nil {
		return nil, fmt.Errorf("join the cluster: %w", err)
	}
	return joined, nil
}

// keepIdentity writes down what the node was given, once its directory is taken.
func (s *Server) keepIdentity(joined *peer.Joined) error {
	if joined == nil {
		return nil
	}
	s.others.meet(joined.Members)
	if _, err := peer.Load(s.o.FS, s.held[0].Path, s.whose()); !errors.Is(err, peer.ErrNone) {
		return err
	}
	if err := joined.Identity.Save(s.o.FS, s.held[0].Path); err != nil {
		return fmt.Errorf("keep the identity of this node: %w", err)
	}
	return nil
}

// directoryIDsFrom gives the first directory the id under which the node was
// let in.
func directoryIDsFrom(joined *peer.Joined) func() uuid.UUID {
	if joined == nil {
		return nil
	}
	first := joined.Identity.DirectoryID
	return func() uuid.UUID {
		id := first
		first = newID()
		return id
	}
}

// joinQuorum has the metadata quorum take this node in, and waits until it
// follows.
func (s *Server) joinQuorum(ctx context.Context) error {
	if s.quorum.Status().Waiting && len(s.others.known()) == 0 { // an earlier start was told of them
		joined, err := s.askToJoin(ctx, s.clusterID, s.nodeID, s.held[0].DirectoryID)
		if err != nil {
			return err
		}
		s.others.meet(joined.Members)
	}
	leader := int32(-1)
	for pause := joinPause; ; pause = min(2*pause, time.Second) {
		if !s.quorum.Status().Waiting && !s.moved() {
			return nil
		}
		next, err := s.askIn(ctx, leader)
		if dismissed(err) {
			return err
		}
		if err != nil {
			s.o.Logger.Warn("the metadata quorum does not take this node in yet", "err", err)
		}
		leader = next
		select {
		case <-ctx.Done():
			return fmt.Errorf("the metadata quorum did not take this node in: %w", errors.Join(err, ctx.Err()))
		case <-time.After(pause):
		}
	}
}

const joinPause = 20 * time.Millisecond

// moved tells whether the others have this node at another address: they do not
// reach it before they hear of the new one.
func (s *Server) moved() bool {
	members := s.quorum.Members()
	for _, m := range members {
		if m.ID == s.nodeID && len(members) > 1 {
			return !slices.Equal(m.Endpoints, s.voterEndpoints())
		}
	}
	return false
}

// askIn asks the leader, or whoever may know it, and tells whom to ask next.
func (s *Server) askIn(ctx context.Context, leader int32) (next int32, err error) {
	req := &own.JoinQuorumRequest{ClusterID: s.clusterID, Node: s.nodeID, Directory: s.quorum.DirectoryID(), NoVote: s.o.NoVote}
	for _, e := range s.endpoints() {
		req.Endpoints = append(req.Endpoints, own.Endpoint{Name: e.Name, Host: e.Host, Port: e.Port})
	}
	if s.quorum.Status().Serves { // only its address is new
		return -1, s.readdress(ctx, quorum.Voter{ID: s.nodeID, DirectoryID: req.Directory, Endpoints: s.voterEndpoints()})
	}
	ask := []int32{leader}
	if leader < 0 {
		ask = ask[:0]
		for _, m := range s.others.known() {
			ask = append(ask, m.NodeID)
		}
		for _, m := range s.quorum.Members() {
			if m.ID != s.nodeID && !slices.Contains(ask, m.ID) {
				ask = append(ask, m.ID)
			}
		}
	}
	for _, node := range ask {
		resp, failed := outbox.Call[*own.JoinQuorumResponse](ctx, s.others.pool, node, req)
		switch {
		case failed != nil:
			err = fmt.Errorf("node %d: %w", node, failed)
		case wire.Code(resp.ErrorCode) == wire.None:
			return node, nil
		case wire.Code(resp.ErrorCode) == wire.NotController && resp.Leader >= 0 && resp.Leader != node:
			return resp.Leader, nil
		default:
			err = wire.Errorf(wire.Code(resp.ErrorCode), "node %d: %s", node, resp.ErrorMessage)
		}
	}
	return -1, err
}

// takeIn serves a node's wish to be taken into the metadata quorum.
func (s *Server) takeIn(ctx context.Context, from int32, req *own.JoinQuorumRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*own.JoinQuorumResponse)
	voter := quorum.Voter{ID: req.Node, DirectoryID: req.Directory, NoVote: req.NoVote}
	for _, e := range req.Endpoints {
		voter.Endpoints = append(voter.Endpoints, quorum.VoterEndpoint(e))
	}
	err := wire.Errorf(wire.ClusterAuthorizationFailed, "node %d asks for a place of node %d", from, req.Node)
	if from == req.Node {
		err = s.mayComeIn(req.Node, voter)
	}
	if err == nil {
		err = s.quorum.Join(ctx, quorum.JoinRequest{Voter: voter, ClusterID: req.ClusterID})
	}
	if err == nil {
		err = s.readdress(ctx, voter)
	}
	st := s.quorum.Status()
	resp.Leader, resp.LeaderEpoch = st.Leader, st.Epoch
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = int16(wire.CodeOf(err)), wire.MessageOf(err)
	}
	return resp, nil
}

// mayComeIn refuses, where this node leads, one that the cluster does not know any
// more, and one that runs elsewhere: a copy of its directory, which two processes
// must not use.
func (s *Server) mayComeIn(node int32, v quorum.Voter) error {
	if !s.quorum.Status().Serves {
		return nil // whoever leads judges
	}
	if s.quorum.Image().Broker(node) == nil {
		return liveness.Dismissed(node)
	}
	for _, m := range s.quorum.Members() {
		if m.ID == node && m.DirectoryID == v.DirectoryID && !slices.Equal(m.Endpoints, v.Endpoints) && s.others.keeper.Runs(node) {
			return wire.Errorf(wire.DuplicateBrokerRegistration, "node %d runs at another address already: stop that one if this takes its place; a copy of its data directory cannot be a node beside it", node)
		}
	}
	return nil
}

// readdress notes that a member listens elsewhere than before.
func (s *Server) readdress(ctx context.Context, v quorum.Voter) error {
	for _, m := range s.quorum.Members() {
		if m.ID == v.ID && m.DirectoryID == v.DirectoryID && !slices.Equal(m.Endpoints, v.Endpoints) {
			return s.quorum.Change(ctx, quorum.MembershipChange{Kind: quorum.Update, Voter: v})
		}
	}
	return nil
}

// nodeRows are the requests that nodes of the cluster make of each other.
func (s *Server) nodeRows() []api.API {
	rows := []api.API{
		s.commandRow(),
		api.Row(0, 0, func(ctx context.Context, c *api.Conn, req *own.JoinQuorumRequest) (kmsg.Response, error) {
			return s.takeIn(ctx, c.Node, req)
		}),
		api.Row(0, 0, func(_ context.Context, c *api.Conn, req *own.HeartbeatRequest) (kmsg.Response, error) {
			return s.heartbeat(c.Node, req)
		}),
	}
	for i := range rows {
		rows[i].NodesOnly = true
	}
	return rows
}
