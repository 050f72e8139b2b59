package metadata

// Kafka's features (KIP-584). A cluster runs each at the level that is
// finalised in its metadata; level 0, or none, is the feature turned off.
const (
	// MetadataVersion is what a log and a snapshot begin with: it tells which
	// record versions follow.
	MetadataVersion = "metadata.version"
	// KRaftVersion is the quorum's protocol: 1 is dynamic voters (KIP-853). The
	// quorum's control records say it, never a FEATURE_LEVEL.
	KRaftVersion = "kraft.version"
	// TransactionVersion 1 is flexible state records, 2 the epoch that rises
	// with every transaction (KIP-890).
	TransactionVersion = "transaction.version"
	// GroupVersion 1 is the consumer group protocol (KIP-848).
	GroupVersion = "group.version"
	// ShareVersion 1 is share groups (KIP-932), 2 their dead letters (KIP-1191).
	ShareVersion = "share.version"
	// StreamsVersion 1 is streams groups (KIP-1071).
	StreamsVersion = "streams.version"
	// ELRVersion 1 is eligible leader replicas (KIP-966).
	ELRVersion = "eligible.leader.replicas.version"
)

// FeatureLevel is the level at which the cluster runs a feature, 0 when it is
// off: what state machines ask before they do what a feature brings.
func (i *Image) FeatureLevel(name string) int16 {
	level, _ := i.Feature(name)
	return level
}
