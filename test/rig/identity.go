package rig

import (
	"context"
	"fmt"
	"net"

	"ottla/internal/datadir"
	"ottla/internal/peer"
	"ottla/internal/vfs"
)

// DialAsNode connects to a node of Ottla's as the node whose first data
// directory is dir, for what only nodes may ask; it speaks Kafka's protocol and
// is answered in order. The node must have founded or joined a cluster.
func DialAsNode(ctx context.Context, dir, addr string) (net.Conn, error) {
	f := vfs.NewOS()
	owner, err := datadir.Owner(f, dir)
	if err != nil {
		return nil, fmt.Errorf("whose directory it is: %w", err)
	}
	id, err := peer.Load(f, dir, peer.Whose{ClusterID: owner.ClusterID, NodeID: owner.NodeID, DirectoryID: owner.DirectoryID})
	if err != nil {
		return nil, fmt.Errorf("the node's identity: %w", err)
	}
	pool := peer.NewPool(peer.PoolOptions{
		Identity:  func() (*peer.Identity, error) { return id, nil },
		Addresses: func(int32) []string { return []string{addr} },
	})
	defer pool.Close() // the connection is not of those that it ends
	return pool.Open(ctx, id.NodeID)
}
