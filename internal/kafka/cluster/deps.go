package cluster

import (
	"context"
	"iter"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/wire/own"
)

// Storage is what this node keeps on its disks.
type Storage interface {
	LogDirs() []LogDir
	// Replicas describes the partitions held here, in any order.
	Replicas() iter.Seq[partition.Describe]
	// Moves describes the partitions on their way to another directory, and
	// Move begins one; its error has a code.
	Moves() []Move
	Move(topic string, index int32, dir string) error
}

// Move is a partition on its way to another log directory.
type Move struct {
	Topic string
	Index int32
	Dir   string // where it goes
	Bytes int64  // of it there
	Lag   int64  // offsets that are not there yet
}

// LogDir is one log directory.
type LogDir struct {
	Path string
	Err  error // why it is offline, nil when it is not
	// Bytes of the file system that it lies on, -1 when unknown.
	TotalBytes, UsableBytes int64
	Cordoned                bool // takes no new replicas
	// Closed are the replicas in it whose logs cannot be opened.
	Closed []own.ClosedLog
}

// Deps is what the family needs of its node.
type Deps struct {
	Cluster   api.Cluster
	Storage   Storage
	View      *config.View
	NodeID    int32
	ClusterID string
	// ControllerID is the node that clients shall send changes to, -1 when
	// none is known.
	ControllerID func() int32
	// Quorum tells how the metadata quorum stands.
	Quorum func() Quorum
	// Settled, when set, returns when it is known what became of nodes that may
	// just have ended, after a second at most.
	Settled func(ctx context.Context)
	// Trusted tells whether others cannot have gone on without this node yet; nil is
	// always.
	Trusted func() bool
	// Members changes who is in it; nil where there is nobody to forward to,
	// and nothing to change.
	Members Members
}

// Rows lists the family's APIs without their handlers' needs, for documents.
func Rows() []api.API { return APIs(Deps{}) }

// APIs gives the family's rows of the dispatch table.
func APIs(d Deps) []api.API {
	h := &handlers{d}
	return []api.API{h.metadata(), h.alterReplicaLogDirs(), h.describeLogDirs(), h.describeCluster(), h.describeQuorum(), h.updateFeatures(),
		h.unregisterBroker(), h.unregisterController(), h.addRaftVoter(), h.removeRaftVoter(), h.updateRaftVoter()}
}

// handlers holds the family's handlers.
type handlers struct{ d Deps }

// rackOf gives a broker's rack, nil when it has none.
func rackOf(b *metadata.Broker) *string {
	if b.Rack == "" {
		return nil
	}
	return &b.Rack
}

// address is where a client reaches a broker: what its connection is told, or
// the registered endpoint where that knows nothing.
func address(c *api.Conn, b *metadata.Broker) (string, int32) {
	if c != nil && c.Advertised != nil {
		if host, port := c.Advertised(b.ID); host != "" {
			return host, port
		}
	}
	for i := range b.Endpoints {
		e := &b.Endpoints[i]
		if c == nil || e.Name == c.Listener || i == len(b.Endpoints)-1 {
			return e.Host, int32(e.Port)
		}
	}
	return "", -1
}
