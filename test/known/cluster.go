package known

// Cluster are the differences in what Kafka's tools print of three nodes.
var Cluster = []Difference{
	{
		Where: "end: api versions", Kafka: `out \t[A-Za-z]+\(\d+\): .*`, Ottla: `out \t[A-Za-z]+\(\d+\): UNSUPPORTED,?`,
		What:   "kafka-broker-api-versions shows the APIs of logins, access control and quotas as UNSUPPORTED.",
		Reason: "Ottla lists exactly what it serves.",
	},
	{
		Where: "end: api versions", Kafka: `out \t(GetTelemetrySubscriptions\(71\)|PushTelemetry\(72\)): UNSUPPORTED,`,
		What:   "kafka-broker-api-versions shows the telemetry APIs.",
		Reason: "Ottla receives clients' metrics without a plugin; Kafka lists the two when a reporter that takes them is configured.",
	},
	{
		Where: "features: (lowered, )?described", Kafka: "out Feature: metadata\\.version .*",
		What:   "kafka-features shows metadata.version at one level.",
		Reason: "Metadata is written at the level of 4.4 alone.",
	},
	{
		Where: "features: the cluster's own lowered", Kafka: ".*Refusing to perform the requested downgrade because it might delete metadata information\\.", Ottla: ".*Local controller N only supports versions 33-33",
		What:   "kafka-features refuses to lower metadata.version with another reason.",
		Reason: "As with kafka-features describe.",
	},
	{
		Where: "quorum: status|voters: (add(, tried)?|status with (two|three))", Kafka: ".*CONTROLLER://ADDR.*", Ottla: ".*PLAINTEXT://ADDR.*",
		What:   "kafka-metadata-quorum shows the Kafka listeners as the voters' endpoints.",
		Reason: "One port serves clients and controllers.",
	},
	{
		Where: "moves: throttles of the nodes|flight: (another throttle|throttles) of a node", Kafka: `out   (leader|follower)\.replication\.throttled\.rate=.*`,
		Ottla:  `out   (leader|follower)\.replication\.throttled\.rate=.*, DEFAULT_CONFIG:.*`,
		What:   "kafka-configs shows the default of a throttle beside the throttle.",
		Reason: "Kafka has none for the settings that its brokers only take while they run; nothing is throttled without them in either.",
	},
	{
		Where: "flight: more partitions", Kafka: ".*previous partitions, which have 3 replica\\(s\\)\\.", Ottla: ".*previous partitions, which have 2 replica\\(s\\)\\.",
		What:   "kafka-topics counts other replicas where partitions are added to a topic that is moved.",
		Reason: "New partitions get as many replicas as the first one is to have; Kafka counts those that it will lose, too.",
	},
}
