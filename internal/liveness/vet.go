package liveness

import (
	"slices"

	"ottla/internal/controller"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Vet looks at a command that node from gives over the wire before the
// controller sees it. A node registers itself alone, and nobody registers as the
// node that leads, whose directories are in use. A registration learns what is
// known of the process that it would take the place of.
func (k *Keeper) Vet(from int32, cmd any) (any, error) {
	reg, ok := cmd.(controller.RegisterBroker)
	if !ok {
		return cmd, nil
	}
	if reg.Broker.ID != from {
		return nil, wire.Errorf(wire.ClusterAuthorizationFailed, "node %d cannot register as node %d", from, reg.Broker.ID)
	}
	if from == k.o.NodeID {
		return nil, wire.Errorf(wire.DuplicateBrokerRegistration, "node %d is this node, and it runs: a copy of its data directory cannot join its cluster", from)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	old := k.img.Broker(from)
	switch {
	case !k.leading:
	case old == nil:
		return nil, Dismissed(from)
	default:
		same := slices.ContainsFunc(reg.Broker.Directories, func(d uuid.UUID) bool { return slices.Contains(old.Directories, d) })
		reg.OldGone = k.tracker.Ended(from, same)
	}
	return reg, nil
}

// Dismissed refuses a node that has no place in the cluster: a place is given when
// a node is let in, and taken with its registration.
func Dismissed(node int32) error {
	return wire.Errorf(wire.BrokerIDNotRegistered, "node %d was removed from this cluster: to bring the machine back, start it on an empty data directory with --join and the token of `ottla cluster token`, and it comes in as a new node", node)
}

// Runs tells whether a node's process is there, for all that is known here: it
// serves, and its connection was not reset since it was last heard.
func (k *Keeper) Runs(node int32) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.img.Broker(node)
	return k.leading && b != nil && !b.Fenced && !k.tracker.Ended(node, true)
}
