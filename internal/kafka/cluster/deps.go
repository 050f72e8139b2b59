package cluster

import (
	"context"
	"iter"
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Cluster is the metadata of the cluster: what it is, and how to change it.
type Cluster interface {
	Image() *metadata.Image
	// Do gives the controller a command; when it returns, the change is
	// committed and this node has applied it.
	Do(ctx context.Context, cmd any) (any, error)
}

// Storage is what this node keeps on its disks.
type Storage interface {
	LogDirs() []LogDir
	// Replicas describes the partitions held here, in any order.
	Replicas() iter.Seq[partition.Describe]
}

// LogDir is one log directory.
type LogDir struct {
	Path string
	Err  error // why it is offline, nil when it is not
	// Bytes of the file system that it lies on, -1 when unknown.
	TotalBytes, UsableBytes int64
}

// Deps is what the family needs of its node.
type Deps struct {
	Cluster   Cluster
	Storage   Storage
	View      *config.View
	NodeID    int32
	ClusterID string
	// ControllerID is the node that clients shall send changes to, -1 when
	// none is known.
	ControllerID func() int32
}

// Rows lists the family's APIs without their handlers' needs, for documents.
func Rows() []api.API { return APIs(Deps{}) }

// APIs gives the family's rows of the dispatch table.
func APIs(d Deps) []api.API {
	h := &handlers{d}
	return []api.API{h.metadata(), h.describeLogDirs(), h.describeCluster()}
}

// handlers holds the family's handlers.
type handlers struct{ d Deps }

// row makes a dispatch row whose handler takes its own request type.
func row[Q kmsg.Request](key, low, high int16, serve func(context.Context, *api.Conn, Q) (kmsg.Response, error), differences ...string) api.API {
	return api.API{
		Key: key, Min: low, Max: high, ListedMin: low, Differences: differences,
		Handle: func(ctx context.Context, c *api.Conn, req kmsg.Request) (kmsg.Response, error) {
			q, ok := req.(Q)
			if !ok {
				return nil, wire.Errorf(wire.UnknownServerError, "a request of type %T came to the handler of API key %d", req, key)
			}
			return serve(ctx, c, q)
		},
	}
}

// The bits of AclOperation that mean something for a topic and for the cluster
// (KIP-430); without an authorizer everybody may do them all. Topic: READ,
// WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS.
// Cluster: CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS,
// ALTER_CONFIGS, IDEMPOTENT_WRITE.
const (
	allTopicOperations   = 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<10 | 1<<11
	allClusterOperations = 1<<5 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<11 | 1<<12
)

// operationsUnset is how Kafka leaves authorized operations out.
const operationsUnset = math.MinInt32

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
