package controller

import (
	"slices"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// RegisterBroker, on every start; the reply is the broker epoch (int64). A new
// incarnation takes the place of the older one: that process is gone, so others
// lead what it led. The same incarnation again keeps its epoch and only renews
// what it says of itself.
//
// An older incarnation that is not fenced may still run: then the newer one is
// refused with DUPLICATE_BROKER_REGISTRATION, unless it is known to be gone.
type RegisterBroker struct {
	Broker    metadata.Broker // Epoch and Fenced are decided here
	ClusterID string
	// Lossy tells that what the node had acknowledged and not synced may be missing:
	// it did not stop cleanly, and not only its process ended. It matters to topics
	// that do not sync before they acknowledge (durability).
	Lossy bool
	// OldGone tells that the process registered before has ended. Only the node
	// that decides can know (package liveness fills it in); it does not travel.
	OldGone bool `json:"-"`
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
	c.because("node %d started anew", b.ID)
	return append(records, c.startedAnew(&b, cmd.Lossy)...), b.Epoch, nil
}

// replaceable tells whether a new incarnation may take an older one's place.
// This node's own was in a directory whose lock we hold now; with no other node
// registered it is the same one.
func (c *Controller) replaceable(cmd *RegisterBroker) bool {
	old := c.image().Broker(cmd.Broker.ID)
	return old == nil || old.Fenced || old.Incarnation == cmd.Broker.Incarnation ||
		cmd.OldGone || c.alone(old.ID) || old.ID == c.options.NodeID
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
	if !c.replaceable(cmd) {
		return wire.Errorf(wire.DuplicateBrokerRegistration, "Another broker is registered with that broker id. If the broker was recently restarted this should self-resolve once the heartbeat manager expires the broker's session.")
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
	c.because("node %d was unregistered", b.ID)
	records := c.leave(b.ID)
	return append(records, metadata.UnregisterBroker(b.ID, b.Epoch)), nil, nil
}

// UnregisterController forgets a controller's registration. Reply nil. That it
// has no vote any more is for who asks to see to.
type UnregisterController struct{ ID int32 }

func (c *Controller) unregisterController(cmd UnregisterController) ([]metadata.Record, any, error) {
	for one := range c.image().Controllers() {
		if one.ID == cmd.ID {
			return []metadata.Record{&metadata.UnregisterControllerRecord{ControllerID: one.ID}}, nil, nil
		}
	}
	return nil, nil, wire.Errorf(wire.ControllerIDNotRegistered, "Controller ID %d is not currently registered.", cmd.ID)
}

// AdmitNode reserves a node id for a node that is about to join: the id that it
// names, or with -1 the lowest that is above all given so far. The reply is the
// id (int32). Asked again for the same directory it is the same. What holds the
// place is a fenced registration without an incarnation: no replicas are put on
// it.
type AdmitNode struct {
	NodeID      int32
	DirectoryID uuid.UUID // of the node's metadata
}

func (c *Controller) admitNode(cmd AdmitNode) ([]metadata.Record, any, error) {
	if cmd.NodeID < -1 || cmd.NodeID > maxNodeID {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "node id %d is not between 0 and %d", cmd.NodeID, maxNodeID)
	}
	if cmd.DirectoryID.IsZero() || reservedDirectory(cmd.DirectoryID) {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "the node names no directory of its own")
	}
	next := int32(0)
	for b := range c.image().Brokers() {
		next = max(next, b.ID+1)
		has := slices.Contains(b.Directories, cmd.DirectoryID)
		switch {
		case has && (cmd.NodeID == -1 || cmd.NodeID == b.ID):
			return nil, b.ID, nil
		case has:
			return nil, nil, wire.Errorf(wire.DuplicateBrokerRegistration, "directory %s belongs to node %d: it cannot be node %d's", cmd.DirectoryID, b.ID, cmd.NodeID)
		case b.ID == cmd.NodeID && reserved(b):
			return nil, nil, wire.Errorf(wire.DuplicateBrokerRegistration, "node id %d is kept for a node that was let in with directory %v and has not come yet: start that one, give its place up with `ottla cluster remove %d`, or leave the id out to be given one", b.ID, b.Directories, b.ID)
		case b.ID == cmd.NodeID && !b.Fenced:
			return nil, nil, wire.Errorf(wire.DuplicateBrokerRegistration, "node id %d is taken: leave it out to be given one", b.ID)
		case b.ID == cmd.NodeID: // its disk was replaced
			return nil, b.ID, nil
		}
	}
	for one := range c.image().Controllers() {
		next = max(next, one.ID+1)
	}
	id := cmd.NodeID
	if id == -1 {
		id = next
	}
	if id > maxNodeID {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "all node ids up to %d are given: name one that is free", maxNodeID)
	}
	b := metadata.Broker{ID: id, Epoch: c.nextBrokerEpoch(), Fenced: true, Directories: []uuid.UUID{cmd.DirectoryID}}
	return []metadata.Record{b.Record()}, id, nil
}

// maxNodeID leaves room for arithmetic on ids.
const maxNodeID = 1<<30 - 1

// reserved tells a place that was given to a node which never registered.
func reserved(b *metadata.Broker) bool { return b.Incarnation.IsZero() }

func errNotRegistered(id int32) error {
	return wire.Errorf(wire.BrokerIDNotRegistered, "Broker ID %d is not currently registered", id)
}
