package controller

import (
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// RegisterBroker, on every start; the reply is the broker epoch (int64). A new
// incarnation raises the leader epoch of every partition it leads: the process
// that led them before is gone, and so is what it had not written. The same
// incarnation again keeps its epoch and only renews what it says of itself.
//
// An incarnation takes the place of another one that was never fenced: with a
// quorum of one both would be the same directory, whose lock tells that the
// older process has ended.
type RegisterBroker struct {
	Broker    metadata.Broker // Epoch and Fenced are decided here
	ClusterID string
}

func (c *Controller) registerBroker(cmd RegisterBroker) ([]metadata.Record, any, error) {
	if err := c.checkRegistration(&cmd); err != nil {
		return nil, nil, err
	}
	b := cmd.Broker
	old := c.image().Broker(b.ID)
	if old != nil && old.Incarnation == b.Incarnation {
		b.Epoch, b.Fenced, b.InControlledShutdown = old.Epoch, old.Fenced, old.InControlledShutdown
		return []metadata.Record{b.Record()}, b.Epoch, nil
	}
	b.Epoch, b.Fenced, b.InControlledShutdown = c.nextBrokerEpoch(), true, false
	records := []metadata.Record{b.Record()}
	return append(records, c.leaveOrRaise(b.ID, b.Directories)...), b.Epoch, nil
}

// nextBrokerEpoch is explained in doc.go. The look at the registrations covers
// images that come from elsewhere.
func (c *Controller) nextBrokerEpoch() int64 {
	epoch := c.next
	for b := range c.image().Brokers() {
		epoch = max(epoch, b.Epoch+1)
	}
	return epoch
}

// checkRegistration refuses what must not join: another cluster's node, one
// that does not understand what is finalised, one whose directories are
// somebody else's.
func (c *Controller) checkRegistration(cmd *RegisterBroker) error {
	b := &cmd.Broker
	if want := c.options.ClusterID; want != "" && cmd.ClusterID != want {
		return wire.Errorf(wire.InconsistentClusterID, "Expected cluster ID %s, but got cluster ID %s", want, cmd.ClusterID)
	}
	if b.ID < 0 {
		return wire.Errorf(wire.InvalidRequest, "Broker id %d is negative", b.ID)
	}
	if b.Incarnation.IsZero() {
		return wire.Errorf(wire.InvalidRequest, "Broker %d names no incarnation", b.ID)
	}
	if err := c.checkDirectories(b); err != nil {
		return err
	}
	if len(b.Features) == 0 { // a node that says nothing is taken to be like us
		return nil
	}
	for name, level := range c.image().Features() {
		if r := b.Features[name]; level < r[0] || level > r[1] {
			return wire.Errorf(wire.UnsupportedVersion, "Unable to register because the broker does not support finalized version %d of %s. The broker wants a version between %d and %d, inclusive.", level, name, r[0], r[1])
		}
	}
	return nil
}

func (c *Controller) checkDirectories(b *metadata.Broker) error {
	mine := make(map[uuid.UUID]bool, len(b.Directories))
	for _, d := range b.Directories {
		switch {
		case reservedDirectory(d):
			return wire.Errorf(wire.InvalidRequest, "Reserved directory ID in request")
		case mine[d]:
			return wire.Errorf(wire.InvalidRequest, "Duplicate directory ID in request")
		}
		mine[d] = true
	}
	for other := range c.image().Brokers() {
		for _, d := range other.Directories {
			if other.ID != b.ID && mine[d] {
				return wire.Errorf(wire.InvalidRequest, "Broker %d is already registered with directory %s", other.ID, d)
			}
		}
	}
	return nil
}

// reservedDirectory tells the first hundred identifiers, which KIP-858 keeps
// for special meanings.
func reservedDirectory(d uuid.UUID) bool {
	return d[15] < 100 && d == uuid.UUID{15: d[15]}
}

// UnregisterBroker forgets a broker; replicas on it stay assigned. Reply nil.
type UnregisterBroker struct{ ID int32 }

func (c *Controller) unregisterBroker(cmd UnregisterBroker) ([]metadata.Record, any, error) {
	b := c.image().Broker(cmd.ID)
	if b == nil {
		return nil, nil, errNotRegistered(cmd.ID)
	}
	records := c.leave(b.ID)
	return append(records, metadata.UnregisterBroker(b.ID, b.Epoch)), nil, nil
}

func errNotRegistered(id int32) error {
	return wire.Errorf(wire.BrokerIDNotRegistered, "Broker ID %d is not currently registered", id)
}
