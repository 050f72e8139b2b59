package ottla

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strings"
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
	// AllowTargets are internal addresses that schedules may call, as
	// --allow-targets takes them. A node that listens on loopback alone allows
	// loopback.
	AllowTargets []string
	// NodeID is what the directory says when 0; a fresh one is node 1 of a new
	// cluster, or gets a number from the cluster that it joins.
	NodeID int32
	// Join are addresses of nodes of a cluster that a fresh directory shall
	// belong to; without them it founds one. Start returns when the node serves.
	Join []string
	// Token admits the node (Server.Token of a node of the cluster); "" where
	// both are Insecure.
	Token string
	// Insecure admits nodes without a token, and joins without one.
	Insecure bool
	// NoVote keeps the node from becoming a voter of the metadata by itself.
	NoVote bool
	// Rack or zone of the node, which replicas and readers are placed by; ""
	// for none.
	Rack string
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
	faults *Faults
}

// memoryPath is where a node without a directory keeps its files, in memory.
const memoryPath = "/data"

// Start starts a node and returns when it serves. ctx bounds the start only.
func Start(ctx context.Context, o Options) (*Server, error) {
	settings := maps.Clone(o.Settings)
	if settings == nil {
		settings = map[string]string{}
	}
	if o.Rack != "" {
		settings["broker.rack"] = o.Rack
	}
	if len(o.AllowTargets) > 0 {
		settings["outbound.allow.targets"] = strings.Join(o.AllowTargets, ",")
	}
	static, err := config.StaticOf("ottla.Options.Settings", settings)
	if err != nil {
		return nil, fmt.Errorf("settings of an embedded node: %w", err)
	}
	so := server.Options{
		FS: vfs.NewOS(), Dirs: []string{o.Dir}, NodeID: o.NodeID,
		Join: o.Join, Token: o.Token, Insecure: o.Insecure, NoVote: o.NoVote,
		Listen: []server.Listener{{Name: "PLAINTEXT", Addr: o.Listen}}, HTTP: o.HTTP,
		Static: static, Now: o.Clock.Now, Live: time.Now, Clock: o.Clock.of(), Logger: o.Logger, VerifyAge: server.DefaultVerifyAge, Version: "embedded",
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
	so.LoopbackTargets = onLoopback(so.Listen[0].Addr) && (so.HTTP == "" || onLoopback(so.HTTP))
	node, err := server.Start(ctx, so)
	if err != nil {
		return nil, err
	}
	s := &Server{node: node, faults: o.Faults}
	s.faults.join(s)
	return s, nil
}

// onLoopback tells an address that other machines cannot reach.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// Addr is the Kafka address, host:port, for a client's bootstrap servers.
func (s *Server) Addr() string { return s.node.KafkaAddr() }

// HTTPAddr is the HTTP address, "" when there is none.
func (s *Server) HTTPAddr() string { return s.node.HTTPAddr() }

// ClusterID is the cluster's identifier.
func (s *Server) ClusterID() string { return s.node.ClusterID() }

// NodeID is the node's number in the cluster.
func (s *Server) NodeID() int32 { return s.node.NodeID() }

// Token is what another node joins the cluster with. Whoever has it can become
// a node: keep it as one keeps a password.
func (s *Server) Token() (string, error) { return s.node.Token() }

// Member is a node of the cluster.
type Member struct {
	NodeID  int32
	Addr    string // host:port of its first listener
	Rack    string
	Serving bool // clients may use it: it is not fenced
	Voter   bool // of the metadata quorum
}

// Members are the nodes that this one knows of, by number.
func (s *Server) Members() []Member {
	var out []Member
	for _, m := range s.node.Members() {
		out = append(out, Member(m))
	}
	return out
}

// Dial opens a Kafka connection to the node without a socket, for clients in
// the same process (kgo.Dialer).
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) { return s.node.Dial(ctx) }

// Failed carries one error when the node cannot go on, for example because the disk
// of the metadata log failed. It answers for nothing that another node may have taken
// over by then; whoever embeds it closes it, and may start it again.
func (s *Server) Failed() <-chan error { return s.node.Failed() }

// Close stops the node cleanly: what was acknowledged is on disk, and no
// goroutine of it is left.
func (s *Server) Close() error {
	s.faults.leave(s)
	return s.node.Close()
}
