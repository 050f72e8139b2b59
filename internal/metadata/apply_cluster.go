package metadata

import (
	"fmt"
	"maps"
)

func (d *Draft) applyRegisterBroker(r *RegisterBrokerRecord) error {
	if old := d.img.Broker(r.BrokerID); old != nil && r.BrokerEpoch < old.Epoch {
		return fmt.Errorf("REGISTER_BROKER %d: epoch %d is below %d, the one it has", r.BrokerID, r.BrokerEpoch, old.Epoch)
	}
	b := &Broker{
		ID: r.BrokerID, Epoch: r.BrokerEpoch, Incarnation: r.IncarnationID,
		Endpoints: r.Endpoints, Fenced: r.Fenced, InControlledShutdown: r.InControlledShutdown,
		Directories: r.LogDirs, Cordoned: r.CordonedLogDirs, Features: featureMap(r.Features),
	}
	if r.Rack != nil {
		b.Rack = *r.Rack
	}
	d.img.brokers.set(d.owner, b.ID, b)
	d.changed.broker(b.ID)
	return nil
}

func featureMap(list []FeatureRange) map[string][2]int16 {
	m := make(map[string][2]int16, len(list))
	for _, f := range list {
		m[f.Name] = [2]int16{f.Min, f.Max}
	}
	return m
}

// registered finds the broker that a record speaks of, under the epoch it says.
func (d *Draft) registered(what string, id int32, epoch int64) (*Broker, error) {
	b := d.img.Broker(id)
	if b == nil {
		return nil, fmt.Errorf("%s %d: no such broker is registered", what, id)
	}
	if b.Epoch != epoch {
		return nil, fmt.Errorf("%s %d: epoch %d, but it is registered with %d", what, id, epoch, b.Epoch)
	}
	return b, nil
}

func (d *Draft) applyUnregisterBroker(r *UnregisterBrokerRecord) error {
	if _, err := d.registered("UNREGISTER_BROKER", r.BrokerID, r.BrokerEpoch); err != nil {
		return err
	}
	d.img.brokers.remove(d.owner, r.BrokerID)
	d.changed.broker(r.BrokerID)
	return nil
}

func (d *Draft) applyRegistrationChange(r *BrokerRegistrationChangeRecord) error {
	old, err := d.registered("change of broker", r.BrokerID, r.BrokerEpoch)
	if err != nil {
		return err
	}
	b := *old
	if r.Fenced != 0 {
		b.Fenced = r.Fenced > 0
	}
	if r.InControlledShutdown != 0 {
		b.InControlledShutdown = r.InControlledShutdown > 0
	}
	if len(r.LogDirs) > 0 {
		b.Directories = r.LogDirs
	}
	if r.CordonedLogDirs != nil {
		b.Cordoned = r.CordonedLogDirs
	}
	d.img.brokers.set(d.owner, b.ID, &b)
	d.changed.broker(b.ID)
	return nil
}

func (d *Draft) applyRegisterController(r *RegisterControllerRecord) {
	d.img.controllers.set(d.owner, r.ControllerID, &Controller{
		ID: r.ControllerID, Incarnation: r.IncarnationID,
		Endpoints: r.Endpoints, Features: featureMap(r.Features),
	})
}

func (d *Draft) applyUnregisterController(r *UnregisterControllerRecord) error {
	if _, ok := d.img.controllers.get(r.ControllerID); !ok {
		return fmt.Errorf("UNREGISTER_CONTROLLER %d: no such controller is registered", r.ControllerID)
	}
	d.img.controllers.remove(d.owner, r.ControllerID)
	return nil
}

// applyConfig sets or removes one override. A resource without overrides is
// not kept.
func (d *Draft) applyConfig(r *ConfigRecord) {
	key := Resource{r.ResourceType, r.ResourceName}
	d.changed.config(r.ResourceType, r.ResourceName)
	old, ok := d.img.configs.get(key)
	if r.Value == nil {
		if !ok {
			return
		}
		if _, has := old.values[r.Name]; has && len(old.values) == 1 {
			d.img.configs.remove(d.owner, key)
			return
		}
	}
	if !ok || old.owner != d.owner {
		fresh := &configs{values: make(map[string]string), owner: d.owner}
		if ok {
			maps.Copy(fresh.values, old.values)
		}
		old = fresh
		d.img.configs.set(d.owner, key, old)
	}
	if r.Value == nil {
		delete(old.values, r.Name)
	} else {
		old.values[r.Name] = *r.Value
	}
}

func (d *Draft) applyFeatureLevel(r *FeatureLevelRecord) {
	if r.Level == 0 {
		d.img.features.remove(d.owner, r.Name)
	} else {
		d.img.features.set(d.owner, r.Name, r.Level)
	}
	d.changed.feature()
}

func (d *Draft) applyProducerIDs(r *ProducerIDsRecord) error {
	if r.NextProducerID < d.img.producerIDs.NextProducerID {
		return fmt.Errorf("PRODUCER_IDS: next id %d is below %d, which is given out already", r.NextProducerID, d.img.producerIDs.NextProducerID)
	}
	d.img.producerIDs = *r
	d.img.producerIDs.unknown = unknownTags{}
	return nil
}
