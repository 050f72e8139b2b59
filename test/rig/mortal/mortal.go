package mortal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Options make a cluster.
type Options struct {
	Nodes  int    // 1 or 3
	Binary string // of Ottla; without it cmd/ottla is built
	Dir    string // where data and logs are
	Set    []string
}

// Cluster is the nodes.
type Cluster interface {
	// Addrs are where they serve Kafka's clients, HTTPAddrs HTTP.
	Addrs() []string
	HTTPAddrs() []string
	// Replicas is how many a topic shall have.
	Replicas() int16
	// Kill ends a node with SIGKILL and starts it again; of several nodes it may
	// leave it down for a while, so that others take over. It fails when a node
	// has ended by itself.
	Kill(ctx context.Context, rng *rand.Rand) error
	// Close ends all nodes.
	Close(ctx context.Context) error
}

// mostDown is how long a node of several is down at most: longer than others take
// to see it.
const mostDown = 4 * time.Second

// Open starts the nodes.
func Open(ctx context.Context, o Options) (Cluster, error) {
	switch o.Nodes {
	case 1:
		return openOne(ctx, o)
	case 3:
		return openThree(ctx, o)
	}
	return nil, fmt.Errorf("%d nodes: 1 or 3 are possible", o.Nodes)
}
