package controller

import (
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
}

// ShutdownBroker at a clean stop: others lead from now on, and it is fenced.
// Reply nil.
type ShutdownBroker struct {
	ID    int32
	Epoch int64
}

func (c *Controller) unfenceBroker(cmd UnfenceBroker) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil || !b.Fenced {
		return nil, nil, err
	}
	records := []metadata.Record{&metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, Fenced: -1}}
	return append(records, c.comeBack(b.ID)...), nil, nil
}

func (c *Controller) fenceBroker(cmd FenceBroker) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil || b.Fenced {
		return nil, nil, err
	}
	records := c.leave(b.ID)
	return append(records, &metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, Fenced: 1}), nil, nil
}

func (c *Controller) shutdownBroker(cmd ShutdownBroker) ([]metadata.Record, any, error) {
	b, err := c.registered(cmd.ID, cmd.Epoch)
	if err != nil || b.Fenced && b.InControlledShutdown {
		return nil, nil, err
	}
	change := &metadata.BrokerRegistrationChangeRecord{BrokerID: b.ID, BrokerEpoch: b.Epoch, Fenced: 1, InControlledShutdown: 1}
	records := c.leave(b.ID)
	return append(records, change), nil, nil
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
