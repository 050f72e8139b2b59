package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"

	"ottla/internal/broker"
	"ottla/internal/config"
	"ottla/internal/controller"
	"ottla/internal/coordinator"
	"ottla/internal/datadir"
	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/peer"
	"ottla/internal/quorum"
	"ottla/internal/uuid"
)

// snapshotBytes of metadata log bring a snapshot (Kafka's
// metadata.log.max.record.bytes.between.snapshots is 20 MiB).
const snapshotBytes = 20 << 20

// takeDirs locks every data directory and checks whose it is; all of one node
// carry the same cluster and node id.
func (s *Server) takeDirs(joined *peer.Joined) error {
	clusterID, nodeID := s.o.ClusterID, s.o.NodeID
	if joined != nil {
		clusterID, nodeID = joined.ClusterID, joined.NodeID
	}
	draw := directoryIDsFrom(joined)
	for _, path := range s.o.Dirs {
		d, err := datadir.Open(s.o.FS, path, datadir.Options{ClusterID: clusterID, NodeID: nodeID, Adopt: s.o.Adopt, Joined: joined != nil, NewID: draw})
		if failed := unreadable(err); failed && len(s.held) > 0 {
			s.held = append(s.held, &datadir.Dir{Path: path})
			s.broken[path] = err
			continue
		}
		if err != nil {
			return err
		}
		s.held = append(s.held, d)
		clusterID, nodeID = d.ClusterID, d.NodeID
	}
	s.clusterID, s.nodeID = clusterID, nodeID
	return s.keepIdentity(joined)
}

// unreadable tells that a directory's disk fails, and not that the directory is
// the wrong one. The first must be well: the metadata log lies there.
func unreadable(err error) bool {
	var refused *datadir.Refused
	return errors.As(err, &refused) && refused.Kind == datadir.Unusable
}

// openLogs reads the directories' checkpoints. One whose disk fails, and that
// is not the first, is offline from the start; the others serve.
func (s *Server) openLogs() error {
	for i, d := range s.held {
		o := log.DirOptions{
			FS: s.o.FS, Path: d.Path, Now: s.o.Now, Logger: s.o.Logger,
			Reserve: s.o.Reserve, MaxOpenFiles: maxOpenFiles, VerifyAge: s.o.VerifyAge,
		}
		dir, err := (*log.Dir)(nil), s.broken[d.Path]
		if err == nil {
			dir, err = log.OpenDir(o)
		}
		if err != nil && i == 0 {
			return fmt.Errorf("open log directory %s: %w", d.Path, err)
		}
		if err != nil {
			s.o.Logger.Error("log directory is offline from the start", "dir", d.Path, "err", err)
			dir = log.OfflineDir(o, err)
		}
		s.dirs = append(s.dirs, dir)
	}
	return nil
}

// directoryIDs are the directories' identifiers; zero where one could not be
// read.
func (s *Server) directoryIDs() []uuid.UUID {
	var out []uuid.UUID
	for _, d := range s.held {
		out = append(out, d.DirectoryID)
	}
	return out
}

// maxOpenFiles bounds descriptors of closed segments; active ones come on top.
const maxOpenFiles = 512

// startCore brings up quorum, controller and broker.
func (s *Server) startCore() error {
	static := s.o.Static.WithNode(s.nodeID, s.dirs[0].Path())
	if at := s.HTTPAddr(); at == "" || at != s.o.HTTP {
		static = static.With("http.listen", at, "the port that was taken")
	}
	view := &config.View{Static: static, NodeID: s.nodeID}
	s.view = view
	s.makeOthers()
	s.makeControl()
	if err := s.makeCoordinators(); err != nil {
		return err
	}
	s.broker = broker.New(broker.Options{
		NodeID: s.nodeID, Dirs: s.dirs, Directories: s.directoryIDs(), Fatal: s.fatal, View: view, Now: s.o.Now, Live: s.o.Live, Logger: s.o.Logger, Metrics: s.brokerMetrics(),
		Coordinators: map[string]*coordinator.Runtime{broker.OffsetsTopic: s.groups, broker.TransactionsTopic: s.txns, broker.ShareStateTopic: s.states, broker.TimersTopic: s.timing},
		Control:      s.do,
		Nodes:        s.others.pool.Pull,
		Ask:          s.others.pool.Call,
	})
	s.makeMarkers()
	s.makeTimers()
	s.measure()
	machine := controller.New(controller.Options{
		NewID: newID, NodeID: s.nodeID, ClusterID: s.clusterID, Features: supportedFeatures(), Fixed: fixedFeatures(),
		MinInsync: int32(view.Int(nil, "min.insync.replicas")), Unclean: view.Bool(nil, "unclean.leader.election.enable"),
		Durability: view.String(nil, "durability"), OnReason: s.uncleanly,
	})
	q, err := quorum.Open(quorum.Options{
		NodeID: s.nodeID, DirectoryID: s.held[0].DirectoryID, ClusterID: s.clusterID, Dir: s.dirs[0],
		Machine: machine, Now: s.o.Now, Logger: s.o.Logger,
		OnImage: s.follow, OnLeader: s.lead, SnapshotBytes: snapshotBytes, Endpoints: s.voterEndpoints(),
		Send: s.post, Joining: s.held[0].Joined, Rejoin: len(s.o.Join) > 0, AutoVoters: int(view.Int(nil, "quorum.auto.voters")),
	})
	if err != nil {
		return fmt.Errorf("open the metadata log: %w", err)
	}
	s.quorum = q
	s.broker.Start(s.ctx)
	if err := q.Start(s.ctx); err != nil {
		return fmt.Errorf("start the metadata quorum: %w", err)
	}
	return nil
}

// endpoints are what the metadata says of this node's listeners.
func (s *Server) endpoints() []metadata.Endpoint {
	var out []metadata.Endpoint
	for i, l := range s.o.Listen {
		host, port := l.AdvertiseHost, l.AdvertisePort
		boundHost, boundPort := splitAddr(s.kafkaPorts[i].Addr())
		if host == "" {
			host = boundHost
		}
		if port == 0 {
			port = boundPort
		}
		out = append(out, metadata.Endpoint{Name: l.Name, Host: host, Port: uint16(port)})
	}
	return out
}

func splitAddr(a net.Addr) (string, int32) {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String(), 0
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return host, 0
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return host, int32(n)
}

// newID draws an identifier from the system's random source, which does not
// fail (crypto/rand ends the process instead).
func newID() uuid.UUID {
	id, err := uuid.New(rand.Reader)
	if err != nil {
		panic("server: the system's random source failed: " + err.Error())
	}
	return id
}

// stopCore stops what startCore started, in reverse.
func (s *Server) stopCore() error {
	var errs []error
	if s.quorum != nil {
		s.others.keeper.Close()
		s.control.Close()
		errs = append(errs, s.quorum.Close())
	}
	s.stopTimers()
	s.stopTxns()
	if s.states != nil {
		s.states.Close()
	}
	if s.groups != nil {
		s.groups.Close()
		s.forgetting.Wait()
	}
	if s.broker != nil {
		errs = append(errs, s.broker.Close())
	} else {
		for _, d := range s.dirs {
			errs = append(errs, d.Close(func(log.Ident) int64 { return -1 }))
		}
	}
	for _, d := range s.held {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}
