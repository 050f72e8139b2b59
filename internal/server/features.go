package server

import "ottla/internal/metadata"

// feature is one of Kafka's features as this release serves it.
type feature struct {
	name string
	// served: the APIs that it switches are there, whole. What is not served is
	// neither named to clients nor finalised.
	served   bool
	min, max int16 // the levels that this release can run
	fresh    int16 // at which a new cluster is finalised
}

// features are those of Kafka 4.4, with its ranges but for metadata.version:
// records are written as level 33 has them and no other way, so no other level
// is promised. A cluster of an older release keeps the levels that it has until
// its operator asks for others (kafka-features, UpdateFeatures).
var features = []feature{
	{metadata.MetadataVersion, true, 33, 33, 33},
	{metadata.KRaftVersion, true, 0, 1, 0},
	{metadata.TransactionVersion, true, 0, 2, 2},
	{metadata.GroupVersion, true, 0, 1, 1},
	{metadata.ShareVersion, true, 0, 2, 2},
	{metadata.StreamsVersion, true, 0, 1, 1},
	{metadata.ELRVersion, true, 0, 1, 1},
}

// supportedFeatures are the ranges that this node tells of.
func supportedFeatures() map[string][2]int16 {
	out := map[string][2]int16{}
	for _, f := range features {
		if f.served {
			out[f.name] = [2]int16{f.min, f.max}
		}
	}
	return out
}

// freshFeatures are the levels that a new cluster begins with.
func freshFeatures() map[string]int16 {
	out := map[string]int16{}
	for _, f := range features {
		if f.served && f.fresh > 0 {
			out[f.name] = f.fresh
		}
	}
	return out
}

// fixedFeatures are not in the metadata: the quorum's snapshots say that voters
// are dynamic, from the first on.
func fixedFeatures() map[string]int16 { return map[string]int16{metadata.KRaftVersion: 1} }
