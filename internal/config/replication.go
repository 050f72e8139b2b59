package config

const (
	defaultFactor = "default.replication.factor"
	minInsync     = "min.insync.replicas"
)

// Factor is the replication factor of topics that are made without one; 0 when
// nobody has set it: then it follows from the number of nodes.
func (v *View) Factor(d Dynamic) int16 {
	if _, _, source := v.raw(v.brokerMaps(d), must(ScopeBroker, defaultFactor)); source == SourceDefault {
		return 0
	}
	return int16(v.Int(d, defaultFactor))
}

// MinInsyncSet tells whether somebody has set min.insync.replicas for all topics.
// The cluster's own 1 does not count: it is written down by itself where eligible
// leader replicas are kept (KIP-966).
func (v *View) MinInsyncSet(d Dynamic) bool {
	if _, ok := v.Static.Get(minInsync); ok {
		return true
	}
	value, _, source := v.raw(v.brokerMaps(d), must(ScopeBroker, minInsync))
	return source == SourceDynamicBroker || source == SourceDynamicDefault && value != "1"
}
