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
	if old := k.img.Broker(from); old != nil && k.leading {
		same := slices.ContainsFunc(reg.Broker.Directories, func(d uuid.UUID) bool { return slices.Contains(old.Directories, d) })
		reg.OldGone = k.tracker.Ended(from, same)
	}
	return reg, nil
}
