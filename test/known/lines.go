package known

// Lines are the differences in what Kafka's tools print.
var Lines = []Difference{
	{
		Where: "api versions", Kafka: `out \t[A-Za-z]+\(\d+\): .*`, Ottla: `out \t[A-Za-z]+\(\d+\): UNSUPPORTED,?`,
		What:   "kafka-broker-api-versions shows APIs as UNSUPPORTED.",
		Reason: "Ottla lists exactly what it serves; transactions, access control and the cluster are not served yet.",
	},
	{
		Where: "api versions", Kafka: `out \t(GetTelemetrySubscriptions\(71\)|PushTelemetry\(72\)): UNSUPPORTED,`,
		What:   "kafka-broker-api-versions shows the telemetry APIs.",
		Reason: "Ottla receives clients' metrics without a plugin; Kafka lists the two when a reporter that takes them is configured.",
	},
	{
		Where: "api versions", Kafka: `out \tUNKNOWN\((93|94)\): .*`, Ottla: absent,
		What:   "kafka-broker-api-versions does not show UNKNOWN(93) and UNKNOWN(94).",
		Reason: "They are not served yet; the tools of 4.3 do not know their names.",
	},
	{
		Where: "features( lowered, described)?", Kafka: "out Feature: .*",
		What:   "kafka-features shows metadata.version at one level and leaves out eligible.leader.replicas.version, and what is not served yet.",
		Reason: "Metadata is written at the level of 4.4 alone; a lone node has no other replicas that could be eligible.",
	},
	{
		Where: "metadata lowered", Kafka: ".*Refusing to perform the requested downgrade because it might delete metadata information\\.", Ottla: ".*Local controller 1 only supports versions 33-33",
		What:   "kafka-features refuses to lower metadata.version with another reason.",
		Reason: "As with kafka-features describe.",
	},
	{
		Where: "quorum status", Kafka: ".*CONTROLLER://ADDR.*", Ottla: ".*PLAINTEXT://ADDR.*",
		What:   "kafka-metadata-quorum shows the Kafka listener as the voter's endpoint.",
		Reason: "One port serves clients and controllers.",
	},
	{
		Where: "all configs of a group", Kafka: absent, Ottla: "out   share\\.(key\\.ordering|retry\\..*)=.*",
		What:   "Groups have settings for the order of keys and for pauses between deliveries.",
		Reason: "They are Ottla's own; without them a share group is Kafka's.",
	},
	{
		Where: "describe .*", Kafka: `out Topic: .*\tConfigs: min\.insync\.replicas=1.*`,
		What:   "kafka-topics does not show min.insync.replicas=1 for every topic, nor every topic with --topics-with-overrides.",
		Reason: "A new Kafka cluster writes this setting into its metadata when eligible leader replicas are switched on, which Ottla does not claim yet; the value is the same.",
	},
	{
		Where: "(all )?configs of .*", Kafka: `out   min\.insync\.replicas=1 .*DYNAMIC_DEFAULT_BROKER_CONFIG.*`,
		What:   "kafka-configs does not show min.insync.replicas as set for the cluster.",
		Reason: "As with kafka-topics.",
	},
	{
		Where: "all configs of a topic", Kafka: absent, Ottla: "out   durability=fsync .*",
		What:   "Topics have the setting durability.",
		Reason: "It is Ottla's own: fsync, replicated or memory.",
	},
	{
		Where: "(perf|produce).*", Kafka: ".*UNKNOWN_TOPIC_OR_PARTITION.*", Ottla: absent,
		What:   "A producer to a topic that is created by it warns of nothing.",
		Reason: "Ottla's Metadata answer has the new topic; Kafka's comes before it exists.",
	},
}
