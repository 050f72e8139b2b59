package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// Bootstrap is the first command of a new cluster: it finalises features. On a
// cluster that has some it changes nothing. Reply nil.
type Bootstrap struct{ Features map[string]int16 }

func (c *Controller) bootstrap(cmd Bootstrap) ([]metadata.Record, any, error) {
	for range c.image().Features() {
		return nil, nil, nil
	}
	if cmd.Features[metadata.MetadataVersion] == 0 {
		return nil, nil, wire.Errorf(wire.InvalidRequest, "a new cluster must finalise %s", metadata.MetadataVersion)
	}
	var records []metadata.Record
	for _, name := range sortedFeatures(cmd.Features) {
		level := cmd.Features[name]
		if reason := c.unsupported(name, level); reason != "" {
			return nil, nil, invalidUpdate(name, level, reason)
		}
		records = append(records, &metadata.FeatureLevelRecord{Name: name, Level: level})
		records = append(records, c.followFeature(name, level)...)
	}
	return records, nil, nil
}

// followFeature is what comes with a change of a feature. Eligible leader
// replicas (KIP-966) need one min.insync.replicas for the cluster: it is
// written down, and brokers lose theirs. When they are switched off, the lists
// of eligible replicas mean nothing any more.
func (c *Controller) followFeature(name string, level int16) []metadata.Record {
	if name != metadata.ELRVersion {
		return nil
	}
	if level == 0 {
		return append(c.eligibleInSync(), &metadata.ClearELRRecord{})
	}
	var records []metadata.Record
	if _, set := c.image().Config(metadata.ResourceBroker, "")[minInsync]; !set {
		value := strconv.Itoa(int(max(c.options.MinInsync, 1)))
		records = append(records, &metadata.ConfigRecord{ResourceType: metadata.ResourceBroker, Name: minInsync, Value: &value})
	}
	for _, id := range c.image().ConfigResources(metadata.ResourceBroker) {
		if _, set := c.image().Config(metadata.ResourceBroker, id)[minInsync]; set && id != "" {
			records = append(records, &metadata.ConfigRecord{ResourceType: metadata.ResourceBroker, ResourceName: id, Name: minInsync})
		}
	}
	return records
}

// eligibleInSync puts those that may lead a partition without a leader back into
// its ISR, before the lists of eligible ones are forgotten: without the feature
// it is the ISR that says who may lead, and is never empty.
func (c *Controller) eligibleInSync() []metadata.Record {
	return c.eachPartition(func(t *metadata.Topic, p *metadata.Partition) metadata.Record {
		if len(p.ISR) > 0 || len(p.ELR)+len(p.LastELR) == 0 {
			return nil
		}
		change := metadata.ChangePartition(t.ID, p.Index)
		if change.ISR = p.ELR; len(p.ELR) == 0 {
			change.ISR = p.LastELR
		}
		return change
	})
}

// UpdateFeatures changes finalised levels, all or none (KIP-584, KIP-778); the
// reply is map[string]Result. Where one update is refused the others are told
// FEATURE_UPDATE_FAILED.
type UpdateFeatures struct {
	Updates      map[string]FeatureUpdate
	ValidateOnly bool
}

// FeatureUpdate is a new level; 0 turns the feature off.
type FeatureUpdate struct {
	Level       int16
	UpgradeType int8 // 1 upgrade, 2 safe downgrade, 3 unsafe downgrade
}

func (c *Controller) updateFeatures(cmd UpdateFeatures) ([]metadata.Record, any, error) {
	reply := make(map[string]Result, len(cmd.Updates))
	var records []metadata.Record
	failed := ""
	for _, name := range sortedFeatures(cmd.Updates) {
		u := cmd.Updates[name]
		if err := c.refuseUpdate(name, u); err != nil {
			reply[name] = resultOf(err)
			failed = name
			continue
		}
		reply[name] = Result{}
		if c.level(name) != u.Level {
			records = append(records, &metadata.FeatureLevelRecord{Name: name, Level: u.Level})
			records = append(records, c.followFeature(name, u.Level)...)
		}
	}
	if failed != "" {
		for name, r := range reply {
			if r.Code == wire.None {
				reply[name] = Result{wire.FeatureUpdateFailed, "not applied, because the update of " + failed + " was refused"}
			}
		}
		return nil, reply, nil
	}
	if cmd.ValidateOnly {
		return nil, reply, nil
	}
	return records, reply, nil
}

// sortedFeatures gives metadata.version first, as a log must begin with it.
func sortedFeatures[V any](m map[string]V) []string {
	names := slices.Sorted(maps.Keys(m))
	if i := slices.Index(names, metadata.MetadataVersion); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, metadata.MetadataVersion)
	}
	return names
}

func invalidUpdate(name string, level int16, reason string) error {
	return wire.Errorf(wire.InvalidUpdateVersion, "Invalid update version %d for feature %s. %s", level, name, reason)
}

// level is at which level a feature runs, 0 when it is off.
func (c *Controller) level(name string) int16 {
	if fixed, ok := c.options.Fixed[name]; ok {
		return fixed
	}
	return c.image().FeatureLevel(name)
}

// refuseUpdate tells why an update cannot be, nil when it can.
func (c *Controller) refuseUpdate(name string, u FeatureUpdate) error {
	now := c.level(name)
	_, fixed := c.options.Fixed[name]
	const upgrade, unsafe = 1, 3 // 2 is the safe downgrade
	reason := ""
	switch {
	case u.UpgradeType < upgrade || u.UpgradeType > unsafe:
		reason = "The controller does not support the given upgrade type."
	case u.Level < 0:
		reason = "A feature version cannot be less than 0."
	default:
		reason = c.unsupported(name, u.Level)
	}
	switch {
	case reason != "":
	case u.Level < now && u.UpgradeType == upgrade:
		reason = "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
	case u.Level > now && u.UpgradeType != upgrade:
		reason = "Can't downgrade to a newer version."
	case fixed && u.Level != now:
		reason = "Can't downgrade the version of this feature."
		if u.Level > now {
			reason = "The version of this feature is not changed here."
		}
	case name == metadata.MetadataVersion && u.Level < now:
		reason = "Refusing to perform the requested downgrade because it might delete metadata information."
		if u.UpgradeType == unsafe {
			reason = "Unsafe metadata downgrade is not supported in this version."
		}
		return wire.Errorf(wire.InvalidUpdateVersion, "Unsupported metadata.version downgrade from %d to %d. %s", now, u.Level, reason)
	}
	if reason != "" {
		return invalidUpdate(name, u.Level, reason)
	}
	return nil
}

// unsupported tells who does not understand a level: this node or a registered
// broker. Level 0 is the feature turned off, which all do unless their range
// begins above it.
func (c *Controller) unsupported(name string, level int16) string {
	own, known := c.options.Features[name]
	switch {
	case !known && level == 0:
		return "Feature " + name + " not found."
	case !known:
		return fmt.Sprintf("Local controller %d does not support this feature.", c.options.NodeID)
	case level < own[0] || level > own[1]:
		return fmt.Sprintf("Local controller %d only supports versions %d-%d", c.options.NodeID, own[0], own[1])
	}
	for b := range c.image().Brokers() {
		if len(b.Features) == 0 { // says nothing of itself
			continue
		}
		r, known := b.Features[name]
		switch {
		case !known && level != 0:
			return fmt.Sprintf("Broker %d does not support this feature.", b.ID)
		case level < r[0] || level > r[1]:
			return fmt.Sprintf("Broker %d only supports versions %d-%d", b.ID, r[0], r[1])
		}
	}
	return ""
}
