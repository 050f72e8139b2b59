package kafka

import (
	"log/slog"
	"net"
	"time"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/metric"
)

// Cluster is what the door must know of the cluster.
type Cluster interface{ Image() *metadata.Image }

// Options make a Door.
type Options struct {
	Cluster   Cluster
	View      *config.View
	NodeID    int32
	ClusterID string
	// APIs are the families' rows; ApiVersions is the door's own.
	APIs []api.API
	// Memory is the listener that connections inside the process belong to.
	Memory Listener
	// Nodes, if set, takes connections that begin with TLS and serves them until
	// they are over; first was read already. Those of other nodes come back
	// through ServeNode. Without it a client that speaks TLS is turned away.
	Nodes func(nc net.Conn, first []byte)
	// Hold keeps clients waiting at the door until LetIn, each for HoldFor at most;
	// 0 is as long as it takes.
	Hold    bool
	HoldFor time.Duration
	// Mute tells whether this node is cut off from the others for all that it knows;
	// nil: never. A client that asks it again which node to go to is sent off then.
	Mute func() bool
	// HTTPAddr, if set, is named to those who speak HTTP to this port.
	HTTPAddr string
	// SupportedFeatures are the features of this node with their ranges, for
	// ApiVersions.
	SupportedFeatures map[string][2]int16
	// FixedFeatures are levels that are finalised elsewhere than in the
	// metadata: kraft.version.
	FixedFeatures map[string]int16
	// Now is the clock that idle connections are judged by; time.Now when nil.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics *metric.Registry // nil: not measured
}

// Listener says how a listener presents itself.
type Listener struct {
	Name string // PLAINTEXT when empty
	// AdvertiseHost and AdvertisePort are what clients are told for this node;
	// without a host, each client is told the address that it used itself.
	AdvertiseHost string
	AdvertisePort int32
}

// limits are the bounds that settings give, read once but for those that may
// change at run time.
type limits struct {
	frame int           // socket.request.max.bytes
	idle  time.Duration // connections.max.idle.ms; 0 none
}

// Bounds that are not settings.
const (
	// maxParked is how many requests of a connection may wait for their
	// answers. Clients keep five in flight, the eager ones a few dozen.
	maxParked = 64
	// maxCalls is how many calls of another node wait on one connection: they
	// are of everybody there.
	maxCalls = 1024
	// stalled is how long a client may take no byte of an answer before its
	// connection is closed.
	stalled = 30 * time.Second
	// sweepEvery is how often idle and stalled connections are looked for.
	sweepEvery = 5 * time.Second
)

// setting reads a numeric broker setting as it stands now.
func (d *Door) setting(name string) int64 {
	return d.o.View.Int(d.o.Cluster.Image(), name)
}
