package controller

import (
	"fmt"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// UnfenceBroker once it serves: from now on it may lead. Reply nil.
type UnfenceBroker struct {
	ID    int32
	Epoch int64
}

// FenceBroker when it fell silent: others lead in its place. Reply nil.
type FenceBroker struct {
	ID    int32
	Epoch int64
	// Why is for Reason: "node 1 silent for 2.1 s"; "" says that it was fenced.
	Why string
}

// ShutdownBroker at a clean stop: others lead from now on, and no replica of it
// joins an ISR any more. The reply is ShutDown. A node that is the only one is
// fenced by it too; where there are others it is fenced once they have applied
// the change, by FenceBroker.
type ShutdownBroker struct {
	ID    int32
	Epoch int64
}

// ShutDown tells what became of a stopping broker's leaderships.
type ShutDown struct {
	Moved int32 // partitions that another leads now
	// Leaderless are those that nobody leads until it is back.
	Leaderless int32
	// Leads are those that it still leads: more than none only on a node alone.
	Leads int32
}

func (c *Controller) unfenceBroker(cmd UnfenceBroker) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil || !b.Fenced {
		return nil, nil, err
	}
	switch {
	case reserved(b):
		return nil, nil, wire.Errorf(wire.StaleBrokerEpoch, "node %d has a place in the cluster and never registered", b.ID)
	case b.InControlledShutdown:
		return nil, nil, wire.Errorf(wire.InvalidRequest, "node %d is shutting down: it serves again after it has registered anew", b.ID)
	}
	c.because("node %d is back", b.ID)
	records := []metadata.Record{&metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, Fenced: -1}}
	return append(records, c.comeBack(b.ID)...), nil, nil
}

func (c *Controller) fenceBroker(cmd FenceBroker) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil || b.Fenced {
		return nil, nil, err
	}
	if cmd.Why == "" {
		cmd.Why = fmt.Sprintf("node %d was fenced", b.ID)
	}
	c.because("%s", cmd.Why)
	records := c.leave(b.ID)
	return append(records, &metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, Fenced: 1}), nil, nil
}

func (c *Controller) shutdownBroker(cmd ShutdownBroker) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil {
		return nil, nil, err
	}
	change := &metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, InControlledShutdown: 1}
	if c.alone(b.ID) {
		change.Fenced = 1
	}
	if b.InControlledShutdown && (b.Fenced || change.Fenced == 0) {
		return nil, ShutDown{Leads: c.leads(b.ID)}, nil
	}
	c.because("node %d is shutting down", b.ID)
	records := c.leave(b.ID)
	reply := ShutDown{Leads: c.leads(b.ID)}
	for _, r := range records {
		moved, ok := r.(*metadata.PartitionChangeRecord)
		switch {
		case !ok || moved.Leader == metadata.LeaderUnchanged || c.partitionOf(r).Leader != b.ID:
		case moved.Leader == metadata.NoLeader:
			reply.Leaderless++
		default:
			reply.Moved++
		}
	}
	reply.Leads -= reply.Moved + reply.Leaderless
	return append(records, change), reply, nil
}

// leads counts the partitions that a broker leads.
func (c *Controller) leads(id int32) int32 {
	n := int32(0)
	for t := range c.image().Topics() {
		for _, p := range t.Partitions {
			if p.Leader == id {
				n++
			}
		}
	}
	return n
}

// registered finds a broker that speaks under the epoch it was given.
func (c *Controller) registered(id int32, epoch int64) (*metadata.Broker, error) {
	b := c.image().Broker(id)
	if b == nil {
		return nil, errNotRegistered(id)
	}
	if b.Epoch != epoch {
		return nil, wire.Errorf(wire.StaleBrokerEpoch, "Expected broker epoch %d, but got broker epoch %d", b.Epoch, epoch)
	}
	return b, nil
}
