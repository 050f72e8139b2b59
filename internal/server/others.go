package server

import (
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"

	"ottla/internal/controller"
	"ottla/internal/datadir"
	"ottla/internal/liveness"
	"ottla/internal/metadata"
	"ottla/internal/peer"
	"ottla/internal/quorum"
	"ottla/internal/wire"
)

// others is what this node has of the other nodes: the way to them, their way
// in, and who is alive. On a node alone it costs nothing.
type others struct {
	pool    *peer.Pool
	nodes   *peer.Server
	keeper  *liveness.Keeper
	speaker *liveness.Speaker

	mu       sync.Mutex // guards both
	identity *peer.Identity
	members  []peer.Member // of the cluster, when this node was let in
}

// makeOthers makes the connections between nodes; none is made yet.
func (s *Server) makeOthers() {
	c := &s.others
	c.pool = peer.NewPool(peer.PoolOptions{
		Identity: s.identity, Addresses: s.addressesOf, Now: s.o.Live, Logger: s.o.Logger, Insecure: s.o.Insecure,
		OnDown: func(node int32, _ error) { s.connectionDown(node) },
	})
	s.peers = c.pool
	o := peer.ServerOptions{
		Identity: s.identity, Admit: s.admit, Insecure: s.o.Insecure, Kafka: s.serveNode, Raft: s.receive,
		Left: s.connectionDown, Now: s.o.Live, Logger: s.o.Logger,
	}
	if s.o.Insecure { // clients' records are in the clear as well
		o.Pull = s.servePuller
	}
	c.nodes = peer.NewServer(o)
	s.makeLiveness()
}

// identity is who this node is to the others. A cluster's first node makes it
// when it is first asked for.
func (s *Server) identity() (*peer.Identity, error) {
	c := &s.others
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.identity != nil {
		return c.identity, nil
	}
	first := s.held[0]
	id, err := peer.Load(s.o.FS, first.Path, s.whose())
	if errors.Is(err, peer.ErrNone) && s.mayFound() {
		id, err = peer.Found(s.o.FS, first.Path, s.whose(), s.o.Live())
	}
	if err != nil {
		return nil, err
	}
	c.identity = id
	return id, nil
}

func (s *Server) whose() peer.Whose { return whoseOf(s.held[0]) }

// whoseOf is the node that a data directory belongs to.
func whoseOf(d *datadir.Dir) peer.Whose {
	return peer.Whose{ClusterID: d.ClusterID, NodeID: d.NodeID, DirectoryID: d.DirectoryID}
}

// mayFound tells that there cannot be another authority of this cluster: no
// other node was ever part of it.
func (s *Server) mayFound() bool {
	return !s.held[0].Joined && s.quorum != nil && !several(s.quorum.Image(), s.nodeID)
}

// Token is what another node joins the cluster with; it is a secret.
func (s *Server) Token() (string, error) {
	id, err := s.identity()
	if err != nil {
		return "", err
	}
	return id.Token(), nil
}

// addressesOf are where a node may be reached: as it registered, as the quorum
// knows it, as this node was told when it joined.
func (s *Server) addressesOf(node int32) []string {
	var out []string
	add := func(addr string) {
		if !slices.Contains(out, addr) {
			out = append(out, addr)
		}
	}
	if s.quorum != nil {
		if b := s.quorum.Image().Broker(node); b != nil {
			for _, e := range b.Endpoints {
				add(hostPort(e.Host, e.Port))
			}
		}
		for _, m := range s.quorum.Members() {
			if m.ID == node {
				for _, e := range m.Endpoints {
					add(hostPort(e.Host, e.Port))
				}
			}
		}
	}
	for _, m := range s.others.known() {
		if m.NodeID == node {
			for _, addr := range m.Addrs {
				add(addr)
			}
		}
	}
	return out
}

// meet notes who is in the cluster, as this node was told when it was let in.
func (o *others) meet(members []peer.Member) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.members = members
}

// known are those of meet; nobody changes them.
func (o *others) known() []peer.Member {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.members
}

func hostPort(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// admit reserves a place for a node that joins.
func (s *Server) admit(ctx context.Context, r peer.JoinRequest) (int32, []peer.Member, error) {
	reply, err := s.do(ctx, controller.AdmitNode{NodeID: r.NodeID, DirectoryID: r.DirectoryID})
	if err != nil {
		return -1, nil, err
	}
	id, ok := reply.(int32)
	if !ok {
		return -1, nil, wire.Errorf(wire.UnknownServerError, "the controller answered %T to AdmitNode", reply)
	}
	var members []peer.Member
	for b := range s.quorum.Image().Brokers() {
		m := peer.Member{NodeID: b.ID}
		for _, e := range b.Endpoints {
			m.Addrs = append(m.Addrs, hostPort(e.Host, e.Port))
		}
		if b.ID != id && len(m.Addrs) > 0 {
			members = append(members, m)
		}
	}
	return id, members, nil
}

// serveNode serves the requests of another node.
func (s *Server) serveNode(nc net.Conn, node int32, calls bool) { s.door.ServeNode(nc, node, calls) }

func (s *Server) servePuller(nc net.Conn, node int32) { s.door.ServePuller(nc, node) }

// receive takes a frame of the metadata quorum.
func (s *Server) receive(from int32, frame []byte) { s.quorum.Receive(from, frame) }

// post sends one.
func (s *Server) post(node int32, frame []byte) { s.others.pool.Post(node, frame) }

// connectionDown is told that a node's connection was reset.
func (s *Server) connectionDown(node int32) {
	s.others.keeper.ConnectionDown(node)
	s.others.speaker.Down()
}

// voterEndpoints are where the quorum finds this node.
func (s *Server) voterEndpoints() []quorum.VoterEndpoint {
	var out []quorum.VoterEndpoint
	for _, e := range s.endpoints() {
		out = append(out, quorum.VoterEndpoint{Name: e.Name, Host: e.Host, Port: e.Port})
	}
	return out
}

// closeOthers ends the connections between nodes.
func (s *Server) closeOthers() error {
	c := &s.others
	if c.pool == nil {
		return nil
	}
	c.speaker.Close()
	c.pool.Close()
	return within(closeTimeout, c.nodes.Close)
}

// several tells whether another node has a place in the cluster.
func several(img *metadata.Image, self int32) bool {
	for b := range img.Brokers() {
		if b.ID != self {
			return true
		}
	}
	return false
}
