package ottla

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"ottla/internal/config"
	"ottla/internal/server"
	"ottla/internal/vfs"
	"ottla/internal/vfs/faulty"
)

// Options make a node; the zero value is a node in memory on a free port of
// this machine.
type Options struct {
	// Dir keeps the data; "" keeps it in memory until Close.
	Dir string
	// Listen is the Kafka address, "127.0.0.1:0" when empty: a free port.
	Listen string
	// HTTP is the address of health and metrics; none when empty.
	HTTP string
	// Settings are broker settings by Kafka's names, e.g.
	// "auto.create.topics.enable": "true".
	Settings map[string]string
	// NodeID is 1, or what the directory says, when 0.
	NodeID int32
	// Logger takes one line per state change; nil discards them.
	Logger *slog.Logger
	// Clock is what the node takes for the time of day where it means data; nil
	// is the real time. A test moves it.
	Clock *Clock
	// Faults make disk and connections fail on demand; nil for none, at no cost.
	Faults *Faults
}

// Server is a running node.
type Server struct {
	node   *server.Server
	clock  *Clock
	faults *Faults
}

// memoryPath is where a node without a directory keeps its files, in memory.
const memoryPath = "/data"

// Start starts a node and returns when it serves. ctx bounds the start only.
func Start(ctx context.Context, o Options) (*Server, error) {
	static, err := config.StaticOf("ottla.Options.Settings", o.Settings)
	if err != nil {
		return nil, fmt.Errorf("settings of an embedded node: %w", err)
	}
	so := server.Options{
		FS: vfs.NewOS(), Dirs: []string{o.Dir}, NodeID: o.NodeID,
		Listen: []server.Listener{{Name: "PLAINTEXT", Addr: o.Listen}}, HTTP: o.HTTP,
		Static: static, Now: o.Clock.Now, Live: time.Now, Logger: o.Logger, VerifyAge: server.DefaultVerifyAge, Version: "embedded",
	}
	if o.Dir == "" {
		so.FS, so.Dirs = vfs.NewMem(0), []string{memoryPath}
	}
	if o.Faults != nil {
		so.FS = faulty.Over(so.FS, &o.Faults.disk)
	}
	if o.Listen == "" {
		so.Listen[0].Addr = "127.0.0.1:0"
	}
	if o.NodeID == 0 {
		so.NodeID = -1
	}
	if o.Logger == nil {
		so.Logger = slog.New(slog.DiscardHandler)
	}
	node, err := server.Start(ctx, so)
	if err != nil {
		return nil, err
	}
	s := &Server{node: node, clock: o.Clock, faults: o.Faults}
	s.clock.join(s)
	s.faults.join(s)
	return s, nil
}

// Addr is the Kafka address, host:port, for a client's bootstrap servers.
func (s *Server) Addr() string { return s.node.KafkaAddr() }

// HTTPAddr is the HTTP address, "" when there is none.
func (s *Server) HTTPAddr() string { return s.node.HTTPAddr() }

// ClusterID is the cluster's identifier.
func (s *Server) ClusterID() string { return s.node.ClusterID() }

// Dial opens a Kafka connection to the node without a socket, for clients in
// the same process (kgo.Dialer).
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) { return s.node.Dial(ctx) }

// Close stops the node cleanly: what was acknowledged is on disk, and no
// goroutine of it is left.
func (s *Server) Close() error {
	s.clock.leave(s)
	s.faults.leave(s)
	return s.node.Close()
}
